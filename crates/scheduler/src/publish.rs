//! Publishing that outlasts a bus that is away, for as long as patience lasts.

use crate::Patience;
use bus::{Bus, Outgoing, PublishError};
use events::{Sync, SyncEvent, WorkItem, sync_event::Event};
use std::time::Duration;

/// Work items published before their acknowledgements are awaited.
const TOGETHER: usize = 256;
/// Pause before what was not acknowledged is published again.
const PAUSE: Duration = Duration::from_secs(1);

/// Publishes an event of a sync.
///
/// # Errors
/// When the bus has not taken it until patience is over.
pub async fn publish(bus: &Bus, sync: &Sync, event: Event, patience: &Patience) -> Result<(), PublishError> {
    let outgoing = Outgoing::sync(&SyncEvent { sync: Some(sync.clone()), event: Some(event) });
    while let Err(error) = bus.publish(outgoing.clone()).await {
        wait_after(error, patience).await?;
    }
    Ok(())
}

/// Publishes work, in this order.
///
/// # Errors
/// When the bus has not taken it until patience is over.
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
    if patience.is_over() {
        return Err(error);
    }
    tracing::warn!(error = bus::chain(&error), "the bus does not take a message; trying again");
    tokio::time::sleep(PAUSE).await;
    Ok(())
}
