//! Object ownership of buckets: `GetBucketOwnershipControls`.

use crate::settings::{Setting, of_buckets};
use aws_sdk_s3::types::OwnershipControlsRule;
use collector::{Node, Value, prop};

/// Buckets with the owner of new objects.
pub(crate) static OWNERSHIP: Node<Setting<OwnershipControlsRule>> = Node {
    props: &[prop("object_ownership", |it, _| {
        Value::text(it.value.as_ref().map(OwnershipControlsRule::object_ownership))
    })],
    ..of_buckets()
};

#[cfg(test)]
mod tests {
    use super::{OWNERSHIP, OwnershipControlsRule};
    use crate::settings::testing::of_logs;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn full_ownership_leaves_nothing_null() {
        let full = OwnershipControlsRule::builder().object_ownership("BucketOwnerEnforced".into()).build();
        expect![[r#"
            (:AWSS3Bucket:S3Bucket:ObjectStorage {id: "logs"})
              object_ownership = "BucketOwnerEnforced"
        "#]]
        .assert_eq(&render(&OWNERSHIP, &of_logs(Some(full.expect("full"))), &[]));
    }
}
