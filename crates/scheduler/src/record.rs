//! A sync's record in the syncs stream: `started`, the reports and `collected`. The graph-writer reads the reports there
//! when it closes the sync. If the stream is deleted during a sync, the scheduler publishes what it has read again.

use crate::{Patience, plan::Plan, publish::publish};
use bus::{Bus, PublishError, SYNCS};
use events::{SyncCollected, SyncStarted, subjects, sync_event::Event};

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

    /// Publishes the record again if the stream no longer has its first event. Looks again later if the stream cannot be
    /// read.
    ///
    /// # Errors
    /// The bus does not accept it before patience is over.
    pub async fn restore(&self, bus: &Bus, patience: &Patience) -> Result<(), PublishError> {
        let sync = self.plan.sync();
        match bus.last_on(SYNCS, &subjects::sync_event_of(&sync.id, "started")).await {
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => return Ok(()),
        }
        tracing::warn!(sync = sync.id, "the syncs stream has lost the sync's reports; publishing them again");
        publish(bus, sync, Event::Started(self.started.clone()), patience).await?;
        for report in self.plan.collectors_reports() {
            publish(bus, sync, Event::Reported(report), patience).await?;
        }
        match &self.collected {
            Some(collected) => publish(bus, sync, Event::Collected(collected.clone()), patience).await,
            None => Ok(()),
        }
    }
}
