//! A sign of progress.

use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// Time of the last sign of progress; clones share it. A store with a pulse
/// ([`GraphStore::watched`](crate::GraphStore::watched)) beats with every answer of Neo4j.
#[derive(Debug, Clone)]
pub struct Pulse(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    last: Mutex<Instant>,
    over: Option<Pulse>,
}

impl Default for Pulse {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Pulse {
    /// A pulse that passes its beats on to `over`.
    #[must_use]
    pub fn under(over: &Self) -> Self {
        Self::new(Some(over.clone()))
    }

    fn new(over: Option<Self>) -> Self {
        Self(Arc::new(Inner { last: Mutex::new(Instant::now()), over }))
    }

    /// Records progress.
    pub fn beat(&self) {
        *self.0.last.lock() = Instant::now();
        self.0.over.iter().for_each(Self::beat);
    }

    /// Time since the last beat.
    pub fn silent_for(&self) -> Duration {
        self.last().elapsed()
    }

    /// Waits until there has been no beat for `limit`.
    pub async fn silence(&self, limit: Duration) {
        loop {
            let last = self.last();
            tokio::time::sleep_until(last + limit).await;
            if self.last() == last {
                return;
            }
        }
    }

    fn last(&self) -> Instant {
        *self.0.last.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    #[tokio::test]
    async fn silence_begins_with_the_last_beat() {
        const MINUTE: Duration = Duration::from_mins(1);
        let over = Pulse(Arc::new(Inner { last: Mutex::new(Instant::now() - MINUTE), over: None }));
        over.silence(MINUTE).await;
        Pulse::under(&over).beat();
        let silence = timeout(Duration::from_millis(20), over.silence(MINUTE)).await;
        assert!(silence.is_err() && over.silent_for() < MINUTE);
    }
}
