//! The invariants. `Ghost` holds the history that they compare with; no role can see it.

use crate::{
    graph::{Edge, EdgeId, Node},
    real::Known,
    shape::{Listing, Place, Shape, SyncNo, Tag, Thing},
    survey,
    world::{Body, Named, Phase, RunNo, World, id, name},
};
use graph_writer::scopes::Progress;
use std::collections::{BTreeMap, BTreeSet};

/// Rows of a listing, or of a part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Rows {
    /// Nodes and their AWS states.
    pub(crate) things: BTreeMap<Thing, u8>,
    /// Edges.
    pub(crate) links: BTreeSet<usize>,
}

impl Rows {
    /// Union of both.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.things.extend(other.things);
        self.links.extend(other.links);
        self
    }
}

/// History for the checks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Ghost {
    /// Places that have seen a node of the graph, with the time of the last sighting, from applied rows.
    pub(crate) sighted: BTreeMap<Thing, BTreeMap<Place, Tag>>,
    /// Scopes that have brought rows or finished.
    pub(crate) brought: BTreeSet<(Place, Listing)>,
    /// By scope: rows applied in its newest run.
    pub(crate) applied: BTreeMap<(Place, Listing), (RunNo, Rows)>,
    /// By scope: rows that the collector of its newest run had read at `finished`.
    pub(crate) read: BTreeMap<(Place, Listing), (RunNo, Rows)>,
    /// By scope: its newest complete run, and the nodes that it saw.
    pub(crate) proofs: BTreeMap<(Place, Listing), (Tag, BTreeSet<Thing>)>,
    /// Sync that created a present node.
    pub(crate) born: BTreeMap<Thing, SyncNo>,
    /// Published message ids; recorded only where they may collide.
    pub(crate) published: BTreeSet<u64>,
    /// Rows that a sync removed because their listing first appeared after its decision.
    pub(crate) excused: BTreeSet<((Place, Listing), Thing)>,
    /// State at the time when a sync's end decided on its cleanup.
    pub(crate) decided: BTreeMap<SyncNo, Decided>,
}

/// State at the time when a sync's end decided on its cleanup.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Decided {
    /// Complete scopes of the sync.
    complete: BTreeSet<(Place, Listing)>,
    /// Scopes that had brought rows.
    brought: BTreeSet<(Place, Listing)>,
    /// Scopes that collectors finished, that are not complete, and that the sync did not name.
    unnamed: BTreeSet<(Place, Listing)>,
}

/// A sync's tag must be larger than every tag in the graph, unless another sync is writing at the moment.
pub(crate) fn tag_is_new(world: &mut World, shape: &Shape, sync: SyncNo, tag: Tag) {
    let answered = world.syncs[sync].asked.is_some_and(|(graph, _)| graph == world.graph.newest());
    if answered && tag <= world.graph.newest() {
        world.breaks("a sync begins with a tag that the graph has already");
    }
    let same = world.syncs.iter().find(|other| {
        other.phase >= Phase::Running
            && other.tag == tag
            && other.bus == world.syncs[sync].bus
            && shape.rules.tag_after_newest
    });
    if same.is_some() {
        world.breaks("two syncs of one bus have the same tag");
    }
}

/// Tags written by a transaction never decrease.
pub(crate) fn written(world: &mut World, nodes: &BTreeMap<Thing, Node>, edges: &BTreeMap<EdgeId, Edge>) {
    let lower = |old: &BTreeMap<Place, Tag>, new: &BTreeMap<Place, Tag>| {
        old.iter().any(|(place, tag)| new.get(place).is_none_or(|new| new < tag))
    };
    for (thing, node) in nodes {
        let old = world.graph.nodes.get(thing);
        if old.is_some_and(|old| node.tag < old.tag || lower(&old.seen, &node.seen)) {
            world.breaks(format!("a tag of node {thing} goes down"));
        }
    }
    for (ends, edge) in edges {
        let old = world.graph.edges.get(ends);
        if old.is_some_and(|old| edge.tag < old.tag || lower(&old.seen, &edge.seen)) {
            world.breaks(format!("a tag of edge {ends:?} goes down"));
        }
    }
}

