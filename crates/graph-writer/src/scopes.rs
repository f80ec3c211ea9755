//! State of a scope in the graph, as a pure state machine. Whatever the order or repetition of a scope's events, the
//! same state results, and a missing batch never makes it complete.
//!
//! Only the newest run counts. A run is one attempt of one sync: an event of a newer run starts over; an event of an
//! older run is ignored, and so are its rows. Within a run, the state is two sets that only grow (batches applied,
//! edges held) and at most one ending, which commute. This gives the invariant without any order on the bus.
//!
//! [`crate::scope_store`] keeps the state in the graph and changes it in the transaction that writes the rows. So
//! SIGKILL anywhere, followed by redelivery, gives the same graph: a batch with committed rows is known to be applied.

use crate::{
    feeds::Feeds,
    flaws::Flaws,
    missing::{HeldBatch, Missing},
    run::Run,
    short::Shortened,
};
use events::{Failure, Scope, ScopeName, asset_event::Event};
use std::collections::{BTreeMap, BTreeSet};

/// State of a scope.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScopeState {
    /// The newest run.
    pub run: Run,
    /// Oldest update tag ever seen. If it is the run's, nothing in the graph can be older.
    pub since: i64,
    /// Batches of the run whose rows are in the graph.
    pub applied: BTreeSet<u32>,
    /// Edge rows in these batches.
    pub edge_rows: u64,
    /// Batches with edges that lack an end.
    pub held: BTreeMap<HeldBatch, Missing>,
    /// The run read every page.
    pub finish: Option<Finish>,
    /// Feeds that the listing last reported, perhaps in an older run: a listing that fails, or no longer runs, has
    /// still fed them.
    pub feeds: Option<Fed>,
    /// Feeds of later runs that have not finished: their rows stay until a run finishes.
    pub brought: Feeds,
    /// The run failed.
    pub failure: Option<Failure>,
    /// A batch with held edges is gone from the stream.
    pub lost: bool,
    /// Rows that Neo4j cannot store, left out of applied batches.
    pub rejected: Rejected,
    /// Ids stored in a short form, by label.
    pub shortened: BTreeMap<String, Shortened>,
}

/// Number and example of rows left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rejected {
    /// Number of rows.
    pub rows: u64,
    /// A sentence about one of them: the alphabetically first, so that the order of events does not matter.
    pub example: Option<String>,
}

impl Rejected {
    /// Adds rows.
    pub fn add(&mut self, rows: u64, example: String) {
        self.rows += rows;
        self.example = Some(self.example.take().map_or(example.clone(), |known| known.min(example)));
    }
}

/// Totals that a run reports after reading every page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Finish {
    /// Batches 0 to this, exclusively, are the whole listing.
    pub batches: u32,
    /// Node rows in them.
    pub assets: u64,
}

/// A set of feeds and the run that reported it. Sorted by age; the newest is the greatest.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fed {
    /// The run.
    pub run: Run,
    /// [`Feeds::id`].
    pub id: String,
}

/// Consequence of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A batch that has not been applied: write its rows.
    Apply,
    /// The state records the whole event.
    Noted,
    /// From an older run, or a repeat: nothing to do.
    Ignored,
}

/// Progress of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Events are still to come.
    Collecting,
    /// Every batch is in the graph.
    Complete,
    /// The listing failed.
    Failed,
    /// A batch is gone.
    Lost,
    /// Every batch is in the graph, without rows that Neo4j cannot store. Labels and edges that the listing feeds are
    /// not cleaned up. Collecting the scope again would change nothing.
    Partial,
}

impl ScopeState {
    /// Applies one event to the state.
    #[must_use]
    pub fn step(mut self, run: &Run, event: &Event) -> (Self, Verdict) {
        let first = self.run == Run::default();
        self.since = if first { run.tag } else { self.since.min(run.tag) };
        if let Event::Finished(finished) = event {
            let fed = Fed { run: run.clone(), id: Feeds::of(finished).id() };
            self.feeds = self.feeds.max(Some(fed));
        }
        if *run < self.run {
            return (self, Verdict::Ignored);
        }
        if *run > self.run {
            let Self { since, feeds, brought, .. } = self;
            self = Self { run: run.clone(), since, feeds, brought, ..Self::default() };
        }
        let verdict = self.enter(event);
        (self, verdict)
    }

