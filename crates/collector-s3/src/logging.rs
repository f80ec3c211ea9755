//! Access logs of buckets: `GetBucketLogging`.

use crate::settings::{Setting, of_buckets};
use aws_sdk_s3::types::LoggingEnabled;
use collector::{Node, prop};

/// Buckets with the bucket that receives their access logs.
pub(crate) static LOGGING: Node<Setting<LoggingEnabled>> = Node {
    props: &[
        prop("logging_enabled", |it, _| it.value.is_some().into()),
        prop("logging_target_bucket", |it, _| it.value.as_ref().map(LoggingEnabled::target_bucket).into()),
    ],
    ..of_buckets()
};

#[cfg(test)]
mod tests {
    use super::{LOGGING, LoggingEnabled};
    use crate::settings::testing::of_logs;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn full_logging_leaves_nothing_null() {
        let full = LoggingEnabled::builder().target_bucket("archive").target_prefix("logs/").build().expect("full");
        expect![[r#"
            (:AWSS3Bucket:S3Bucket:ObjectStorage {id: "logs"})
              logging_enabled = true
              logging_target_bucket = "archive"
        "#]]
        .assert_eq(&render(&LOGGING, &of_logs(Some(full)), &[]));
    }

    #[test]
    fn a_bucket_without_logs_has_no_target() {
        expect![[r#"
            (:AWSS3Bucket:S3Bucket:ObjectStorage {id: "logs"})
              logging_enabled = false
              logging_target_bucket = null
        "#]]
        .assert_eq(&render(&LOGGING, &of_logs(None), &["logging_target_bucket"]));
    }
}
