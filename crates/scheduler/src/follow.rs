//! Follows one sync's events. It outlasts every outage of the bus; patience decides when to stop.

use bus::{Bus, ConsumeError, Consumer, LookupError, Outcome as Settle, SYNCS};
use events::{SyncEvent, subjects, sync_event::Event};
use std::time::Duration;

/// Limit of events per read.
const READ_TOGETHER: usize = 256;
/// Pause after a failed read.
const PAUSE: Duration = Duration::from_millis(500);

/// Reader of one sync's events. It may return an event twice.
pub struct Follower {
    bus: Bus,
    sync_id: String,
    watch: Option<Consumer>,
    /// Sequence of the newest event read.
    newest: u64,
    is_troubled: bool,
}

impl Follower {
    /// Follows a sync from its first event.
    pub fn new(bus: &Bus, sync_id: &str) -> Self {
        Self { bus: bus.clone(), sync_id: sync_id.to_owned(), watch: None, newest: 0, is_troubled: false }
    }

    /// The bus that it reads from.
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// Returns the next events. Empty if none arrive for some seconds or the bus cannot be read at present.
    pub async fn next(&mut self) -> Vec<Event> {
        match self.read().await {
            Ok(events) => {
                if std::mem::take(&mut self.is_troubled) {
                    tracing::info!(sync = self.sync_id, "following the sync's progress again");
                }
                events
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_troubled, true) {
                    let error = errors::chain(error.as_ref());
                    tracing::warn!(sync = self.sync_id, error, "cannot follow the sync's progress; retrying");
                }
                // The next watcher starts at the first event again, so that none is missed.
                self.watch = None;
                tokio::time::sleep(PAUSE).await;
                Vec::new()
            }
        }
    }

    async fn read(&mut self) -> Result<Vec<Event>, Box<dyn std::error::Error + Send + Sync>> {
        let watch = if let Some(watch) = self.watch.take() {
            watch
        } else {
            // In a recreated stream, sequences restart at one.
            self.newest = 0;
            self.bus.watch(SYNCS, subjects::sync_of(&self.sync_id)).await?
        };
        let (events, newest) = self.take(&watch).await?;
        if events.is_empty() && newest == 0 && self.is_behind().await? {
            return Err("the stream has events that were not delivered".into());
        }
        self.newest = self.newest.max(newest);
        self.watch = Some(watch);
        Ok(events)
    }

    /// Reads the available events, and the sequence of the newest.
    async fn take(&self, watch: &Consumer) -> Result<(Vec<Event>, u64), ConsumeError> {
        let (mut events, mut newest) = (Vec::new(), 0);
        for delivery in watch.next(READ_TOGETHER).await? {
            newest = newest.max(delivery.sequence());
            match events::read::<SyncEvent>(delivery.payload()) {
                Ok(event) if subjects::carries_sync(delivery.subject(), &event) => {
                    events.extend(event.event);
                    delivery.settle(Settle::Ack).await?;
                }
                Ok(_) => {
                    let reason = "the event does not match its subject";
                    delivery.settle(Settle::Park(reason.to_owned())).await?;
                }
                Err(error) => delivery.settle(Settle::Park(format!("not a sync event: {error}"))).await?,
            }
        }
        Ok((events, newest))
    }

    /// Whether the stream has an event that the watcher did not deliver: the watcher is lost, or its server lags.
    async fn is_behind(&self) -> Result<bool, LookupError> {
        Ok(self.bus.next_on(SYNCS, &subjects::sync_of(&self.sync_id), self.newest).await?.is_some())
    }
}
