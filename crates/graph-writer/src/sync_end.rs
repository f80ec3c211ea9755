//! Closes a sync. When its collectors have finished and the graph has their events, held edges are retried a last time,
//! vanished assets are removed, and the sync's end is published with everything that failed.
//!
//! A sync has as many scopes as combinations of account, region and listing. Neo4j counts them, and this process reads
//! some at a time and keeps a few bytes of each.
//!
//! Every step may be interrupted and repeated: waiting, creating and removing are idempotent, removed nodes are counted
//! in the transactions that remove them, and the final message has a fixed id.

use crate::{
    Options, cleanup,
    cut::{self, Cut, sentence},
    due::Due,
    feeds::Catalog,
    held::{self, Labels, RetryError},
    refused,
    reports::Reports,
    schema::{Need, Schema},
    scope_store,
    settle::Settling,
    stale,
    tally::{self, Tally},
    unwritten::Unwritten,
};
use bus::{Bus, Draining, LookupError, Outgoing, PublishError};
use events::{Failure, FailureClass, StalePlace, SyncEvent, SyncFinished, SyncId, subjects, sync_event::Event};
use futures::FutureExt;
use graph::{GraphError, GraphStore};
use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// Shortest and longest pause between two reads of the stream; between them, a twentieth of the time waited so far.
const POLL: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(250));
/// Pause between reads of the graph while the stream still holds something: it may all be another sync's.
const LOOK: Duration = Duration::from_secs(1);
/// Limit of passes over held edges once the stream is consumed: a batch may come again during a pass.
const LAST_PASSES: u32 = 3;
/// Pause before the sync's end is published again, and number of attempts before everything is repeated.
const ANNOUNCE: (Duration, u32) = (Duration::from_secs(5), 100);

