//! Each defect found, as a test with the old rule and the new one.

use crate::{
    explore::{Explorations, explore},
    shape::{Budget, Feeds, LinkShape, Rules, Shape, SyncShape, Target, ThingShape, Unwritten},
};

fn holds(shape: &Shape) -> Explorations {
    let seen = explore(shape);
    eprintln!("{} states, {} ends", seen.states, seen.ends);
    if let Some(broken) = &seen.broken {
        panic!("{broken}");
    }
    seen
}

/// Checks that the old rules break an invariant with this message, and that the present rules do not.
fn was(shape: &Shape, before: Rules, why: &str) {
    let seen = explore(&Shape { rules: before, ..shape.clone() });
    let broken = seen.broken.unwrap_or_default();
    eprintln!("as it was: {} states: {}", seen.states, broken.lines().next().unwrap_or_default());
    assert!(broken.contains(why), "{broken}");
    holds(shape);
}

#[test]
fn one_sync_holds() {
    holds(&Shape::small(vec![ThingShape::of(0, &[(0, 0), (0, 1)])], 1));
}

fn seen_twice() -> Vec<ThingShape> {
    vec![ThingShape::of(0, &[(0, 0), (0, 1)])]
}

#[test]
fn an_older_sync_does_not_take_a_tag_back() {
    let shape = Shape { overlap: true, writers: 2, before: 1, ..Shape::small(seen_twice(), 2) };
    was(&shape, Rules { lock_first: false, ..Rules::NOW }, "goes down");
}

#[test]
fn a_clock_that_was_ahead_does_not_silence_later_syncs() {
    let shape = Shape {
        clocks: vec![2, 9],
        budget: Budget { changes: 1, ..Budget::default() },
        ..Shape::small(seen_twice(), 2)
    };
    let before = Rules { tag_after_newest: false, unwritten: Unwritten::Missing, ..Rules::NOW };
    was(&shape, before, "a tag that the graph has already");
}

#[test]
fn what_a_newer_sync_holds_is_named() {
    let shape = Shape {
        overlap: true,
        before: 1,
        syncs: vec![SyncShape::of(&[0], 0), SyncShape::of(&[0], 1)],
        budget: Budget { changes: 1, schedulers: 1, ..Budget::default() },
        ..Shape::small(vec![ThingShape::of(0, &[(0, 0)])], 2)
    };
    was(&shape, Rules { unwritten: Unwritten::Missing, ..Rules::NOW }, "is complete, but");
    was(&shape, Rules { unwritten: Unwritten::Superseded, ..Rules::NOW }, "is complete, but");
}

#[test]
fn a_label_is_not_cleaned_by_a_collector_that_knows_fewer_listings() {
    let things = vec![ThingShape::of(0, &[(0, 0)]), ThingShape::of(0, &[(0, 1)])];
    let shape = Shape { versions: vec![vec![0], vec![0, 1]], before: 1, ..Shape::small(things, 2) };
    was(&shape, Rules { feeds: Feeds::OfSync, ..Rules::NOW }, "without proof");
    let shape = Shape { budget: Budget { deaths: 1, ..Budget::default() }, ..shape };
    was(&shape, Rules { feeds: Feeds::OfScopes, ..Rules::NOW }, "without proof");
    // Rows of a listing that has never finished.
    let shape = Shape { before: 0, ..shape };
    was(&shape, Rules { feeds: Feeds::Finished, ..Rules::NOW }, "without proof");
}

#[test]
fn two_runs_of_an_item_are_not_taken_for_one() {
    let things = vec![ThingShape::of(0, &[(0, 0)]), ThingShape::of(0, &[(0, 0)]).absent()];
    let budget = Budget { deaths: 1, resets: 1, changes: 2, ..Budget::default() };
    let shape = Shape { budget, ..Shape::small(things, 1) };
    was(&shape, Rules { unique_attempts: false, ..Rules::NOW }, "is not what its collector read");
}

