//! Regions of buckets. `ListBuckets` returns them, because it is asked for pages ("Listing Amazon S3 general purpose
//! buckets", Amazon S3 User Guide).

use aws_sdk_s3::{
    Client,
    operation::list_buckets::ListBucketsOutput,
    types::{Bucket, BucketLocationConstraint},
};
use collector::{CollectError, Details};

/// Returns the buckets of a page, each with its region. Asks for the region of a bucket that was listed without it; records
/// a failure of this call.
///
/// # Errors
/// Fails if the error affects all buckets, or too many calls have failed.
pub(crate) async fn located(
    s3: &Client,
    page: ListBucketsOutput,
    account: &str,
    details: &mut Details,
) -> Result<Vec<Bucket>, CollectError> {
    let mut located = Vec::new();
    for mut bucket in page.buckets.unwrap_or_default() {
        if bucket.bucket_region().is_none_or(str::is_empty) {
            let name = bucket.name().unwrap_or_default();
            let region = location(s3, name, account).await.map(Some);
            let Some(region) = details.take(&format!("region of {name}"), region)?.read() else { continue };
            bucket.bucket_region = Some(region);
        }
        located.push(bucket);
    }
    Ok(located)
}

/// Asks for the region of a bucket. Buckets in us-east-1 have no constraint, and
/// old ones in eu-west-1 have `EU` (Amazon S3 API Reference, `GetBucketLocation`).
async fn location(s3: &Client, bucket: &str, account: &str) -> Result<String, CollectError> {
    let answer = s3.get_bucket_location().bucket(bucket).expected_bucket_owner(account).send().await?;
    let constraint = answer.location_constraint().map_or("", BucketLocationConstraint::as_str);
    let region = match constraint {
        "" => "us-east-1",
        "EU" => "eu-west-1",
        region => region,
    };
    Ok(region.to_owned())
}
