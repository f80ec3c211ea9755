//! Publishes despite outages of the bus, until patience is over.

use crate::Patience;
use bus::{Bus, Outgoing, PublishError};
use events::{SyncEvent, SyncId, WorkItem, sync_event::Event};
use std::time::Duration;

/// Number of work items published before the first acknowledgement is awaited.
const TOGETHER: usize = 256;
/// Pause before unacknowledged messages are published again.
const PAUSE: Duration = Duration::from_secs(1);

/// Publishes an event of a sync.
///
/// # Errors
/// Fails if the bus has not accepted the event before patience is over.
pub async fn publish(bus: &Bus, sync: &SyncId, event: Event, patience: &Patience) -> Result<(), PublishError> {
    patience.waits();
    let outgoing = Outgoing::sync(&SyncEvent { sync: Some(sync.clone()), event: Some(event) });
    while let Err(error) = bus.publish(outgoing.clone()).await {
        wait_after(error, patience).await?;
    }
    Ok(())
}

/// Publishes work items in this order.
///
/// # Errors
/// Fails if the bus has not accepted the items before patience is over.
pub async fn publish_work(bus: &Bus, items: &[WorkItem], patience: &Patience) -> Result<(), PublishError> {
    for together in items.chunks(TOGETHER) {
        let mut left: Vec<&WorkItem> = together.iter().collect();
        while !left.is_empty() {
            let mut pending = Vec::with_capacity(left.len());
            for item in left.drain(..) {
                pending.push((item, bus.send(Outgoing::work(item)).await));
            }
            let mut failed = None;
            for (item, ack) in pending {
                patience.waits();
                if let Err(error) = ack.wait().await {
                    left.push(item);
                    failed = Some(error);
                }
            }
            if let Some(error) = failed {
                wait_after(error, patience).await?;
            }
        }
    }
    Ok(())
}

async fn wait_after(error: PublishError, patience: &Patience) -> Result<(), PublishError> {
    patience.waits();
    if patience.is_over() {
        return Err(error);
    }
    tracing::warn!(error = errors::chain(&error), "the bus does not accept a message; retrying");
    tokio::time::sleep(PAUSE).await;
    Ok(())
}