    fn enter(&mut self, event: &Event) -> Verdict {
        match event {
            Event::Started(_) => Verdict::Noted,
            Event::Batch(batch) if self.applied.insert(batch.index) => {
                self.edge_rows += batch.edges.iter().map(|table| table.rows.len() as u64).sum::<u64>();
                if self.finish.is_none() {
                    self.brought.add(batch);
                }
                Verdict::Apply
            }
            Event::Batch(_) => Verdict::Ignored,
            Event::Finished(finished) => {
                self.finish = Some(Finish { batches: finished.batches, assets: finished.assets });
                self.brought = Feeds::default();
                Verdict::Noted
            }
            Event::Failed(failure) => {
                self.failure = Some(failure.clone());
                Verdict::Noted
            }
        }
    }

    /// Records the edges of a new batch that lack an end or may gain further targets, if there are any.
    pub fn hold(&mut self, batch: u32, sequence: u64, missing: Missing) {
        if !missing.labels.is_empty() {
            self.held.insert(HeldBatch::Index(batch), Missing { sequence, ..missing });
        }
    }

    /// Records the edges of a held batch that lack an end after a retry. Without any, releases the batch. Keeps the
    /// edges that Neo4j rejected earlier, and the sequence, which may be newer than the retried one.
    pub fn retried(&mut self, name: HeldBatch, mut missing: Missing) {
        if let Some(known) = self.held.remove(&name)
            && !missing.labels.is_empty()
        {
            missing.refused.extend(known.refused);
            self.held.insert(name, Missing { sequence: known.sequence, ..missing });
        }
    }

    /// Returns the name under which a fetched batch is held. `None`: it is not.
    pub(crate) fn held_as(&self, batch: u32, sequence: u64) -> Option<HeldBatch> {
        let names = [HeldBatch::Index(batch), HeldBatch::Sequence(sequence)];
        names.into_iter().find(|name| self.held.contains_key(name))
    }

    /// Records that a batch of the run, applied before, has come again with this sequence: a recording that is played
    /// again has a separate stream.
    pub fn repeated(&mut self, batch: u32, sequence: u64) {
        if let Some(missing) = self.held.get_mut(&HeldBatch::Index(batch)) {
            missing.sequence = sequence;
        }
    }

    /// Returns the run's progress. A failure outweighs a finish: the cautious reading of a contradiction.
    pub fn progress(&self) -> Progress {
        match &self.finish {
            _ if self.lost => Progress::Lost,
            _ if self.failure.is_some() => Progress::Failed,
            Some(finish) if self.applied_of(finish.batches) < finish.batches => Progress::Collecting,
            Some(_) if self.rejected.rows > 0 => Progress::Partial,
            Some(_) => Progress::Complete,
            None => Progress::Collecting,
        }
    }

    /// Whether no earlier sync has surveyed the scope.
    pub fn is_first(&self) -> bool {
        self.since >= self.run.tag
    }

    /// Whether every batch has been applied, with or without rejected rows.
    pub fn is_applied(&self) -> bool {
        matches!(self.progress(), Progress::Complete | Progress::Partial)
    }

    /// Counts the rows left out of a batch and the shortened ids.
    pub fn note(&mut self, flaws: &Flaws) {
        flaws.refused.iter().for_each(|refused| self.rejected.add(1, refused.reason.clone()));
        for (label, shortened) in &flaws.shortened {
            self.shortened.entry(label.clone()).or_default().add(shortened);
        }
    }

    /// Returns the number of applied batches among the first `batches`.
    pub fn applied_of(&self, batches: u32) -> u32 {
        u32::try_from(self.applied.range(..batches).count()).unwrap_or(u32::MAX)
    }

    /// Returns the number of edge rows that lack an end.
    pub fn missing_rows(&self) -> u64 {
        self.held.values().map(|missing| missing.rows).sum()
    }
}

