//! Versioning of buckets: `GetBucketVersioning`.

use crate::settings::{Setting, of_buckets};
use aws_sdk_s3::{operation::get_bucket_versioning::GetBucketVersioningOutput, types::BucketVersioningStatus};
use collector::{Node, Value, indexed, prop};

/// Buckets with their versioning. A bucket that never had any has no status.
pub(crate) static VERSIONING: Node<Setting<GetBucketVersioningOutput>> = Node {
    props: &[
        prop("versioning_status", |it, _| Value::text(status(it))),
        prop("mfa_delete", |it, _| Value::text(it.value.as_ref().and_then(|it| it.mfa_delete()))),
        indexed("_ont_versioning", |it, _| status(it).map(|status| *status == BucketVersioningStatus::Enabled).into()),
    ],
    ..of_buckets()
};

fn status(it: &Setting<GetBucketVersioningOutput>) -> Option<&BucketVersioningStatus> {
    it.value.as_ref()?.status()
}

#[cfg(test)]
mod tests {
    use super::{BucketVersioningStatus, GetBucketVersioningOutput, VERSIONING};
    use crate::settings::testing::of_logs;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn full_versioning_leaves_nothing_null() {
        let full = GetBucketVersioningOutput::builder()
            .status(BucketVersioningStatus::Enabled)
            .mfa_delete("Disabled".into())
            .build();
        expect![[r#"
            (:AWSS3Bucket:S3Bucket:ObjectStorage {id: "logs"})
              versioning_status = "Enabled"
              mfa_delete = "Disabled"
              _ont_versioning (indexed) = true
        "#]]
        .assert_eq(&render(&VERSIONING, &of_logs(Some(full)), &[]));
    }

    #[test]
    fn suspended_versioning_is_none() {
        let suspended = GetBucketVersioningOutput::builder().status(BucketVersioningStatus::Suspended).build();
        let rendered = render(&VERSIONING, &of_logs(Some(suspended)), &["mfa_delete"]);
        assert!(rendered.contains("_ont_versioning (indexed) = false"), "{rendered}");
    }
}