/// Records the effects of a transaction: states of scopes, its messages, and those whose rows were written.
pub(crate) fn applied(
    world: &mut World,
    states: &BTreeMap<(Place, Listing), Known>,
    messages: &[u64],
    written: impl Iterator<Item = u64>,
) {
    for (scope, state) in states {
        for memory in [&mut world.ghost.applied, &mut world.ghost.read] {
            if memory.get(scope).is_none_or(|(run, _)| *run != state.run()) {
                memory.remove(scope);
            }
        }
        if !world.ghost.applied.contains_key(scope) {
            world.ghost.excused.retain(|(excused, _)| excused != scope);
        }
        world.ghost.applied.entry(*scope).or_insert_with(|| (state.run(), Rows::default()));
    }
    for sequence in written {
        let Some(message) = world.stream.get(&sequence) else { continue };
        let Body::Batch { things, links, .. } = &message.body else { continue };
        let (scope, tag) = (message.scope(), message.run.tag);
        world.ghost.brought.insert(scope);
        if let Some((_, rows)) = world.ghost.applied.get_mut(&scope) {
            rows.things.extend(things.iter().copied());
            rows.links.extend(links.iter().copied());
        }
        for (thing, _) in things {
            let seen = world.ghost.sighted.entry(*thing).or_default().entry(scope.0).or_default();
            *seen = tag.max(*seen);
        }
    }
    for sequence in messages {
        let Some(message) = world.stream.get(sequence) else { continue };
        let Body::Finished { read, .. } = &message.body else { continue };
        if states.get(&message.scope()).is_some_and(|state| state.run() == message.run) {
            world.ghost.brought.insert(message.scope());
            world.ghost.read.insert(message.scope(), (message.run, read.clone()));
        }
    }
    for (scope, state) in states.iter().filter(|(_, state)| state.progress() == Progress::Complete) {
        let rows = world.ghost.applied.get(scope).map(|(_, rows)| rows.clone()).unwrap_or_default();
        if world.ghost.read.get(scope).is_some_and(|(_, read)| *read != rows) {
            world.breaks(format!("{} counts as complete and is not what its collector read", name(*scope)));
        }
        world.ghost.proofs.insert(*scope, (state.run().tag, rows.things.keys().copied().collect()));
    }
}

/// The rows of each scope's newest run are in the graph.
pub(crate) fn graph(world: &mut World) {
    let mut missing = None;
    for ((place, listing), (run, rows)) in &world.ghost.applied {
        for thing in rows.things.keys() {
            if world.ghost.excused.contains(&((*place, *listing), *thing)) {
                continue;
            }
            let seen = world.graph.nodes.get(thing).and_then(|node| node.seen.get(place));
            if seen.is_none_or(|seen| *seen < run.tag) {
                missing = Some(format!(
                    "node {thing} is not in the graph as {} saw it at {}",
                    name((*place, *listing)),
                    run.tag
                ));
            }
        }
    }
    if let Some(missing) = missing {
        world.breaks(missing);
    }
}

/// A place may be forgotten only on proof; a node may be removed only with its last place.
pub(crate) fn forgotten(
    world: &mut World,
    shape: &Shape,
    sync: SyncNo,
    thing: Thing,
    places: impl Iterator<Item = Place>,
) {
    for place in places {
        prove(world, shape, sync, thing, place);
        let brought = world.ghost.decided.get(&sync).map(|decided| decided.brought.clone()).unwrap_or_default();
        let late = world.ghost.brought.iter().filter(|scope| scope.0 == place && !brought.contains(scope));
        let late: Vec<_> = late.map(|scope| (*scope, thing)).collect();
        world.ghost.excused.extend(late);
        if let Some(sighted) = world.ghost.sighted.get_mut(&thing) {
            sighted.remove(&place);
        }
    }
}

/// A node is removed: no place that saw it may be left.
pub(crate) fn removed(world: &mut World, thing: Thing) {
    let left: Vec<_> = world.ghost.sighted.remove(&thing).into_iter().flatten().map(|(place, _)| place).collect();
    if let Some(place) = left.first() {
        world.breaks(format!("node {thing} is removed though place {place} saw it"));
    }
    world.ghost.born.remove(&thing);
}