/// A sync could not be closed; it will be tried again.
#[derive(Debug, thiserror::Error)]
pub enum SyncEndError {
    /// The graph.
    #[error("cannot close the sync in the graph")]
    Graph(#[from] GraphError),
    /// Held edges.
    #[error("cannot close the sync's edges")]
    Held(#[from] RetryError),
    /// Its reports.
    #[error("cannot read the sync's reports")]
    Reports(#[source] LookupError),
    /// Its reports are gone.
    #[error("the sync's reports are no longer in the stream")]
    NotInStream,
    /// The assets stream.
    #[error("cannot see how far the assets stream has been consumed")]
    Backlog(#[from] LookupError),
    /// The announcement.
    #[error("cannot announce the sync's end")]
    Publish(#[from] PublishError),
    /// A defect of this program. Its panic message is in the log.
    #[error("closing the sync failed because of a defect in Groma; please report it with the preceding panic message")]
    Panicked,
    /// The process ends.
    #[error("stopped")]
    Stopped,
}

impl SyncEndError {
    /// Whether every repeat fails too until a user acts.
    pub(crate) fn is_lasting(&self) -> bool {
        match self {
            Self::Graph(error) | Self::Held(RetryError::Graph(error)) => error.is_lasting(),
            Self::Panicked => true,
            _ => false,
        }
    }
}

/// Turns a panic into an error, so that the sync's end is tried again instead of being kept by a dead task.
pub(crate) async fn contained<T>(closing: impl Future<Output = Result<T, SyncEndError>>) -> Result<T, SyncEndError> {
    AssertUnwindSafe(closing).catch_unwind().await.unwrap_or(Err(SyncEndError::Panicked))
}

/// Closes syncs.
#[derive(Clone)]
pub struct SyncEnd {
    pub(crate) bus: Bus,
    pub(crate) store: GraphStore,
    pub(crate) schema: Schema,
    pub(crate) options: Options,
    pub(crate) shutdown: CancellationToken,
}

impl SyncEnd {
    /// Creates an instance that closes syncs on its own, beside the writers.
    pub fn new(bus: Bus, store: GraphStore, options: Options) -> Self {
        Self { bus, store, schema: Schema::default(), options, shutdown: CancellationToken::new() }
    }

    /// Waits until the graph has the sync, or can no longer get it; then closes and announces it.
    ///
    /// # Errors
    /// [`SyncEndError`]; closing it again is safe.
    pub async fn close(&self, sync: &SyncId) -> Result<SyncFinished, SyncEndError> {
        // The statements name indexes of the bookkeeping in hints.
        self.schema.ensure(&self.store, []).await?;
        let reports = Reports::of(&self.bus, sync, || self.store.beat()).await.map_err(SyncEndError::Reports)?;
        let mut reports = reports.ok_or(SyncEndError::NotInStream)?;
        let last = self.settle(sync, &mut reports).await?;
        self.draw_held(sync, last).await?;
        let catalog = Catalog::load(&self.store).await?;
        let (due, not_run) = Due::of_sync(&self.store, sync, &catalog, &reports).await?;
        let mut unwritten = Unwritten::of(&self.store, sync, &reports).await?;
        unwritten.lost.count(reports.missing);
        let cleanup = self.clean(sync, &due).await?;
        let analysis = self.analyse(sync).await?;
        let stale = if reports.whole { stale::find(&self.store, sync, &reports).await? } else { Cut::default() };
        let (not_run, not_run_total) = not_run.into_parts();
        let finished = self.finished(sync, unwritten, stale, reports.whole).await?;
        let mut finished = SyncFinished { cleanup, analysis, not_run, not_run_total, ..finished };
        cut::fit(&mut finished, self.bus.most_bytes());
        self.announce(sync, &finished).await?;
        Ok(finished)
    }

    /// Retries held edges a last time. Labels that no listing feeds are not awaited. They are retried nevertheless if a
    /// listing has never reported its feeds, because its first run failed: some of its nodes may have arrived.
    ///
    /// A batch that the stream no longer has is lost only after the writers have consumed the stream up to `last`: a
    /// recording that is played again brings it with another sequence.
    async fn draw_held(&self, sync: &SyncId, last: u64) -> Result<(), SyncEndError> {
        let labels = self.awaited(sync).await?;
        if self.draw_pages(sync, &labels).await? == 0 {
            return Ok(());
        }
        self.until_consumed(last).await?;
        for _ in 0..LAST_PASSES {
            // Feeds may have been reported meanwhile, and batches may have come again.
            let labels = Labels { is_last: true, ..self.awaited(sync).await? };
            if self.draw_pages(sync, &labels).await? == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Returns the labels of which a listing may still bring nodes.
    async fn awaited(&self, sync: &SyncId) -> Result<Labels, SyncEndError> {
        let all = Tally::of(&self.store, sync).await?.unknown > 0;
        Ok(Labels { awaited: Catalog::load(&self.store).await?.labels(), is_last: false, all })
    }

    /// Retries the sync's held edges. Returns the number of batches to try again ([`held::retry`]).
    async fn draw_pages(&self, sync: &SyncId, labels: &Labels) -> Result<usize, SyncEndError> {
        let (mut gone, mut after) = (0, String::new());
        loop {
            let holding = scope_store::holding_in_sync(&self.store, &sync.id, &after).await?;
            let Some(last) = holding.last() else { return Ok(gone) };
            after = last.id();
            gone += held::retry(&self.bus, &self.store, &self.schema, holding, labels).await?;
        }
    }

    /// Waits until the writers have consumed the assets stream up to a sequence.
    async fn until_consumed(&self, last: u64) -> Result<(), SyncEndError> {
        let mut consuming = Consuming::new(last);
        while !consuming.look(self).await? {
            self.pause(consuming.poll()).await?;
        }
        Ok(())
    }

    /// Removes vanished assets. Elements that Neo4j cannot remove are reported and stay.
    async fn clean(&self, sync: &SyncId, due: &Due) -> Result<Option<Failure>, SyncEndError> {
        match cleanup::clean(&self.store, sync, due).await {
            Ok(()) => Ok(None),
            Err(error) if error.is_lasting() => {
                tracing::error!(error = errors::chain(&error), "some vanished assets could not be removed");
                Ok(Some(Failure::new(FailureClass::Internal, sentence(errors::chain(&error)))))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Analyses the whole graph. A step that Neo4j rejects is reported; one that it cannot run at this moment is run
    /// again with the rest of the sync's end.
    async fn analyse(&self, sync: &SyncId) -> Result<Option<Failure>, SyncEndError> {
        if !self.options.analyse {
            return Ok(None);
        }
        self.schema.ensure(&self.store, Need::of_analysis()).await?;
        match analysis::run(&self.store, sync.update_tag).await {
            Ok(_) => Ok(None),
            Err(error) if error.source.is_lasting() => {
                tracing::error!(error = errors::chain(&error), "analysis failed");
                Ok(Some(Failure::new(FailureClass::Internal, sentence(errors::chain(&error)))))
            }
            Err(error) => Err(error.source.into()),
        }
    }

    /// Waits for every scope, until the assets stream has no more events for it. Returns the sequence up to which it had
    /// to be consumed.
    async fn settle(&self, sync: &SyncId, reports: &mut Reports) -> Result<u64, SyncEndError> {
        let last = self.bus.last_sequence(bus::ASSETS).await?;
        let (mut quiet_since, mut looked) = (None, None::<Instant>);
        let mut consuming = Consuming::new(last);
        let store = self.store.unwatched();
        let mut settling = Settling::new(&store, sync, reports);
        loop {
            // Read before the graph: everything acknowledged by then is in the graph.
            let quiet = consuming.look(self).await?;
            quiet_since = quiet.then(|| quiet_since.unwrap_or_else(Instant::now));
            if quiet || looked.is_none_or(|at| at.elapsed() >= LOOK) {
                if settling.look(quiet).await? > 0 {
                    self.store.beat();
                }
                looked = Some(Instant::now());
                let patience = self.options.patience;
                if settling.is_done() || quiet_since.is_some_and(|since| since.elapsed() >= patience) {
                    return Ok(last);
                }
            }
            self.pause(consuming.poll()).await?;
        }
    }

    async fn pause(&self, pause: Duration) -> Result<(), SyncEndError> {
        tokio::select! {
            () = self.shutdown.cancelled() => Err(SyncEndError::Stopped),
            () = tokio::time::sleep(pause) => Ok(()),
        }
    }

    /// Counts, and records the end in the graph.
    async fn finished(
        &self,
        sync: &SyncId,
        unwritten: Unwritten,
        stale: Cut<StalePlace>,
        whole: bool,
    ) -> Result<SyncFinished, GraphError> {
        let Unwritten { lost, superseded } = unwritten;
        let tally = Tally::of(&self.store, sync).await?;
        let rejected = refused::rejected(&self.store, sync, tally.rejected).await?;
        let (shortened, _) = refused::shortened(&self.store, sync, tally.shortened > 0).await?.into_parts();
        let (lost, lost_places, lost_total) = lost.into_parts();
        let (rejected, rejected_total) = rejected.into_parts();
        let (superseded, superseded_total) = superseded.into_parts();
        let (stale, stale_total) = stale.into_parts();
        let finished = SyncFinished {
            nodes: tally.nodes,
            edges: tally.edges(),
            targets_missing: tally.targets_missing,
            lost,
            lost_places,
            lost_total,
            rejected,
            rejected_total,
            superseded,
            superseded_total,
            shortened,
            stale,
            stale_total,
            ..SyncFinished::default()
        };
        tally::note(&self.store, sync, finished, whole).await
    }

    /// Publishes the sync's end until the stream stores it: a failed publish must not repeat the finished work.
    async fn announce(&self, sync: &SyncId, finished: &SyncFinished) -> Result<(), SyncEndError> {
        let event = SyncEvent { sync: Some(sync.clone()), event: Some(Event::Finished(finished.clone())) };
        for _ in 1..ANNOUNCE.1 {
            match self.bus.publish(Outgoing::sync(&event)).await {
                Ok(()) => return Ok(()),
                Err(error) => {
                    tracing::warn!(
                        error = errors::chain(&error),
                        sync = sync.id,
                        "the sync's end cannot be announced yet"
                    );
                }
            }
            self.pause(ANNOUNCE.0).await?;
        }
        Ok(self.bus.publish(Outgoing::sync(&event)).await?)
    }
}

/// Consumption of the assets stream up to a sequence. Only events that leave the stream are progress: the graph's
/// answers would hide events that no writer can apply.
struct Consuming {
    last: u64,
    began: Instant,
    draining: Draining,
}

impl Consuming {
    fn new(last: u64) -> Self {
        Self { last, began: Instant::now(), draining: Draining::up_to(last) }
    }

    /// Returns whether the writers have settled every event up to the sequence.
    async fn look(&mut self, end: &SyncEnd) -> Result<bool, LookupError> {
        let backlog = end.bus.backlog(bus::ASSETS, &end.options.durable).await?;
        if self.draining.has_moved(&backlog) {
            end.store.beat();
        }
        if backlog.settled_up_to >= self.last || !backlog.is_idle() {
            return Ok(backlog.settled_up_to >= self.last);
        }
        // Its last events may have left the stream in another way. The leader of the stream knows.
        let next = end.bus.next_on(bus::ASSETS, subjects::ASSETS, backlog.delivered_up_to).await?;
        Ok(next.is_none_or(|next| next.sequence > self.last))
    }

    /// Pause before the next look.
    fn poll(&self) -> Duration {
        (self.began.elapsed() / 20).clamp(POLL.0, POLL.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_while_a_sync_is_closed_is_an_error() {
        let panics = async { if std::hint::black_box(true) { panic!("a defect") } else { Ok(()) } };
        let error = contained(panics).await.expect_err("it panicked");
        assert!(matches!(error, SyncEndError::Panicked) && error.is_lasting());
    }
}
