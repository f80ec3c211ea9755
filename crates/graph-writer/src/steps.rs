//! Signs of progress for schedulers while the writer closes a large sync.

use bus::{Bus, Outgoing};
use events::{SyncClosing, SyncEvent, SyncId, sync_event::Event};
use graph::Pulse;
use std::{convert::Infallible, time::Duration};
use tokio::time::timeout;

/// Pause between two signs, and time limit for storing one: shorter than any patience.
const PAUSE: Duration = Duration::from_secs(20);

/// Publishes a sign of progress at intervals while Neo4j answers the statements that close the sync. Never returns.
pub(crate) async fn tell(bus: &Bus, sync: &SyncId, pulse: &Pulse) -> Infallible {
    let (mut made, attempt) = (0, rand::random::<u32>() | 1);
    loop {
        tokio::time::sleep(PAUSE).await;
        if pulse.silent_for() >= PAUSE {
            continue;
        }
        made += 1;
        let event = SyncEvent { sync: Some(sync.clone()), event: Some(Event::Closing(SyncClosing { made, attempt })) };
        match timeout(PAUSE, bus.publish(Outgoing::sync(&event))).await {
            Ok(Ok(())) => {}
            // The next sign says the same.
            Ok(Err(error)) => tracing::debug!(error = errors::chain(&error), "cannot publish a sign of progress"),
            Err(_) => tracing::debug!("cannot publish a sign of progress within {PAUSE:?}"),
        }
    }
}
