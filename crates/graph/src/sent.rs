//! When something was sent.

use std::time::{Duration, Instant, SystemTime};

/// A moment by two clocks: the one stands still while the machine sleeps, the other can be set back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    instant: Instant,
    time: SystemTime,
}

impl Sent {
    /// This moment.
    pub(crate) fn now() -> Self {
        Self { instant: Instant::now(), time: SystemTime::now() }
    }

    /// How long ago it was, by the clock that says more.
    pub(crate) fn elapsed(&self) -> Duration {
        self.instant.elapsed().max(self.time.elapsed().unwrap_or_default())
    }
}
