//! Buckets: `ListBuckets`, then eight calls about each in its region -> `(:AWSS3Bucket)`, `(:AWSS3Acl)` and
//! `(:AWSS3PolicyStatement)`.
//!
//! A bucket's policy may deny the account its settings. Such a bucket has a row with its name and region, and keeps the
//! known values of the settings that cannot be read. The same holds for all buckets of a region that hangs or is disabled.

use crate::{
    clients::Clients,
    location::by_region,
    rows::{self, Failed},
    settings::{EXTRA_LABELS, LABEL, Settings, settings},
};
use aws_sdk_s3::{Client, types::Bucket};
use collector::{
    CollectError, Collecting, Details, Edge, Listing, Node, Sink, Table, Value, copied, indexed, paged, prop,
};
use events::FailureClass;
use futures::{StreamExt, stream};

/// Limit of buckets that are asked about at the same time, with eight calls each. The limiter enforces AWS's quotas.
const AT_ONCE: usize = 8;

/// Buckets with the region in which they were found.
pub(crate) static BUCKET: Node<Bucket> = Node {
    extra_labels: EXTRA_LABELS,
    id: |it, _| name(it).to_owned(),
    props: &[
        prop("name", |it, _| it.name().into()),
        prop("region", |it, _| it.bucket_region().into()),
        indexed("arn", |it, place| format!("arn:{}:s3:::{}", place.partition, name(it)).into()),
        prop("creationdate", |it, _| it.creation_date().map(Value::spelled).into()),
    ],
    ontology: &[copied("_ont_location", "region"), copied("_ont_name", "name")],
    edges: &[Edge::account()],
    ..Node::of(LABEL)
};

fn name(it: &Bucket) -> &str {
    it.name().unwrap_or_default()
}

/// Listing of buckets with their settings.
pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "ListBuckets",
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
    feeds: &FEEDS,
    collect,
};

const FEEDS: [&dyn Table; 10] = {
    let [acl, statement, access, encryption, versioning, block, ownership, logging, notification] = rows::TABLES;
    [&BUCKET, acl, statement, access, encryption, versioning, block, ownership, logging, notification]
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let home = clients.home();
        // The largest page (Amazon S3 API Reference, `ListBuckets`).
        let mut pages = paged!(home.list_buckets().max_buckets(10_000), continuation_token);
        let mut details = Details::default();
        while let Some(page) = pages.next().await {
            let buckets = page?.buckets.unwrap_or_default();
            for (region, buckets) in by_region(&home, buckets, &mut details).await? {
                match in_region(&clients.of(&region), &region, buckets, sink).await? {
                    None => details.note_read(),
                    Some(error) => details.fail(&format!("buckets in {region}"), &error)?,
                }
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
    buckets: Vec<Bucket>,
    sink: &mut Sink,
) -> Result<Option<CollectError>, CollectError> {
    let (mut details, mut seen, mut ended) = (Details::default(), 0, Ok(()));
    let mut answers = stream::iter(buckets.clone()).map(|bucket| asked(s3.clone(), bucket)).buffered(AT_ONCE);
    while let Some((bucket, settings)) = answers.next().await {
        seen += 1;
        // It was deleted meanwhile.
        let Some(settings) = settings else { continue };
        sink.emit(&BUCKET, &bucket).await?;
        let failed = rows::emit(name(&bucket), settings, sink).await?;
        ended = note(&mut details, &bucket, failed, region);
        if ended.is_err() {
            break;
        }
    }
    sink.emit_all(&BUCKET, &buckets[seen..]).await?;
    match ended.and_then(|()| details.end()) {
        Err(error) if error.class == FailureClass::Credentials => Err(error),
        ended => Ok(ended.err()),
    }
}

async fn asked(s3: Client, bucket: Bucket) -> (Bucket, Option<Settings>) {
    let settings = settings(&s3, name(&bucket)).await;
    (bucket, settings)
}

/// Records the result of the calls about a bucket. Fails if the error affects all buckets of the region.
fn note(details: &mut Details, bucket: &Bucket, failed: Option<Failed>, region: &str) -> Result<(), CollectError> {
    let Some((subject, error)) = failed else {
        details.note_read();
        return Ok(());
    };
    details.take::<()>(&format!("{subject} of {}", name(bucket)), Err(error.seen_in(region))).map(drop)
}

#[cfg(test)]
mod tests;
