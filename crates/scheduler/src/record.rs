//! A sync's record in the syncs stream: `started`, the reports and `collected`. The graph-writer reads the reports there
//! when it closes the sync. If the stream loses any of it during a sync, the scheduler publishes it all again.

use crate::{Patience, plan::Plan, publish::publish};
use bus::{Bus, PublishError, SYNCS};
use events::{SyncCollected, SyncStarted, subjects, sync_event::Event};
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// Pause between two checks of the streams.
const PAUSE: Duration = Duration::from_secs(1);
/// Limit of repeated publications of a record: a stream that is too small for it loses it each time.
const MOST_RESTORED: u32 = 10;

/// A sync's record, as the scheduler knows it.
#[derive(Debug)]
pub struct Record<'a> {
    plan: &'a Plan,
    started: SyncStarted,
    reports: usize,
    collected: Option<SyncCollected>,
    restored: AtomicU32,
}

impl<'a> Record<'a> {
    /// Creates the record of a sync whose collectors have ended.
    pub fn new(plan: &'a Plan, started: SyncStarted) -> Self {
        let (reports, restored) = (plan.count_collectors_reports(), AtomicU32::default());
        Self { plan, started, reports, collected: None, restored }
    }

    /// Adds the last event.
    #[must_use]
    pub fn with(self, collected: SyncCollected) -> Self {
        Self { collected: Some(collected), ..self }
    }

    /// Publishes the record again if the stream lacks a part of it. Recreates a missing stream, and waits for an unreadable
    /// one until patience is over. Returns whether it published.
    ///
    /// # Errors
    /// The bus does not accept an event before patience is over.
    pub async fn restore(&self, bus: &Bus, patience: &Patience) -> Result<bool, PublishError> {
        if self.restored.load(Ordering::Relaxed) >= MOST_RESTORED || !self.is_lost(bus, patience).await {
            return Ok(false);
        }
        self.restored.fetch_add(1, Ordering::Relaxed);
        let sync = self.plan.sync();
        tracing::warn!(sync = sync.id, "the syncs stream has lost reports of the sync; publishing them again");
        publish(bus, sync, Event::Started(self.started.clone()), patience).await?;
        for report in self.plan.collectors_reports() {
            publish(bus, sync, Event::Reported(report), patience).await?;
        }
        if let Some(collected) = &self.collected {
            publish(bus, sync, Event::Collected(collected.clone()), patience).await?;
        }
        Ok(true)
    }

    /// Whether the stream lacks an event of the record. Returns false if it cannot be read in time.
    async fn is_lost(&self, bus: &Bus, patience: &Patience) -> bool {
        let all = subjects::sync_of(&self.plan.sync().id);
        loop {
            patience.waits();
            match bus.counts(SYNCS, &all).await {
                Ok(counts) => return !self.is_among(&counts),
                Err(error) if patience.is_over() => {
                    tracing::warn!(
                        error = errors::chain(&error),
                        "cannot check whether the sync's reports are still in the stream"
                    );
                    return false;
                }
                // The stream may have been deleted.
                Err(_) => {
                    if let Err(error) = bus.ensure_streams().await {
                        tracing::warn!(error = errors::chain(&error), "the streams cannot be restored yet");
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Whether a stream with these message counts by subject holds the record.
    fn is_among(&self, counts: &[(String, usize)]) -> bool {
        let id = &self.plan.sync().id;
        let holds = |kind| counts.iter().any(|(subject, _)| *subject == subjects::sync_event_of(id, kind));
        let reports = counts.iter().filter(|(subject, _)| subjects::is_report(subject)).map(|(_, count)| count);
        holds("started") && (self.collected.is_none() || holds("collected")) && reports.sum::<usize>() >= self.reports
    }
}
