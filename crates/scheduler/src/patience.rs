//! Limit of a sync's time without progress. The survey renews it with every sign of progress. When it is over, the sync
//! no longer answers requests, so a hung sync does not block others forever.

use observe::{Mark, health};
use parking_lot::Mutex;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Longest time between two turns of the survey's loops. Reading the streams of a large sync takes minutes.
const TURN: Duration = Duration::from_mins(15);

/// Time since the last progress, and its limit. Clones share the time.
#[derive(Debug, Clone)]
pub struct Patience {
    limit: Duration,
    renewed: Arc<Mutex<Instant>>,
    /// Mark of the survey's loops, which continue without progress too.
    mark: Mark,
}

impl Patience {
    /// Starts now.
    pub fn new(limit: Duration) -> Self {
        Self { limit, renewed: Arc::new(Mutex::new(Instant::now())), mark: health().watch("scheduler: survey", TURN) }
    }

    /// Records progress.
    pub fn renew(&self) {
        *self.renewed.lock() = Instant::now();
    }

    /// Records another turn of a loop that waits for progress.
    pub(crate) fn waits(&self) {
        self.mark.now();
    }

    /// Time since the last progress.
    pub fn spent(&self) -> Duration {
        self.renewed.lock().elapsed()
    }

    /// Whether there was no progress for longer than the limit.
    pub fn is_over(&self) -> bool {
        self.spent() > self.limit
    }

    /// The limit.
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Interval of the checks for signs of progress: several within the limit, at most 15 s.
    pub(crate) fn look(&self) -> Duration {
        (self.limit / 8).min(Duration::from_secs(15))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_renews_patience_for_every_holder() {
        let patience = Patience { limit: Duration::from_mins(1), ..Patience::new(Duration::ZERO) };
        let held = patience.clone();
        *held.renewed.lock() -= Duration::from_mins(2);
        assert!(patience.is_over());
        patience.renew();
        assert!(!held.is_over());
    }
}
