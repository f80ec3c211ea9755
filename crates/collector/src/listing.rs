//! Runs one listing of a work item, from `started` to `finished` or `failed`.

use crate::{
    CollectError, Listing, Sink,
    progress::{self, Progress},
    sink::Totals,
    worker::{Task, Worker},
};
use bus::{Outgoing, PublishError};
use events::{AssetEvent, Failure, FailureClass, Scope, ScopeFinished, ScopeReport, ScopeStarted, asset_event::Event};
use futures::FutureExt;
use observe::metrics;
use std::{any::Any, panic::AssertUnwindSafe, time::Duration};
use tracing::Instrument;

/// Runs a listing and publishes its rows. Its error, panic or timeout affects no other listing: it is published as
/// `failed` and is part of the report.
///
/// Fails if the bus does not accept an event.
/// The bus does not accept an event.
pub(crate) async fn run<C: Send + Sync>(
    worker: &Worker<C>,
    client: &C,
    task: &Task<'_>,
    listing: &'static Listing<C>,
) -> Result<ScopeReport, PublishError> {
    let scope = Scope {
        account_id: task.place.account_id.clone(),
        region: task.place.region.clone(),
        service: worker.service.name.to_owned(),
        listing: listing.name.to_owned(),
    };
    let publish = async |event| {
        let (sync, scope) = (Some(task.sync.clone()), Some(scope.clone()));
        let event = AssetEvent { sync, scope, attempt: task.attempt, event: Some(event) };
        worker.bus.publish(Outgoing::asset(&event)).await.inspect(|()| progress::note())
    };
    publish(Event::Started(ScopeStarted {})).await?;
    let span = tracing::info_span!("listing", listing = listing.name);
    // Boxed, like the futures below: nested by value, they overflow the stack of a thread.
    let result = Box::pin(collected(worker, client, task, listing, &scope)).instrument(span).await;
    let report = ScopeReport { scope: Some(scope.clone()), ..ScopeReport::default() };
    let failure = result.as_ref().err().map(|error| error.class.words());
    metrics().work.listed(worker.service.name, listing.name, failure);
    match result {
        Ok((Totals { batches, assets }, service_off)) => {
            tracing::debug!(listing = listing.name, batches, assets, service_off, "listed");
            let (nodes, edges) = worker.service.feeds(listing);
            publish(Event::Finished(ScopeFinished { batches, assets, nodes, edges })).await?;
            Ok(ScopeReport { batches, assets, service_off, ..report })
        }
        Err(error) => {
            let failure = Failure::from(error);
            tracing::debug!(listing = listing.name, %failure, "not listed");
            publish(Event::Failed(failure.clone())).await?;
            Ok(ScopeReport { failure: Some(failure), ..report })
        }
    }
}

/// Publishes every page. Also returns AWS's error if the service is switched off, because then there is nothing to
/// list.
async fn collected<C: Send + Sync>(
    worker: &Worker<C>,
    client: &C,
    task: &Task<'_>,
    listing: &'static Listing<C>,
    scope: &Scope,
) -> Result<(Totals, String), CollectError> {
    let mut sink = Sink::to_bus(worker.bus.clone(), task.place.clone(), task.sync.clone(), scope.clone(), task.attempt);
    let publishing = Box::pin(sink.keep_publishing(worker.options.batch_age));
    let pages = Box::pin(async {
        match (listing.collect)(client, &mut sink).await.map_err(|error| error.classified(worker.service.errors)) {
            Err(off) if off.class == FailureClass::ServiceOff && sink.is_empty().await => {
                Ok((sink.finish().await?, off.message))
            }
            Err(error) => Err(error),
            Ok(()) => Ok((sink.finish().await?, String::new())),
        }
    });
    let pages = Box::pin(async {
        tokio::select! {
            listed = pages => listed,
            lost = publishing => Err(lost),
        }
    });
    within(worker.options.listing_timeout, pages).await.map_err(|error| error.seen_from(task.place))
}

/// Runs a listing. Fails if it makes no progress for `limit` or panics.
pub(crate) async fn within<T>(
    limit: Duration,
    pages: impl Future<Output = Result<T, CollectError>>,
) -> Result<T, CollectError> {
    let progress = Progress::begin();
    tokio::select! {
        result = progress.during(AssertUnwindSafe(pages).catch_unwind()) => result.unwrap_or_else(|panic| {
            Err(CollectError::internal(format!("the listing panicked: {}", words(&*panic))))
        }),
        () = progress.stalled(limit) => Err(late(limit)),
    }
}

fn late(limit: Duration) -> CollectError {
    let message = format!("no answer, page or batch for {} seconds", limit.as_secs());
    CollectError::new(FailureClass::Timeout, message)
}

/// Message of a panic.
fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}
