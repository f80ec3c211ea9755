//! Buckets: `ListBuckets` -> `(:AWSS3Bucket)`.

use crate::{
    clients::{ByRegion, Clients},
    location::located,
    settings::{EXTRA_LABELS, LABEL},
};
use aws_sdk_s3::{
    Client,
    operation::list_buckets::{ListBucketsError, ListBucketsOutput},
    types::Bucket,
};
use collector::{
    CollectError, Collecting, Details, Edge, Listing, Node, Pages, Sink, Value, copied, indexed, paged, prop,
};

/// General purpose buckets. `ListBuckets` does not return directory, table and vector buckets.
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

/// Listing of buckets. It alone decides which buckets exist: the settings of some cannot be read in any sync.
pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "ListBuckets",
    actions: &["s3:ListAllMyBuckets", "s3:GetBucketLocation"],
    feeds: &[&BUCKET],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut notes = clients.buckets.begin().await;
        let mut details = Details::default();
        let home = clients.home();
        let mut pages = pages(&home);
        while let Some(page) = pages.next().await {
            let buckets = located(&home, page?, &sink.place().account_id, &mut details).await?;
            sink.emit_all(&BUCKET, &buckets).await?;
            note(&mut notes, &buckets);
        }
        // Without the buckets whose region is unknown, the other listing must not end as complete.
        details.end()?;
        notes.complete();
        Ok(())
    })
}

/// Lists the buckets if [`LISTING`] has not done so.
///
/// # Errors
/// Fails if AWS does not answer, or a bucket's region cannot be read.
pub(crate) async fn by_region(clients: &Clients, account: &str) -> Result<ByRegion, CollectError> {
    if let Some(noted) = clients.buckets.known().await {
        return Ok(noted);
    }
    let (mut all, mut details) = (ByRegion::new(), Details::default());
    let home = clients.home();
    let mut pages = pages(&home);
    while let Some(page) = pages.next().await {
        note(&mut all, &located(&home, page?, account, &mut details).await?);
    }
    details.end().map(|()| all)
}

/// Pages of the largest size (Amazon S3 API Reference, `ListBuckets`).
fn pages(home: &Client) -> Pages<ListBucketsOutput, ListBucketsError> {
    paged!(home.list_buckets().max_buckets(10_000), continuation_token)
}

fn note(all: &mut ByRegion, buckets: &[Bucket]) {
    for bucket in buckets {
        let region = bucket.bucket_region().unwrap_or_default();
        all.entry(region.to_owned()).or_default().push(name(bucket).to_owned());
    }
}

#[cfg(test)]
mod tests;
