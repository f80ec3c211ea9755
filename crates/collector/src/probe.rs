//! Dry run of a collector: each listing runs until each of its tables has an item, over the same lease, client and
//! limits as in a sync, but nothing is published. It finds the same errors as a sync, because it makes the same calls.

use crate::{
    Options, Place, Service, Sink, details, discovery, listing,
    worker::{Task, Worker, connect},
};
use bus::Bus;
use events::{Failure, SyncId};
use futures::{StreamExt, stream};

/// Result of the dry run of one listing.
#[derive(Debug, Clone)]
pub struct Probed {
    /// Name of the listing: its API operation.
    pub listing: &'static str,
    /// IAM actions that it needs.
    pub actions: &'static [&'static str],
    /// Error; `None` if it can be read.
    pub failure: Option<Failure>,
}

/// Tries these listings of a service (all if `names` is empty) in one place. `name` stands for the sync id.
///
/// # Errors
/// Fails if there is no session.
pub async fn listings<C: Send + Sync>(
    service: &'static Service<C>,
    bus: Bus,
    options: Options,
    place: Place,
    name: String,
    names: Vec<String>,
) -> Result<Vec<Probed>, Failure> {
    let worker = Worker::new(service, bus, options);
    let sync = SyncId { id: name, update_tag: 0 };
    let client = connect(&worker, &Task { sync: &sync, place: &place, attempt: 1 }).await?;
    let tries = service.chosen(&names).map(|listing| async {
        let mut sink = Sink::to_nowhere(place.clone(), listing.feeds.len());
        let limit = worker.options.listing_timeout;
        let collected = listing::within(limit, (listing.collect)(&client, &mut sink));
        let error = match details::with_first_failed(collected).await {
            (Err(_), first_failed) if sink.has_seen_enough().await => first_failed,
            (collected, _) => collected.err(),
        };
        let failure = error.map(|error| error.classified(service.errors).seen_from(&place).into());
        Probed { listing: listing.name, actions: listing.actions, failure }
    });
    Ok(stream::iter(tries.collect::<Vec<_>>()).buffered(worker.options.concurrency).collect().await)
}

/// Discovers the enabled regions of an account.
///
/// # Errors
/// Fails if there is no session, or no region answers.
pub async fn regions<C: Send + Sync>(
    service: &'static Service<C>,
    bus: Bus,
    options: Options,
    place: Place,
    name: String,
) -> Result<Vec<String>, Failure> {
    let worker = Worker::new(service, bus, options);
    let sync = SyncId { id: name, update_tag: 0 };
    discovery::regions(&worker, &Task { sync: &sync, place: &place, attempt: 1 }).await
}