/// Returns the scope's `id` in the graph.
pub fn id(scope: &Scope) -> String {
    ScopeName(scope).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{AssetBatch, FailureClass, ScopeFinished, ScopeStarted};
    use proptest::prelude::*;

    fn run(tag: i64, attempt: u32) -> Run {
        Run { tag, sync: format!("s{tag}"), attempt }
    }

    fn batch(index: u32) -> Event {
        Event::Batch(AssetBatch { index, ..AssetBatch::default() })
    }

    fn finished(batches: u32) -> Event {
        Event::Finished(ScopeFinished { batches, ..ScopeFinished::default() })
    }

    type Events = Vec<(Run, Event)>;

    /// Returns a run's events: started, its batches, its end.
    fn story(run: &Run, batches: u32, fails: bool) -> Events {
        let end = if fails { Event::Failed(Failure::new(FailureClass::Timeout, "slow")) } else { finished(batches) };
        let started = std::iter::once(Event::Started(ScopeStarted {}));
        started.chain((0..batches).map(batch)).chain([end]).map(|event| (run.clone(), event)).collect()
    }

    fn fold(events: &[(Run, Event)]) -> ScopeState {
        events.iter().fold(ScopeState::default(), |state, (run, event)| state.step(run, event).0)
    }

    #[test]
    fn finished_before_its_batches_is_complete_only_with_the_last() {
        let events = [(run(5, 1), finished(2)), (run(5, 1), batch(1))];
        assert_eq!(fold(&events).progress(), Progress::Collecting);
        assert_eq!(fold(&[&events[..], &[(run(5, 1), batch(0))]].concat()).progress(), Progress::Complete);
    }

    #[test]
    fn a_batch_that_comes_twice_is_applied_once() {
        let (state, first) = ScopeState::default().step(&run(5, 1), &batch(0));
        assert_eq!((first, state.clone().step(&run(5, 1), &batch(0)).1), (Verdict::Apply, Verdict::Ignored));
    }

    #[test]
    fn batches_of_two_attempts_are_not_added_up() {
        let events = [(run(5, 1), batch(0)), (run(5, 2), batch(1)), (run(5, 2), finished(2)), (run(5, 1), batch(0))];
        assert_eq!(fold(&events).progress(), Progress::Collecting);
    }

    #[test]
    fn the_feeds_of_an_older_run_are_kept_until_a_newer_one_says_its_own() {
        let feeding = |label: &str| {
            let nodes = vec![events::NodeFeed { label: label.into(), listings: vec!["ec2/A".into()] }];
            ScopeFinished { nodes, ..ScopeFinished::default() }
        };
        let end = |label: &str| Event::Finished(feeding(label));
        let failed = (run(9, 1), Event::Failed(Failure::new(FailureClass::Timeout, "slow")));
        let old = (run(5, 1), end("Old"));
        let fed = |events: &[(Run, Event)]| fold(events).feeds.map(|fed| (fed.run.tag, fed.id));
        assert_eq!(fed(&[old.clone(), failed.clone()]), Some((5, Feeds::of(&feeding("Old")).id())));
        assert_eq!(fed(&[old.clone(), failed.clone()]), fed(&[failed, old.clone()]));
        assert_eq!(fed(&[(run(9, 1), end("New")), old]), Some((9, Feeds::of(&feeding("New")).id())));
    }

    #[test]
    fn what_a_run_has_brought_is_known_until_one_finishes() {
        let table = events::NodeTable { label: "A".into(), ..events::NodeTable::default() };
        let rows = |index| Event::Batch(AssetBatch { index, nodes: vec![table.clone()], ..AssetBatch::default() });
        let brought = |events: &[(Run, Event)]| {
            let labels: Vec<String> = fold(events).brought.nodes().map(|feed| feed.label).collect();
            labels.join(" ")
        };
        let died = [(run(5, 1), rows(0))];
        assert_eq!(brought(&died), "A");
        assert_eq!(brought(&[&died[..], &[(run(6, 1), batch(0))]].concat()), "A");
        assert_eq!(brought(&[&died[..], &[(run(6, 1), batch(0)), (run(6, 1), finished(1))]].concat()), "");
        assert_eq!(brought(&[(run(5, 1), finished(1)), (run(5, 1), rows(0))]), "", "it is in its feeds");
    }

    #[test]
    fn an_empty_listing_is_complete_at_once_and_remembers_its_first_tag() {
        let state = fold(&[(run(5, 1), finished(0)), (run(9, 1), finished(0))]);
        assert_eq!((state.progress(), state.since, state.run.tag), (Progress::Complete, 5, 9));
    }

    #[test]
    fn a_scope_without_some_of_its_rows_is_partial_until_a_newer_run() {
        let mut state = fold(&[(run(5, 1), batch(0))]);
        state.rejected.add(2, "b".into());
        state.rejected.add(1, "a".into());
        let state = state.step(&run(5, 1), &finished(1)).0;
        assert_eq!((state.progress(), state.is_applied()), (Progress::Partial, true));
        assert_eq!(state.rejected, Rejected { rows: 3, example: Some("a".into()) });
        let next = state.step(&run(6, 1), &batch(0)).0.step(&run(6, 1), &finished(1)).0;
        assert_eq!(next.progress(), Progress::Complete);
    }

    fn missing(sequence: u64, refused: &[u64]) -> Missing {
        let labels = ["A".to_owned()].into();
        Missing { sequence, rows: 1, labels, refused: refused.iter().copied().collect() }
    }

    #[test]
    fn a_held_batch_remembers_its_rejected_rows_until_it_is_released() {
        let (mut state, name) = (ScopeState::default(), HeldBatch::Index(0));
        state.hold(0, 3, missing(3, &[7]));
        state.retried(name, missing(3, &[8]));
        assert_eq!(state.held[&name], missing(3, &[7, 8]));
        state.retried(name, Missing::default());
        state.retried(name, missing(3, &[]));
        assert!(state.held.is_empty());
    }

    #[test]
    fn a_held_batch_that_comes_again_is_fetched_from_its_new_place() {
        let mut state = ScopeState::default();
        state.hold(0, 3, missing(3, &[]));
        // Of an earlier version.
        state.held.insert(HeldBatch::Sequence(4), missing(4, &[9]));
        state.repeated(0, 53);
        state.repeated(1, 54);
        state.retried(HeldBatch::Index(0), missing(3, &[]));
        state.retried(HeldBatch::Sequence(4), missing(4, &[]));
        state.hold(2, 4, Missing::default());
        let old = (HeldBatch::Sequence(4), missing(4, &[9]));
        assert_eq!(state.held, [(HeldBatch::Index(0), missing(53, &[])), old].into());
    }

    #[test]
    fn batches_that_come_again_with_each_other_s_sequences_stay_held() {
        let mut state = ScopeState::default();
        (0..20).for_each(|batch| state.hold(batch, u64::from(batch) + 1, missing(0, &[])));
        (0..20).for_each(|batch| state.repeated(batch, u64::from(batch) + 11));
        state.hold(20, 11, missing(0, &[]));
        let sequences: Vec<u64> = state.held.values().map(|missing| missing.sequence).collect();
        assert_eq!(sequences, (11..31).chain([11]).collect::<Vec<_>>());
    }

    fn stories() -> impl Strategy<Value = Events> {
        let one = (1..4i64, 1..3u32, 0..5u32, any::<bool>());
        let story = one.prop_map(|(tag, attempt, batches, fails)| ((tag, attempt), (batches, fails)));
        // One story for each run: a collector never publishes two for the same.
        proptest::collection::vec(story, 1..5).prop_map(|stories| {
            let by_run: BTreeMap<(i64, u32), (u32, bool)> = stories.into_iter().collect();
            by_run.into_iter().flat_map(|((tag, n), (batches, fails))| story_of(tag, n, batches, fails)).collect()
        })
    }

    fn story_of(tag: i64, attempt: u32, batches: u32, fails: bool) -> Events {
        story(&run(tag, attempt), batches, fails)
    }

    fn disturbed() -> impl Strategy<Value = (Events, Events)> {
        stories().prop_flat_map(|events| {
            let repeats = proptest::sample::subsequence(events.clone(), 0..=events.len());
            let shuffled = repeats.prop_flat_map({
                let events = events.clone();
                move |repeats| Just([events.clone(), repeats].concat()).prop_shuffle()
            });
            (Just(events), shuffled)
        })
    }

    proptest! {
        #[test]
        fn order_and_repeats_change_nothing((ordered, disturbed) in disturbed()) {
            prop_assert_eq!(fold(&ordered), fold(&disturbed));
        }

        #[test]
        fn without_one_batch_it_is_never_complete(
            batches in 1..6u32, lost in any::<prop::sample::Index>(), seed in any::<prop::sample::Index>(),
        ) {
            let mut events = story(&run(7, 1), batches, false);
            events.remove(1 + lost.index(batches as usize));
            let turn = seed.index(events.len());
            events.rotate_left(turn);
            prop_assert_eq!(fold(&events).progress(), Progress::Collecting);
        }

        #[test]
        fn each_batch_of_the_newest_run_is_applied_exactly_once((ordered, disturbed) in disturbed()) {
            let newest = fold(&ordered).run;
            let mut state = ScopeState::default();
            let mut applied = Vec::new();
            for (run, event) in &disturbed {
                let (next, verdict) = state.step(run, event);
                state = next;
                if let (Event::Batch(batch), Verdict::Apply, true) = (event, verdict, *run == newest) {
                    applied.push(batch.index);
                }
            }
            applied.sort_unstable();
            prop_assert_eq!(applied, state.applied.into_iter().collect::<Vec<_>>());
        }
    }
}