#[test]
fn a_replica_that_lags_is_not_believed() {
    let things = vec![ThingShape::of(0, &[(0, 0)]), ThingShape::of(1, &[(0, 1)]).absent()];
    let links = vec![LinkShape { from: 0, to: Target::Id(1), by: (0, 0) }];
    let shape = Shape { links, budget: Budget { lags: 1, ..Budget::default() }, ..Shape::small(things, 1) };
    was(&shape, Rules { leader_only: false, ..Rules::NOW }, "that the stream has is called gone");
}

#[test]
fn an_older_sync_does_not_take_edges_of_a_newer_one() {
    let things = vec![ThingShape::of(0, &[(0, 0)]), ThingShape::of(1, &[(0, 1)])];
    let links = vec![LinkShape { from: 0, to: Target::Id(1), by: (0, 0) }];
    let budget = Budget { changes: 2, ..Budget::default() };
    let shape = Shape { links, budget, overlap: true, before: 1, ..Shape::small(things, 2) };
    was(&shape, Rules { newer_edge_keeps: false, ..Rules::NOW }, "is missing");
}

#[test]
fn twins_that_come_later_get_their_edges() {
    let things = vec![
        ThingShape::of(0, &[(0, 0)]),
        ThingShape::of(1, &[(0, 1)]).with_key(1),
        ThingShape::of(1, &[(0, 1)]).with_key(1),
    ];
    let links = vec![LinkShape { from: 0, to: Target::Key(1), by: (0, 0) }];
    let shape = Shape { links, ..Shape::small(things, 1) };
    was(&shape, Rules { twins: false, ..Rules::NOW }, "is missing");
}

#[test]
fn what_was_locked_is_looked_at_again() {
    let shape = Shape {
        overlap: true,
        before: 1,
        budget: Budget { changes: 2, ..Budget::default() },
        ..Shape::small(vec![ThingShape::of(0, &[(0, 0)])], 2)
    };
    was(&shape, Rules { look_again: false, ..Rules::NOW }, "");
}

#[test]
fn a_scope_that_ended_otherwise_than_reported_is_named() {
    let budget = Budget { stalls: 1, resets: 1, failures: 1, ..Budget::default() };
    let shape = Shape { budget, ..Shape::small(vec![ThingShape::of(0, &[(0, 0)])], 1) };
    was(&shape, Rules { unwritten: Unwritten::Superseded, ..Rules::NOW }, "is complete, but");
}

#[test]
fn two_schedulers_of_a_bus_never_take_the_same_tag() {
    let shape = Shape { race: true, overlap: true, ..Shape::small(vec![ThingShape::of(0, &[(0, 0)])], 2) };
    was(&shape, Rules { tag_reserved: false, ..Rules::NOW }, "the same tag");
}

#[test]
fn several_places_make_one_node_in_any_order() {
    let shape = Shape {
        writers: 2,
        budget: Budget { repeats: 1, ..Budget::default() },
        ..Shape::small(vec![ThingShape::of(0, &[(0, 0), (1, 0)]).local()], 1)
    };
    let before = explore(&Shape { rules: Rules { one_speaks: false, ..Rules::NOW }, ..shape.clone() });
    assert_eq!((before.broken, before.ends), (None, 3), "the empty graph, and one for each order");
    assert_eq!(holds(&shape).ends, 2, "the empty graph, and one other");
}

#[test]
fn a_node_leaves_with_the_last_place_that_sees_it() {
    let shape = Shape {
        before: 1,
        overlap: true,
        writers: 2,
        syncs: vec![SyncShape::of(&[0], 0), SyncShape::of(&[1], 0)],
        budget: Budget { changes: 1, ..Budget::default() },
        ..Shape::small(vec![ThingShape::of(0, &[(0, 0), (1, 0)])], 2)
    };
    holds(&shape);
}

#[test]
fn what_is_lost_is_collected_again_or_named() {
    let things = vec![ThingShape::of(0, &[(0, 0)]), ThingShape::of(1, &[(0, 1)])];
    let links = vec![LinkShape { from: 0, to: Target::Id(1), by: (0, 0) }];
    let budget = Budget { losses: 1, changes: 1, closers: 1, ..Budget::default() };
    holds(&Shape { links, budget, before: 1, repeats: 1, ..Shape::small(things, 1) });
}
