//! Time of sending.

use std::time::{Duration, Instant, SystemTime};

/// A moment by two clocks: the monotonic one stops while the machine sleeps, the wall clock can be set back.
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

    /// Time since then, by the clock that reports more.
    pub(crate) fn elapsed(&self) -> Duration {
        self.instant.elapsed().max(self.time.elapsed().unwrap_or_default())
    }
}
