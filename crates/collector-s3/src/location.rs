//! Regions of buckets. `ListBuckets` returns them, because it is asked for pages ("Listing Amazon S3 general purpose
//! buckets", Amazon S3 User Guide).

use aws_sdk_s3::{
    Client,
    types::{Bucket, BucketLocationConstraint},
};
use collector::{CollectError, Details, unless_gone};
use std::collections::BTreeMap;

/// Groups buckets by region. Asks for the region of a bucket that was listed without it; records a failure of this call.
///
/// # Errors
/// Fails if the error affects all buckets, or too many calls have failed.
pub(crate) async fn by_region(
    s3: &Client,
    buckets: Vec<Bucket>,
    details: &mut Details,
) -> Result<BTreeMap<String, Vec<Bucket>>, CollectError> {
    let mut all: BTreeMap<String, Vec<Bucket>> = BTreeMap::new();
    for mut bucket in buckets {
        if bucket.bucket_region().is_none_or(str::is_empty) {
            let name = bucket.name().unwrap_or_default();
            let region = location(s3, name).await;
            let Some(region) = details.take(&format!("region of {name}"), region)?.read() else { continue };
            bucket.bucket_region = Some(region);
        }
        all.entry(bucket.bucket_region().unwrap_or_default().to_owned()).or_default().push(bucket);
    }
    Ok(all)
}

/// Asks for the region of a bucket. Returns `None` if the bucket was deleted. Buckets in us-east-1 have no constraint, and
/// old ones in eu-west-1 have `EU` (Amazon S3 API Reference, `GetBucketLocation`).
async fn location(s3: &Client, bucket: &str) -> Result<Option<String>, CollectError> {
    let Some(answer) = unless_gone(s3.get_bucket_location().bucket(bucket).send().await)? else { return Ok(None) };
    let constraint = answer.location_constraint().map_or("", BucketLocationConstraint::as_str);
    let region = match constraint {
        "" => "us-east-1",
        "EU" => "eu-west-1",
        region => region,
    };
    Ok(Some(region.to_owned()))
}
