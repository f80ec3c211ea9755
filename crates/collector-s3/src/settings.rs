//! Settings of a bucket: one call for each, in the bucket's region.

use crate::policy::{self, Policy};
use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{get_bucket_acl::GetBucketAclOutput, get_bucket_versioning::GetBucketVersioningOutput},
    types::{
        LoggingEnabled, OwnershipControlsRule, PublicAccessBlockConfiguration, ServerSideEncryptionRule,
        TopicConfiguration,
    },
};
use collector::{CollectError, Node};
use events::FailureClass;
use std::error::Error;

pub(crate) const LABEL: &str = "AWSS3Bucket";
pub(crate) const EXTRA_LABELS: &[&str] = &["S3Bucket", "ObjectStorage"];
/// Codes of a bucket without policy, default encryption, public access block or ownership controls.
const NONE: [&str; 4] = [
    "NoSuchBucketPolicy",
    "ServerSideEncryptionConfigurationNotFoundError",
    "NoSuchPublicAccessBlockConfiguration",
    "OwnershipControlsNotFoundError",
];

/// A setting of a bucket. Each has its own table, because a bucket keeps the known values of a setting that cannot be read.
#[derive(Debug, Clone)]
pub(crate) struct Setting<T> {
    /// Name of the bucket.
    pub(crate) bucket: String,
    /// The setting; `None` if the bucket has none.
    pub(crate) value: Option<T>,
}

/// A table of settings without properties and edges, for the rest of a table literal.
pub(crate) const fn of_buckets<T>() -> Node<Setting<T>> {
    Node { extra_labels: EXTRA_LABELS, supplements: true, id: |it, _| it.bucket.clone(), ..Node::of(LABEL) }
}

/// A setting, or the error of its call.
pub(crate) type Answer<T> = Result<Setting<T>, CollectError>;

/// Answers to all calls about a bucket.
pub(crate) struct Settings {
    pub(crate) acl: Answer<GetBucketAclOutput>,
    pub(crate) policy: Answer<Policy>,
    pub(crate) encryption: Answer<ServerSideEncryptionRule>,
    pub(crate) versioning: Answer<GetBucketVersioningOutput>,
    pub(crate) public_access_block: Answer<PublicAccessBlockConfiguration>,
    pub(crate) ownership: Answer<OwnershipControlsRule>,
    pub(crate) logging: Answer<LoggingEnabled>,
    pub(crate) topics: Answer<Vec<TopicConfiguration>>,
}

/// Reads the settings of a bucket of this account. Returns `None` if the bucket was deleted: a single call may miss an
/// existing bucket (cloud-custodian PR 6048), so all of them must say so. If only some do, they are asked again: the bucket
/// may be deleted just now.
pub(crate) async fn settings(s3: &Client, bucket: &str, account: &str) -> Option<Settings> {
    let mut settings = ask(s3, bucket, account).await;
    let gone = settings.gone();
    if gone > 0 && gone < CALLS {
        settings = ask(s3, bucket, account).await;
    }
    (settings.gone() < CALLS).then_some(settings)
}

/// Number of calls about a bucket.
const CALLS: usize = 8;

async fn ask(s3: &Client, bucket: &str, account: &str) -> Settings {
    let (acl, policy, encryption, versioning, public_access_block, ownership, logging, notification) = futures::join!(
        s3.get_bucket_acl().bucket(bucket).expected_bucket_owner(account).send(),
        s3.get_bucket_policy().bucket(bucket).expected_bucket_owner(account).send(),
        s3.get_bucket_encryption().bucket(bucket).expected_bucket_owner(account).send(),
        s3.get_bucket_versioning().bucket(bucket).expected_bucket_owner(account).send(),
        s3.get_public_access_block().bucket(bucket).expected_bucket_owner(account).send(),
        s3.get_bucket_ownership_controls().bucket(bucket).expected_bucket_owner(account).send(),
        s3.get_bucket_logging().bucket(bucket).expected_bucket_owner(account).send(),
        s3.get_bucket_notification_configuration().bucket(bucket).expected_bucket_owner(account).send(),
    );
    Settings {
        acl: setting(bucket, acl, Some),
        policy: setting(bucket, policy, |it| it.policy).and_then(parsed),
        // "Only one rule ever exists", says Cartography, and takes the last.
        encryption: setting(bucket, encryption, |it| it.server_side_encryption_configuration?.rules.pop()),
        versioning: setting(bucket, versioning, Some),
        public_access_block: setting(bucket, public_access_block, |it| it.public_access_block_configuration),
        ownership: setting(bucket, ownership, |it| it.ownership_controls?.rules.into_iter().next()),
        logging: setting(bucket, logging, |it| it.logging_enabled),
        topics: setting(bucket, notification, |it| it.topic_configurations),
    }
}