/// Every listing that brought the node's label to the place was complete, without the node, in a run newer than the
/// last sighting.
fn prove(world: &mut World, shape: &Shape, sync: SyncNo, thing: Thing, place: Place) {
    let last = world.ghost.sighted.get(&thing).and_then(|seen| seen.get(&place)).copied().unwrap_or_default();
    let label = shape.things[thing].label;
    // A listing that first appears after the decision cannot be waited for.
    let brought = world.ghost.decided.get(&sync).into_iter().flat_map(|decided| &decided.brought);
    let listings = brought.filter(|(at, listing)| *at == place && shape.feeds(*listing, label));
    let unproven = listings
        .filter(|scope| world.ghost.proofs.get(scope).is_none_or(|(tag, saw)| *tag <= last || saw.contains(&thing)))
        .map(|scope| name(*scope))
        .next();
    if let Some(scope) = unproven {
        world.breaks(format!("node {thing} is forgotten in place {place} without proof of {scope}"));
    }
}

/// A sync's end has decided what it cleans up and names. `reported`: the scopes that collectors finished.
pub(crate) fn decided(
    world: &mut World,
    sync: SyncNo,
    reported: impl Iterator<Item = (Place, Listing)>,
    named: &Named,
) {
    let of_sync = world.graph.scopes.iter().filter(|(_, known)| known.run().sync == sync);
    let complete: BTreeSet<_> =
        of_sync.filter(|(_, known)| known.progress() == Progress::Complete).map(|(scope, _)| *scope).collect();
    let is_named = |scope: &(Place, Listing)| named.contains_key(&(scope.0, Some(scope.1)));
    let unnamed = reported.filter(|scope| !complete.contains(scope) && !is_named(scope)).collect();
    let brought = world.ghost.brought.clone();
    world.ghost.decided.insert(sync, Decided { complete, brought, unnamed });
}

/// Only a lost batch may count as gone.
pub(crate) fn gone(world: &mut World, sequence: u64) {
    if world.stream.contains_key(&sequence) {
        world.breaks("a batch that the stream has is called gone");
    }
}

/// A scheduler's report to its user is true: a complete sync has left the graph of an undisturbed one, apart from later
/// changes of newer syncs.
pub(crate) fn outcome(world: &mut World, shape: &Shape, first: SyncNo) {
    let complete = world.syncs[first].outcome.as_ref().is_some_and(survey::is_complete);
    if !complete {
        return;
    }
    let family: Vec<SyncNo> =
        (0..world.syncs.len()).filter(|sync| *sync == first || world.syncs[*sync].repeats == Some(first)).collect();
    let family = Family { world, shape, syncs: family };
    let places = world.syncs[first].places.clone();
    let wrong = places.iter().find_map(|place| family.wrong(first, *place));
    if let Some(wrong) = wrong {
        world.breaks(format!("{} is complete, but {wrong}", id(first)));
    }
}

/// A sync and its repeats.
struct Family<'a> {
    world: &'a World,
    shape: &'a Shape,
    syncs: Vec<SyncNo>,
}

