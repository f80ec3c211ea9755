//! Closing a large sync takes long. Whoever waits for it sees in the stream that it goes on.

use bus::{Bus, Outgoing};
use events::{Sync, SyncClosing, SyncEvent, sync_event::Event};
use graph::Pulse;
use std::{convert::Infallible, time::Duration};
use tokio::time::timeout;

/// Pause between two signs, and how long the bus may take to store one: less than anybody's patience.
const PAUSE: Duration = Duration::from_secs(20);

/// Says every now and then that closing the sync goes on, as long as Neo4j answers its statements. Never returns.
pub(crate) async fn tell(bus: &Bus, sync: &Sync, pulse: &Pulse) -> Infallible {
    let mut made = 0;
    loop {
        tokio::time::sleep(PAUSE).await;
        if pulse.silent_for() >= PAUSE {
            continue;
        }
        made += 1;
        let event = SyncEvent { sync: Some(sync.clone()), event: Some(Event::Closing(SyncClosing { made })) };
        match timeout(PAUSE, bus.publish(Outgoing::sync(&event))).await {
            Ok(Ok(())) => {}
            // The next one says the same.
            Ok(Err(error)) => tracing::debug!(error = bus::chain(&error), "cannot say that closing a sync goes on"),
            Err(_) => tracing::debug!("cannot say within {PAUSE:?} that closing a sync goes on"),
        }
    }
}
