//! Runs one work item: an account, a region and this collector's service.

use crate::{
    CollectError, Place, discovery, listing, size,
    worker::{Task, Worker, connect},
};
use bus::{Delivery, Outcome, Outgoing, PublishError};
use events::{
    Failure, FailureClass, Message, ScopeReport, SyncEvent, SyncId, WorkItem, WorkKind, WorkReport, sync_event::Event,
};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use std::{
    hash::{BuildHasher, Hasher, RandomState},
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};
use tracing::Instrument;

/// Limit of deliveries of an item. An item that ends its collectors must not delay a sync forever.
const MOST_ATTEMPTS: u32 = 5;
/// Pause before the redelivery of an item whose events the bus did not accept.
const PAUSE: Duration = Duration::from_secs(5);

/// Works on a delivery and reports it. Returns how to settle it.
pub(crate) async fn work<C: Send + Sync>(worker: &Worker<C>, delivery: &Delivery) -> Outcome {
    let (item, sync) = match read(worker.service.name, delivery.payload()) {
        Ok(read) => read,
        Err(reason) => return Outcome::Park(reason),
    };
    let (account, region, deliveries) = (&item.account_id, &item.region, delivery.deliveries());
    let span = tracing::info_span!("item", account, region, service = worker.service.name, deliveries);
    let done = async {
        let mut report = report(worker, &item, &sync, deliveries).await?;
        size::fit(&mut report, worker.bus.most_bytes());
        let event = SyncEvent { sync: Some(sync.clone()), event: Some(Event::Reported(report)) };
        worker.bus.publish(Outgoing::sync(&event)).await
    };
    match AssertUnwindSafe(done).catch_unwind().instrument(span).await {
        Ok(Ok(())) => Outcome::Ack,
        Ok(Err(error)) => {
            tracing::warn!(account, region, error = errors::chain(&error), "returning the work item to the queue");
            Outcome::Retry(PAUSE)
        }
        Err(_panic) => Outcome::Retry(PAUSE),
    }
}

/// Number of an attempt at an item. Upper 8 bits: number of deliveries, at most 255; lower 24 bits: random. The
/// delivery count alone is not unique: a server killed right after a delivery loses its count and repeats the number.
/// Two attempts with the same number would share batch ids, and batches of one would count for the other.
fn attempt(deliveries: u32) -> u32 {
    const RANDOM_BITS: u32 = 24;
    let random = RandomState::new().build_hasher().finish() & ((1 << RANDOM_BITS) - 1);
    (deliveries.min(255) << RANDOM_BITS) | u32::try_from(random).unwrap_or_default()
}

fn read(service: &str, payload: &[u8]) -> Result<(WorkItem, SyncId), String> {
    let item = WorkItem::decode(payload).map_err(|error| format!("not a work item: {error}"))?;
    if item.service != service {
        return Err(format!("an item of service {:?}, not {service}", item.service));
    }
    match &item.sync {
        Some(sync) if !item.account_id.is_empty() && !item.region.is_empty() => Ok((item.clone(), sync.clone())),
        _ => Err("a work item without sync, account or region".to_owned()),
    }
}

async fn report<C: Send + Sync>(
    worker: &Worker<C>,
    item: &WorkItem,
    sync: &SyncId,
    deliveries: u32,
) -> Result<WorkReport, PublishError> {
    let (start, attempt) = (Instant::now(), attempt(deliveries));
    let place = place(item);
    let task = Task { sync, place: &place, attempt };
    let mut report = WorkReport { item: Some(item.clone()), attempt, ..WorkReport::default() };
    if deliveries > MOST_ATTEMPTS {
        let error = format!("given up after {MOST_ATTEMPTS} attempts");
        report.failure = Some(Failure::new(FailureClass::Internal, error));
    } else if let Some(unknown) = worker.service.unknown(&item.listings) {
        let error = format!("this collector does not know {unknown}: is it older than the scheduler?");
        report.failure = Some(Failure::new(FailureClass::Internal, error));
    } else {
        match item.kind() {
            WorkKind::DiscoverRegions => match discovery::regions(worker, &task).await {
                Ok(regions) => report.regions = regions,
                Err(failure) => report.failure = Some(failure),
            },
            WorkKind::Collect => match connect(worker, &task).await {
                Ok(client) => report.scopes = collect(worker, &client, &task, &item.listings).await?,
                Err(failure) => report.failure = Some(failure),
            },
            WorkKind::Unspecified => report.failure = Some(unknown_kind()),
        }
    }
    let took = start.elapsed();
    report.took_milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    log(&report, took);
    Ok(report)
}

/// Runs the selected listings, a few at the same time. Errors of a listing are in its report; only a failure of the bus
/// ends it early.
async fn collect<C: Send + Sync>(
    worker: &Worker<C>,
    client: &C,
    task: &Task<'_>,
    names: &[String],
) -> Result<Vec<ScopeReport>, PublishError> {
    let listings = worker.service.chosen(names).map(|listing| listing::run(worker, client, task, listing));
    stream::iter(listings.collect::<Vec<_>>()).buffer_unordered(worker.options.concurrency).try_collect().await
}

fn place(item: &WorkItem) -> Place {
    Place {
        account_id: item.account_id.clone(),
        account_name: item.account_name.clone(),
        partition: item.partition.clone(),
        region: item.region.clone(),
        home_region: item.home_region.clone(),
    }
}

fn unknown_kind() -> Failure {
    CollectError::internal("unknown kind of work: is this collector older than the scheduler?").into()
}

fn log(report: &WorkReport, took: Duration) {
    let failed = report.scopes.iter().filter(|scope| scope.failure.is_some()).count();
    let assets: u64 = report.scopes.iter().map(|scope| scope.assets).sum();
    if let Some(failure) = &report.failure {
        tracing::warn!(%failure, "work item failed");
    } else {
        tracing::info!(listings = report.scopes.len(), failed, assets, ?took, "work item done");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> WorkItem {
        WorkItem {
            sync: Some(SyncId { id: "s".into(), update_tag: 1 }),
            account_id: "1".into(),
            region: "r".into(),
            service: "ec2".into(),
            ..WorkItem::default()
        }
    }

    #[test]
    fn runs_after_the_same_count_of_deliveries_differ_and_later_deliveries_are_newer() {
        let all: std::collections::BTreeSet<u32> = (0..100).map(|_| attempt(1)).collect();
        assert!(all.len() > 95, "24 random bits");
        assert!(all.iter().all(|it| it >> 24 == 1));
        assert!(attempt(2) > attempt(1) && attempt(u32::MAX) >> 24 == 255);
    }

    #[test]
    fn only_whole_items_of_this_service_are_work() {
        assert!(read("ec2", &item().encode_to_vec()).is_ok());
        assert!(read("iam", &item().encode_to_vec()).is_err());
        assert!(read("ec2", b"\xff\xff").is_err());
        assert!(read("ec2", &WorkItem { sync: None, ..item() }.encode_to_vec()).is_err());
        assert!(read("ec2", &WorkItem { region: String::new(), ..item() }.encode_to_vec()).is_err());
    }
}
