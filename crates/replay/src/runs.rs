//! Attempts at scopes in little memory.

use crate::Filter;
use events::asset_event::Event;
use std::collections::{BTreeMap, BTreeSet};

/// Attempts at scopes, by the numbers of account, region, service and listing, and by attempt.
#[derive(Debug, Default)]
pub(crate) struct Runs(BTreeMap<([u32; 4], u32), Run>);

/// An attempt at a scope.
#[derive(Debug, Default)]
pub struct Run {
    /// Batches that are there.
    pub batches: Batches,
    /// Number of batches, if the listing finished.
    pub finished: Option<u32>,
    /// It failed.
    pub failed: bool,
    /// Node rows that the filter keeps.
    pub nodes: u64,
    /// Edge rows that the filter keeps.
    pub edges: u64,
}

/// Indexes of batches. They mostly come in order, and then take no memory each.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Batches {
    /// All below this one.
    first: u32,
    /// Some above it.
    others: BTreeSet<u32>,
}

impl Runs {
    /// Takes in an event of an attempt.
    pub(crate) fn enter(&mut self, scope: [u32; 4], attempt: u32, event: Option<&Event>, filter: &Filter) {
        self.0.entry((scope, attempt)).or_default().enter(event, filter);
    }

    /// Scope and run of each attempt.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ([u32; 4], &Run)> {
        self.0.iter().map(|((scope, _), run)| (*scope, run))
    }

    pub(crate) fn get(&self, scope: [u32; 4], attempt: u32) -> Option<&Run> {
        self.0.get(&(scope, attempt))
    }

    /// The newest attempt at a scope.
    pub(crate) fn newest(&self, scope: [u32; 4]) -> Option<(u32, &Run)> {
        let all = self.0.range((scope, 0)..=(scope, u32::MAX));
        all.map(|((_, attempt), run)| (*attempt, run)).next_back()
    }

    /// The newest attempt at each scope.
    pub(crate) fn newest_of_each(&self) -> impl Iterator<Item = ([u32; 4], &Run)> {
        let mut all = self.iter().peekable();
        std::iter::from_fn(move || {
            let (scope, mut run) = all.next()?;
            while let Some((_, newer)) = all.next_if(|(next, _)| *next == scope) {
                run = newer;
            }
            Some((scope, run))
        })
    }
}

impl Run {
    fn enter(&mut self, event: Option<&Event>, filter: &Filter) {
        match event {
            // The same batch twice is one batch.
            Some(Event::Batch(batch)) if self.batches.insert(batch.index) => {
                let (nodes, edges) = filter.rows(batch);
                self.nodes += nodes;
                self.edges += edges;
            }
            Some(Event::Finished(finished)) => self.finished = Some(finished.batches),
            Some(Event::Failed(_)) => self.failed = true,
            _ => {}
        }
    }

    /// Whether the listing finished and every batch is there.
    pub fn is_complete(&self) -> bool {
        !self.failed && self.finished.is_some_and(|batches| self.batches.below(batches) == batches)
    }
}

impl Batches {
    /// Adds an index. Returns whether it is new.
    fn insert(&mut self, index: u32) -> bool {
        if index != self.first {
            return index > self.first && self.others.insert(index);
        }
        // The largest index is never in front of another one.
        let Some(next) = index.checked_add(1) else { return self.others.insert(index) };
        self.first = next;
        while self.others.first() == Some(&self.first) && self.first < u32::MAX {
            self.others.pop_first();
            self.first += 1;
        }
        true
    }

    /// Number of indexes below this one.
    pub fn below(&self, index: u32) -> u32 {
        let others = u32::try_from(self.others.range(..index).count()).unwrap_or(u32::MAX);
        self.first.min(index).saturating_add(others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn batches_in_order_take_no_memory() {
        let mut batches = Batches::default();
        assert!((0..1_000).all(|index| batches.insert(index)));
        assert_eq!((batches.below(u32::MAX), batches.others.len()), (1_000, 0));
    }

    #[test]
    fn the_largest_index_is_one_like_others() {
        let mut batches = Batches { first: u32::MAX - 1, others: [u32::MAX].into() };
        assert!(batches.insert(u32::MAX - 1) && !batches.insert(u32::MAX) && !batches.insert(0));
        let mut batches = Batches { first: u32::MAX, ..Batches::default() };
        assert!(batches.insert(u32::MAX) && !batches.insert(u32::MAX));
    }

    #[test]
    fn the_newest_attempt_at_each_scope_counts() {
        let mut runs = Runs::default();
        for (listing, attempt) in [(1, 1), (2, 3), (1, 2), (2, 1)] {
            let failed = Event::Failed(events::Failure::default());
            runs.enter([0, 0, 0, listing], attempt, (attempt == 1).then_some(&failed), &Filter::default());
        }
        let newest: Vec<_> = runs.newest_of_each().map(|(scope, run)| (scope[3], run.failed)).collect();
        assert_eq!(newest, [(1, false), (2, false)]);
        assert_eq!(runs.newest([0, 0, 0, 2]).map(|(attempt, _)| attempt), Some(3));
        assert_eq!(runs.iter().count(), 4);
    }

    proptest! {
        #[test]
        fn batches_are_a_set(indexes in proptest::collection::vec(0..20_u32, 0..40), at in 0..25_u32) {
            let (mut batches, mut set) = (Batches::default(), BTreeSet::new());
            for index in indexes {
                prop_assert_eq!(batches.insert(index), set.insert(index));
            }
            prop_assert_eq!(batches.below(at) as usize, set.range(..at).count());
        }
    }
}
