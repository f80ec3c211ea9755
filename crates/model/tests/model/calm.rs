//! One more sync of everything without disturbances. Whatever happened before, it makes the graph equal to AWS.

use crate::{
    actions::{self, Action},
    shape::{Budget, Shape, SyncNo, Tag, Thing},
    world::{Phase, SyncRun, World},
};
use std::collections::{BTreeMap, BTreeSet};

/// Limit of steps: far more than such a sync needs.
const STEPS: usize = 10_000;

/// The world after such a sync.
pub(crate) fn sync(world: &World, shape: &Shape) -> World {
    let mut world = world.clone();
    // The slowest clock, on a bus that knows no other sync.
    let clock = shape.clocks.iter().copied().min().unwrap_or(1);
    let shape = calm(shape, clock);
    world.left = Budget::default();
    for idle in world.syncs.iter_mut().filter(|sync| sync.phase < Phase::Running) {
        idle.phase = Phase::Dead;
    }
    let places = (0..shape.places).collect();
    world.syncs.push(SyncRun { places, bus: usize::MAX, ..SyncRun::default() });
    for _ in 0..STEPS {
        let mut next = Vec::new();
        actions::actions(&world, &shape, &mut next);
        let Some(action) = next.iter().find(|action| !matches!(action, Action::Abort(_))) else { break };
        world = actions::next(&world, &shape, action);
    }
    world
}

/// A shape without disturbances, and with the newest collectors only.
fn calm(shape: &Shape, clock: Tag) -> Shape {
    Shape {
        budget: Budget::default(),
        clocks: vec![clock],
        versions: shape.versions.last().cloned().into_iter().collect(),
        overlap: true,
        repeats: 0,
        ..shape.clone()
    }
}

/// Describes an error in the graph after such a sync.
pub(crate) fn wrong(before: &World, shape: &Shape) -> Option<String> {
    let world = sync(before, shape);
    let sync = before.syncs.len();
    if let Some(broken) = &world.broken {
        return Some(format!("in one more sync {broken}"));
    }
    if world.syncs[sync].phase != Phase::Finished {
        return Some(format!("one more sync does not end: {:?}", world.syncs[sync]));
    }
    if world.syncs[sync].outcome.as_ref().is_none_or(|named| !named.is_empty()) {
        return Some(format!("one more sync is not complete: {:?}", world.syncs[sync].outcome));
    }
    differs(&world, &calm(shape, 0), sync)
}

/// First difference between the graph and AWS.
fn differs(world: &World, shape: &Shape, sync: SyncNo) -> Option<String> {
    let tag = world.syncs[sync].tag;
    let listings = &shape.versions[0];
    let seen_by = |thing: Thing| {
        let by = shape.things[thing].seen_by.iter().filter(|(_, listing)| listings.contains(listing));
        by.map(|(place, _)| *place).collect::<BTreeSet<_>>()
    };
    let exists = |thing: &Thing| world.aws[*thing] > 0 && !seen_by(*thing).is_empty();
    let wanted: BTreeMap<Thing, BTreeSet<_>> =
        (0..shape.things.len()).filter(exists).map(|thing| (thing, seen_by(thing))).collect();
    let found = world.graph.nodes.iter().map(|(thing, node)| (*thing, node.seen.keys().copied().collect()));
    let found: BTreeMap<Thing, BTreeSet<_>> = found.collect();
    if wanted != found {
        return Some(format!("after one more sync the graph has {found:?} and AWS {wanted:?}"));
    }
    for (thing, node) in &world.graph.nodes {
        if node.tag != tag || node.seen.values().any(|seen| *seen != tag) {
            return Some(format!("after one more sync of {tag} node {thing} is {node:?}"));
        }
        for (_, listing) in shape.things[*thing].seen_by.iter().filter(|(_, listing)| listings.contains(listing)) {
            if node.values.get(listing).is_none_or(|value| value.state != world.aws[*thing]) {
                return Some(format!("after one more sync properties of node {thing} are {:?}", node.values));
            }
        }
    }
    let links = shape.links.iter().filter(|link| exists(&link.from) && listings.contains(&link.by.1));
    let wanted: BTreeSet<_> =
        links.flat_map(|link| shape.targets(link).into_iter().filter(exists).map(|to| (link.from, to))).collect();
    let found: BTreeSet<_> = world.graph.edges.keys().copied().collect();
    (wanted != found).then(|| format!("after one more sync the graph has edges {found:?} and AWS {wanted:?}"))
}
