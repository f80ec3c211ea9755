//! Public access blocks of buckets: `GetPublicAccessBlock`.

use crate::settings::{Setting, of_buckets};
use aws_sdk_s3::types::PublicAccessBlockConfiguration;
use collector::{Node, prop};

/// Buckets with their own public access block. The account's block is a separate node.
pub(crate) static PUBLIC_ACCESS_BLOCK: Node<Setting<PublicAccessBlockConfiguration>> = Node {
    props: &[
        prop("block_public_acls", |it, _| it.value.as_ref().and_then(|it| it.block_public_acls).into()),
        prop("ignore_public_acls", |it, _| it.value.as_ref().and_then(|it| it.ignore_public_acls).into()),
        prop("block_public_policy", |it, _| it.value.as_ref().and_then(|it| it.block_public_policy).into()),
        prop("restrict_public_buckets", |it, _| it.value.as_ref().and_then(|it| it.restrict_public_buckets).into()),
    ],
    ..of_buckets()
};

#[cfg(test)]
mod tests {
    use super::{PUBLIC_ACCESS_BLOCK, PublicAccessBlockConfiguration};
    use crate::settings::testing::of_logs;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_block_leaves_nothing_null() {
        let full = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(false)
            .block_public_policy(true)
            .restrict_public_buckets(false)
            .build();
        expect![[r#"
            (:AWSS3Bucket:S3Bucket:ObjectStorage {id: "logs"})
              block_public_acls = true
              ignore_public_acls = false
              block_public_policy = true
              restrict_public_buckets = false
        "#]]
        .assert_eq(&render(&PUBLIC_ACCESS_BLOCK, &of_logs(Some(full)), &[]));
    }
}
