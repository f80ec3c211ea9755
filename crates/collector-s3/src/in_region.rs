//! Settings of buckets: eight calls about each bucket in its region -> properties of `(:AWSS3Bucket)`, `(:AWSS3Acl)` and
//! `(:AWSS3PolicyStatement)`.
//!
//! A bucket's policy may deny the account its settings. Such a bucket keeps the known values of the settings that cannot be
//! read. The same holds for all buckets of a region that hangs or is disabled. So these tables do not decide which buckets
//! exist.

use crate::{
    bucket,
    clients::Clients,
    rows::{self, Emitted},
    settings::{Settings, settings},
};
use aws_sdk_s3::Client;
use collector::{CollectError, Collecting, Details, Listing, Sink};
use events::FailureClass;
use futures::{StreamExt, stream};

/// Limit of buckets that are asked about at the same time, with eight calls each. The limiter enforces AWS's quotas.
const AT_ONCE: usize = 8;

/// Listing of settings.
pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "GetBucketAcl",
    actions: &[
        "s3:ListAllMyBuckets",
        "s3:GetBucketAcl",
        "s3:GetBucketLocation",
        "s3:GetBucketLogging",
        "s3:GetBucketNotification",
        "s3:GetBucketOwnershipControls",
        "s3:GetBucketPolicy",
        "s3:GetBucketPublicAccessBlock",
        "s3:GetBucketVersioning",
        "s3:GetEncryptionConfiguration",
    ],
    feeds: &rows::TABLES,
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut details = Details::default();
        let account = sink.place().account_id.clone();
        for (region, buckets) in bucket::by_region(clients, &account).await? {
            match in_region(&clients.of(&region), &region, buckets, sink).await? {
                None => details.note_read(),
                Some(error) => details.fail(&format!("buckets in {region}"), &error)?,
            }
        }
        details.end()
    })
}

/// Reads the buckets of a region, up to an error that affects all of them. Returns the error of buckets that could not be
/// read.
///
/// Fails if the bus rejects a full batch, or the session is invalid.
async fn in_region(
    s3: &Client,
    region: &str,
    buckets: Vec<String>,
    sink: &mut Sink,
) -> Result<Option<CollectError>, CollectError> {
    let (mut details, mut ended, account) = (Details::default(), Ok(()), sink.place().account_id.clone());
    let mut answers = stream::iter(buckets).map(|bucket| asked(s3.clone(), bucket, &account)).buffered(AT_ONCE);
    while let Some((bucket, settings)) = answers.next().await {
        // It was deleted meanwhile.
        let Some(settings) = settings else { continue };
        let mut emitted = Emitted::default();
        let written = rows::emit(&bucket, settings, sink, &mut emitted).await;
        ended = note(&mut details, &bucket, emitted, region);
        written?;
        if ended.is_err() {
            break;
        }
    }
    match ended.and_then(|()| details.end()) {
        Err(error) if error.class == FailureClass::Credentials => Err(error),
        ended => Ok(ended.err()),
    }
}

async fn asked(s3: Client, bucket: String, account: &str) -> (String, Option<Settings>) {
    let settings = settings(&s3, &bucket, account).await;
    (bucket, settings)
}

/// Records the result of the calls about a bucket. Fails if the error affects all buckets of the region.
fn note(details: &mut Details, bucket: &str, emitted: Emitted, region: &str) -> Result<(), CollectError> {
    if emitted.is_any_read {
        details.note_read();
    }
    let subjects: Vec<&str> = emitted.failed.iter().map(|(subject, _)| *subject).collect();
    let errors = emitted.failed.into_iter().map(|(_, error)| error.seen_in(region));
    match errors.reduce(CollectError::graver) {
        Some(error) => details.take::<()>(&format!("{} of {bucket}", subjects.join(", ")), Err(error)).map(drop),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
