//! How much goes into one transaction, learned from the database.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Rows (or nodes, or edges) of one transaction: as many as the database takes. Halved when a transaction needed more memory
/// or time than it gets, and grown back by a sixteenth with each that passed. One for each kind of work and process, so that
/// each learns from the last:
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
    /// At most `most`, and at first so many.
    pub const fn new(most: usize) -> Self {
        Self { most, now: AtomicUsize::new(most) }
    }

    /// How many may go into the next transaction: one at least.
    pub fn size(&self) -> usize {
        self.now.load(Ordering::Relaxed)
    }

    /// A transaction with so many was too large. Says whether a smaller one can be tried: not when there was only one.
    pub fn halve(&self, tried: usize) -> bool {
        if tried <= 1 {
            return false;
        }
        self.now.fetch_min(tried / 2, Ordering::Relaxed);
        true
    }

    /// A transaction with so many passed.
    pub fn passed(&self, tried: usize) {
        let grow = |now: usize| (tried >= now && now < self.most).then(|| (now + now.div_ceil(16)).min(self.most));
        // Nothing to do is no error.
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
