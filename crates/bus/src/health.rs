//! Health of an operation. Logs one line when it stops working and one when it works again, not one for each attempt.

use parking_lot::Mutex;
use std::time::{Duration, Instant};

/// Pause before the first retry. It doubles with each consecutive failure up to `LONGEST_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// Longest outage that is hidden from the caller: longer than a restart or the election of a leader.
const OUTAGE: Duration = Duration::from_mins(2);

/// State of one consumer, or of all publishing on a connection.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<Option<Trouble>>);

#[derive(Debug, Clone, Copy)]
struct Trouble {
    since: Instant,
    failures: u32,
    /// Whether this outage is in the log. The connection logs its own loss.
    told: bool,
}

/// State after a failure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failing {
    /// No success for [`OUTAGE`] since the first failure, or since this field was last true.
    pub(crate) for_long: bool,
    /// Delay before the next attempt.
    pub(crate) pause: Duration,
}

impl Health {
    /// Records a failure. Logs a warning for the first consecutive one while the connection is up.
    pub(crate) fn failed(&self, what: &str, error: &(dyn std::error::Error + 'static), connected: bool) -> Failing {
        let mut state = self.0.lock();
        let mut trouble = state.unwrap_or(Trouble { since: Instant::now(), failures: 0, told: false });
        let error = errors::chain(error);
        if connected && !trouble.told {
            tracing::warn!(error, "{what} fails; retrying");
            trouble.told = true;
        } else {
            tracing::debug!(error, "{what} still fails");
        }
        let pause = (FIRST_PAUSE * 2_u32.pow(trouble.failures.min(8))).min(LONGEST_PAUSE);
        let for_long = trouble.since.elapsed() > OUTAGE;
        trouble.failures += 1;
        if for_long {
            trouble.since = Instant::now();
        }
        *state = Some(trouble);
        Failing { for_long, pause }
    }

    /// Whether the last attempt failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.0.lock().is_some()
    }

    /// Records a success. Logs it if the outage before it was logged.
    pub(crate) fn works(&self, what: &str) {
        let trouble = self.0.lock().take();
        if let Some(Trouble { failures, told: true, .. }) = trouble {
            tracing::info!(failures, "{what} works again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    };
    use tracing::{Event, Level, Metadata, Subscriber, span};

    /// Counts lines of level info and above.
    struct Lines(Arc<AtomicU32>);

    impl Subscriber for Lines {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.level() <= &Level::INFO
        }
        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn event(&self, _: &Event<'_>) {
            self.0.fetch_add(1, SeqCst);
        }
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }

    fn failed(health: &Health, connected: bool) -> u128 {
        health.failed("it", &std::fmt::Error, connected).pause.as_millis()
    }

    /// One test for all cases: tracing caches for the whole process whether a line has a subscriber, and tests run in
    /// parallel.
    #[test]
    fn pauses_grow_and_an_outage_is_two_lines() {
        an_outage_is_a_line_at_its_start_and_one_at_its_end();
        pauses_grow_to_a_limit_and_begin_again_after_a_success();
    }

    fn pauses_grow_to_a_limit_and_begin_again_after_a_success() {
        let health = Health::default();
        let pauses: Vec<_> = (0..6).map(|_| failed(&health, true)).collect();
        assert_eq!(pauses, [250, 500, 1_000, 2_000, 4_000, 4_000]);
        health.works("it");
        assert_eq!(failed(&health, true), 250);
    }

    fn an_outage_is_a_line_at_its_start_and_one_at_its_end() {
        for (connected, expected) in [(true, 2), (false, 0)] {
            let lines = Arc::new(AtomicU32::new(0));
            tracing::subscriber::with_default(Lines(lines.clone()), || {
                let health = Health::default();
                for _ in 0..50 {
                    failed(&health, connected);
                }
                (0..50).for_each(|_| health.works("it"));
            });
            assert_eq!(lines.load(SeqCst), expected, "connected: {connected}");
        }
    }
}