impl Settings {
    /// Number of calls that say that there is no such bucket.
    fn gone(&self) -> usize {
        let gone: [bool; CALLS] = [
            is_gone(&self.acl),
            is_gone(&self.policy),
            is_gone(&self.encryption),
            is_gone(&self.versioning),
            is_gone(&self.public_access_block),
            is_gone(&self.ownership),
            is_gone(&self.logging),
            is_gone(&self.topics),
        ];
        gone.into_iter().filter(|gone| *gone).count()
    }
}

fn is_gone<T>(answer: &Answer<T>) -> bool {
    answer.as_ref().is_err_and(|error| error.code.as_deref() == Some("NoSuchBucket"))
}

/// Reads the setting from the answer to its call.
fn setting<O, E, T>(bucket: &str, answer: Result<O, SdkError<E>>, value: impl FnOnce(O) -> Option<T>) -> Answer<T>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let code = answer.as_ref().err().and_then(ProvideErrorMetadata::code);
    let value = if code.is_some_and(|code| NONE.contains(&code)) { None } else { value(answer?) };
    Ok(Setting { bucket: bucket.to_owned(), value })
}

fn parsed(Setting { bucket, value }: Setting<String>) -> Answer<Policy> {
    let value = value.map(|document| policy::parse(&document)).transpose();
    let value = value.map_err(|error| CollectError::new(FailureClass::Service, error.to_string()))?;
    Ok(Setting { bucket, value })
}

/// Answers of an S3 for tests.
#[cfg(test)]
pub(crate) mod testing {
    use super::Setting;

    /// Answers to the calls about a bucket, in their order.
    pub(crate) const ANSWERS: [&str; 8] = [
        "<AccessControlPolicy><Owner><ID>me</ID></Owner></AccessControlPolicy>",
        "!NoSuchBucketPolicy The bucket policy does not exist",
        "!ServerSideEncryptionConfigurationNotFoundError not found",
        "<VersioningConfiguration/>",
        "!NoSuchPublicAccessBlockConfiguration not found",
        "!OwnershipControlsNotFoundError not found",
        "<BucketLoggingStatus/>",
        "<NotificationConfiguration/>",
    ];

    /// A page of buckets in us-east-1, with the token of the next.
    pub(crate) fn buckets(names: &[&str], token: Option<&str>) -> String {
        in_regions(&names.iter().map(|name| (*name, "us-east-1")).collect::<Vec<_>>(), token)
    }

    /// A page of buckets, each with its region.
    pub(crate) fn in_regions(buckets: &[(&str, &str)], token: Option<&str>) -> String {
        let bucket = |(name, region): &(&str, &str)| {
            let region =
                if region.is_empty() { String::new() } else { format!("<BucketRegion>{region}</BucketRegion>") };
            format!("<Bucket><Name>{name}</Name>{region}</Bucket>")
        };
        let buckets: Vec<String> = buckets.iter().map(bucket).collect();
        let token = token.map(|token| format!("<ContinuationToken>{token}</ContinuationToken>")).unwrap_or_default();
        format!("<ListAllMyBucketsResult><Buckets>{}</Buckets>{token}</ListAllMyBucketsResult>", buckets.concat())
    }

    /// A setting of the bucket `logs`.
    pub(crate) fn of_logs<T>(value: Option<T>) -> Setting<T> {
        Setting { bucket: "logs".into(), value }
    }
}
