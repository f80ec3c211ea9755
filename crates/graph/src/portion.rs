//! Size of one transaction, adapted to the limits of the database.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Number of rows (or nodes, or edges) in one transaction. Halved when a transaction exceeds the database's memory or
/// time limit; grows by a sixteenth with each success. Each kind of work in a process has one, shared by all its
/// transactions:
///
/// ```ignore
/// static CHUNK: Portion = Portion::new(10_000);
///
/// let mut backoff = store.backoff();
/// loop {
///     let chunk = CHUNK.size();
///     match attempt(store, chunk).await {
///         Ok(found) if found < chunk => return Ok(()),
///         Ok(_) => CHUNK.passed(chunk),
///         Err(error) => backoff.shrink(error, &CHUNK, chunk).await?,
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Portion {
    most: usize,
    now: AtomicUsize,
}

impl Portion {
    /// Starts at its maximum, `most`.
    pub const fn new(most: usize) -> Self {
        Self { most, now: AtomicUsize::new(most) }
    }

    /// Size of the next transaction, at least one.
    pub fn size(&self) -> usize {
        self.now.load(Ordering::Relaxed)
    }

    /// Halves the size after a transaction of `tried` rows was too large. `false`: it had only one row, so no smaller
    /// one exists.
    pub fn halve(&self, tried: usize) -> bool {
        if tried <= 1 {
            return false;
        }
        self.now.fetch_min(tried / 2, Ordering::Relaxed);
        true
    }

    /// Records the success of a transaction of `tried` rows.
    pub fn passed(&self, tried: usize) {
        let grow = |now: usize| (tried >= now && now < self.most).then(|| (now + now.div_ceil(16)).min(self.most));
        // `Err` only means that the size did not change.
        let _ = self.now.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grow);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_halves_down_to_one_and_grows_back_to_the_most() {
        let portion = Portion::new(100);
        let mut sizes = vec![portion.size()];
        while portion.halve(portion.size()) {
            sizes.push(portion.size());
        }
        assert_eq!(sizes, [100, 50, 25, 12, 6, 3, 1]);
        portion.passed(0);
        assert_eq!(portion.size(), 1, "less than it may be teaches nothing");
        let mut steps = 0;
        while portion.size() < 100 {
            portion.passed(portion.size());
            steps += 1;
        }
        assert!((30..80).contains(&steps), "{steps}");
        portion.passed(1_000);
        assert_eq!(portion.size(), 100);
    }

    #[test]
    fn a_late_word_about_a_larger_one_does_not_undo_what_was_learned() {
        let portion = Portion::new(100);
        portion.halve(20);
        portion.halve(100);
        assert_eq!(portion.size(), 10);
    }
}
