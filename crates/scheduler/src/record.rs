//! A sync's record in the syncs stream: `started`, the reports and `collected`. The graph-writer reads the reports there
//! when it closes the sync. If the stream is deleted during a sync, the scheduler publishes again what it has read.

use crate::{Patience, plan::Plan, publish::publish};
use bus::{Bus, PublishError, SYNCS};
use events::{SyncCollected, SyncStarted, subjects, sync_event::Event};
use std::time::Duration;

/// Pause before the streams are looked for again.
const PAUSE: Duration = Duration::from_secs(1);

/// What the scheduler knows of a sync's record.
#[derive(Debug)]
pub struct Record<'a> {
    plan: &'a Plan,
    started: SyncStarted,
    collected: Option<SyncCollected>,
}

impl<'a> Record<'a> {
    /// The record of a sync whose collectors have ended.
    pub fn new(plan: &'a Plan, started: SyncStarted) -> Self {
        Self { plan, started, collected: None }
    }

    /// Adds the last event.
    #[must_use]
    pub fn with(self, collected: SyncCollected) -> Self {
        Self { collected: Some(collected), ..self }
    }

    /// Publishes the record again if the stream no longer has its first event. Recreates a missing stream, and waits for
    /// one that cannot be read, until patience is over. Returns whether it published.
    ///
    /// # Errors
    /// The bus does not accept an event before patience is over.
    pub async fn restore(&self, bus: &Bus, patience: &Patience) -> Result<bool, PublishError> {
        if !self.is_lost(bus, patience).await {
            return Ok(false);
        }
        let sync = self.plan.sync();
        tracing::warn!(sync = sync.id, "the syncs stream has lost the sync's reports; publishing them again");
        publish(bus, sync, Event::Started(self.started.clone()), patience).await?;
        for report in self.plan.collectors_reports() {
            publish(bus, sync, Event::Reported(report), patience).await?;
        }
        if let Some(collected) = &self.collected {
            publish(bus, sync, Event::Collected(collected.clone()), patience).await?;
        }
        Ok(true)
    }

    /// Whether the stream no longer has the sync's first event. A stream that cannot be read is no proof.
    async fn is_lost(&self, bus: &Bus, patience: &Patience) -> bool {
        let started = subjects::sync_event_of(&self.plan.sync().id, "started");
        loop {
            match bus.last_on(SYNCS, &started).await {
                Ok(found) => return found.is_none(),
                Err(error) if patience.is_over() => {
                    tracing::warn!(error = bus::chain(&error), "cannot see whether the sync's reports are still there");
                    return false;
                }
                // The stream may be gone, with everything in it.
                Err(_) => {
                    if let Err(error) = bus.ensure_streams().await {
                        tracing::warn!(error = bus::chain(&error), "the streams cannot be restored yet");
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}