impl Family<'_> {
    /// Describes an error in a place that the sync claims to have seen.
    fn wrong(&self, first: SyncNo, place: Place) -> Option<String> {
        let last = self.syncs.iter().filter(|sync| self.world.syncs[**sync].reports.contains_key(&place)).max()?;
        let listings: Vec<_> = self.world.syncs[*last].reports.get(&place)?.listings.keys().copied().collect();
        let unnamed = self.world.ghost.decided.get(last).into_iter().flat_map(|decided| &decided.unnamed);
        if let Some(scope) = unnamed.filter(|(at, _)| *at == place).min() {
            return Some(format!("{} was not written when cleanup was decided", name(*scope)));
        }
        let is_complete = |listing: &Listing| {
            let known = self.world.graph.scopes.get(&(place, *listing));
            known.is_some_and(|known| self.is_own(known) && known.progress() == Progress::Complete)
        };
        if !listings.iter().all(is_complete) {
            return None; // A newer run has taken it over since.
        }
        self.stale_node(first, *last, place)
            .or_else(|| self.stale_edge(first, *last, place))
            .or_else(|| self.missing_edge(place))
    }

    fn is_own(&self, known: &Known) -> bool {
        self.syncs.contains(&known.run().sync)
    }

    /// Whether all listings that ever brought such rows to the place were complete in one sync. A collector of an older
    /// version, also in a repeat, may know fewer.
    fn could_tell(&self, last: SyncNo, place: Place, feeds: impl Fn(Listing) -> bool) -> bool {
        let Some(decided) = self.world.ghost.decided.get(&last) else { return false };
        let mut brought = self.world.ghost.brought.iter().filter(|(at, listing)| *at == place && feeds(*listing));
        brought.all(|scope| decided.complete.contains(scope))
    }

    /// Rows that the place brought in this sync.
    fn rows(&self, place: Place) -> impl Iterator<Item = &Rows> {
        let applied = self.world.ghost.applied.iter().filter(move |((at, _), _)| *at == place);
        applied.filter(|(_, (run, _))| self.syncs.contains(&run.sync)).map(|(_, (_, rows))| rows)
    }

    /// Whether the tag is newer than those of the family.
    fn is_others(&self, tag: Tag) -> bool {
        let newest = self.syncs.iter().map(|sync| self.world.syncs[*sync].tag).max().unwrap_or_default();
        tag > newest
    }

    fn stale_node(&self, first: SyncNo, last: SyncNo, place: Place) -> Option<String> {
        for (thing, node) in &self.world.graph.nodes {
            let Some(seen) = node.seen.get(&place) else { continue };
            let label = self.shape.things[*thing].label;
            let newer_edge = self.world.graph.edges_of(*thing).any(|(_, edge)| self.is_others(edge.tag));
            // Nodes seen by an attempt of this same sync may stay: they existed while it ran.
            let tag = self.world.syncs[first].tag;
            if *seen < tag && !newer_edge && self.could_tell(last, place, |it| self.shape.feeds(it, label)) {
                return Some(format!(
                    "node {thing} is still there, seen at {seen} by place {place}; the sync's tag is {tag}"
                ));
            }
        }
        None
    }

    fn stale_edge(&self, first: SyncNo, last: SyncNo, place: Place) -> Option<String> {
        let tag = self.world.syncs[first].tag;
        for (ends, edge) in &self.world.graph.edges {
            let labels = crate::graph::Graph::ends(self.shape, *ends);
            let stale = edge.seen.get(&place).is_some_and(|seen| *seen < tag);
            if stale && self.could_tell(last, place, |it| self.shape.links(it, labels)) {
                return Some(format!("edge {ends:?} is still there"));
            }
        }
        None
    }

    fn missing_edge(&self, place: Place) -> Option<String> {
        let newer = |thing: &Thing| {
            let born = self.world.ghost.born.get(thing);
            born.is_none_or(|sync| self.is_others(self.world.syncs[*sync].tag))
        };
        for rows in self.rows(place) {
            for number in rows.links.iter().filter(|link| !self.is_held(place, **link)) {
                let link = &self.shape.links[*number];
                for to in self.shape.targets(link) {
                    let ends = [link.from, to];
                    let there = ends.iter().all(|thing| self.world.graph.nodes.contains_key(thing));
                    if there && !ends.iter().any(newer) && !self.world.graph.edges.contains_key(&(link.from, to)) {
                        return Some(format!("edge {:?} is missing", (link.from, to)));
                    }
                }
            }
        }
        None
    }

    /// Whether a link waits for an end that arrived after this sync's end.
    fn is_held(&self, place: Place, link: usize) -> bool {
        let scopes = self.world.graph.scopes.iter().filter(|((at, _), _)| *at == place);
        let mut held = scopes.flat_map(|(_, known)| known.held().collect::<Vec<_>>());
        held.any(|sequence| {
            let message = self.world.stream.get(&sequence);
            message.is_some_and(|it| matches!(&it.body, Body::Batch { links, .. } if links.contains(&link)))
        })
    }
}
