//! How long a sync may go without progress. Who drives the sync renews it on every sign of progress; who answers for the
//! sync stops answering when it is over, so that a sync that hangs blocks no other for ever.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Time since the last progress, and its limit. Clones share the time.
#[derive(Debug, Clone)]
pub struct Patience {
    limit: Duration,
    renewed: Arc<Mutex<Instant>>,
}

impl Patience {
    /// Patience that begins now.
    pub fn new(limit: Duration) -> Self {
        Self { limit, renewed: Arc::new(Mutex::new(Instant::now())) }
    }

    /// Progress was made.
    pub fn renew(&self) {
        *self.renewed.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Time since the last progress.
    pub fn spent(&self) -> Duration {
        self.renewed.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Whether there was no progress for longer than the limit.
    pub fn is_over(&self) -> bool {
        self.spent() > self.limit
    }

    /// The limit.
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Pause between two looks for progress that nobody reports: a few within the limit, and not more often than needed.
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
        *held.renewed.lock().expect("nobody panicked") -= Duration::from_mins(2);
        assert!(patience.is_over());
        patience.renew();
        assert!(!held.is_over());
    }
}
