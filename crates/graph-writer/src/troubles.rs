//! Work that fails repeatedly. Its error is logged once, and again when it changes, and its end is logged too. If no
//! repeat can help before a user acts, the pauses grow.

use parking_lot::Mutex;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// Pause before the first repeat.
const FIRST: Duration = Duration::from_secs(5);
/// Longest pause. It limits the time between the remedy and the next attempt.
const LONGEST: Duration = Duration::from_mins(2);
/// Time after which a failure is ignored. A repeat begins within [`LONGEST`] and ends within `in_flight::SILENCE`, ten
/// minutes, so after this time the work belongs to another process, or is gone.
const PRESENT: Duration = Duration::from_mins(15);
/// Number of works remembered. Errors of other works are logged each time.
const MOST: usize = 1_000;

/// Works that fail at present, by name.
#[derive(Debug, Default)]
pub(crate) struct Troubles(Mutex<HashMap<String, Trouble>>);

#[derive(Debug)]
struct Trouble {
    error: String,
    failures: u32,
    last: Instant,
}

impl Troubles {
    /// Records a failure of `work`, and logs it unless it was the previous one too. Returns the pause before the next
    /// attempt: five seconds, and twice as long after each further failure if the error is lasting.
    pub(crate) fn failed(&self, work: &str, error: &str, is_lasting: bool) -> Duration {
        let (failures, is_new) = self.count(work, error);
        if is_new {
            tracing::warn!(error, "{work} failed; repeating it until it succeeds");
        } else {
            tracing::debug!(error, failures, "{work} failed again");
        }
        let doubled = if is_lasting { failures.saturating_sub(1).min(10) } else { 0 };
        (FIRST * 2_u32.pow(doubled)).min(LONGEST)
    }

    /// Records a success. Logs it if `work` has failed before.
    pub(crate) fn succeeded(&self, work: &str) {
        if let Some(Trouble { failures, .. }) = self.with(|all| all.remove(work)) {
            tracing::info!(failures, "{work} succeeds again");
        }
    }

    /// Whether `work` fails at present: its last attempt failed within the last 15 minutes.
    pub(crate) fn is_failing(&self, work: &str) -> bool {
        self.with(|all| all.get(work).is_some_and(|known| known.last.elapsed() < PRESENT))
    }

    /// Forgets `work` that no longer belongs to this process.
    pub(crate) fn forget(&self, work: &str) {
        self.with(|all| all.remove(work));
    }

    /// Returns the number of failures in a row, and whether the error differs from the previous one.
    fn count(&self, work: &str, error: &str) -> (u32, bool) {
        self.with(|all| {
            if let Some(known) = all.get_mut(work) {
                known.failures = known.failures.saturating_add(1);
                known.last = Instant::now();
                let is_new = known.error != error;
                if is_new {
                    error.clone_into(&mut known.error);
                }
                return (known.failures, is_new);
            }
            if all.len() < MOST {
                let trouble = Trouble { error: error.to_owned(), failures: 1, last: Instant::now() };
                all.insert(work.to_owned(), trouble);
            }
            (1, true)
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<String, Trouble>) -> T) -> T {
        act(&mut self.0.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_new_once_and_each_time_that_it_changes() {
        let troubles = Troubles::default();
        let count = |error| troubles.count("closing", error);
        let counts = ["a", "a", "a", "b", "b", "a"].map(count);
        assert_eq!(counts, [(1, true), (2, false), (3, false), (4, true), (5, false), (6, true)]);
        assert_eq!(troubles.count("another", "a"), (1, true));
        troubles.succeeded("closing");
        assert_eq!(troubles.count("closing", "a"), (1, true));
        troubles.forget("closing");
        assert_eq!(troubles.count("closing", "a"), (1, true));
    }

    #[test]
    fn an_old_failure_is_ignored() {
        let troubles = Troubles::default();
        troubles.count("writing", "a");
        assert!(troubles.is_failing("writing"));
        troubles.with(|all| all.get_mut("writing").expect("it failed").last -= PRESENT);
        assert!(!troubles.is_failing("writing"));
        troubles.count("writing", "a");
        assert!(troubles.is_failing("writing"));
        troubles.succeeded("writing");
        assert!(!troubles.is_failing("writing"));
    }

    #[test]
    fn pauses_grow_only_where_no_repeat_can_help() {
        let troubles = Troubles::default();
        let pause = |is_lasting| troubles.failed("closing", "a", is_lasting).as_secs();
        assert_eq!([false; 8].map(pause), [5; 8]);
        troubles.succeeded("closing");
        assert_eq!([true; 8].map(pause), [5, 10, 20, 40, 80, 120, 120, 120]);
    }

    #[test]
    fn only_so_many_are_remembered() {
        let troubles = Troubles::default();
        for n in 0..MOST + 10 {
            troubles.count(&n.to_string(), "a");
        }
        assert_eq!(troubles.with(|all| all.len()), MOST);
        assert_eq!(troubles.count(&MOST.to_string(), "a"), (1, true), "it is told again rather than not at all");
    }
}
