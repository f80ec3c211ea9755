//! A sync's end: waits for its scopes, retries held edges, removes everything due, and names the unwritten scopes.

use crate::{
    check,
    graph::{Edge, Graph, Lock, Owner},
    real::Known,
    shape::{Feeds, Listing, Place, Shape, SyncNo, Tag, Unwritten},
    survey,
    world::{Due, End, Named, Phase, Why, World},
    write,
};
use graph_writer::scopes::Progress;
use std::collections::{BTreeMap, BTreeSet};

/// Whether the sync's end can do its next step.
pub(crate) fn may_step(world: &World, shape: &Shape, sync: SyncNo) -> bool {
    let it = &world.syncs[sync];
    if it.phase != Phase::Collected {
        return false;
    }
    match &it.end {
        None => {
            is_quiet(world)
                || reported(world, sync).iter().all(|(scope, attempt)| is_settled(world, sync, *scope, *attempt))
        }
        Some(End::Redraw { scopes, .. }) => scopes
            .first()
            .is_none_or(|scope| world.may_lock(Owner::Closer(sync), write::redraw_locks(world, shape, *scope))),
        Some(End::Sweep { found: Some(found), .. }) => {
            let locks = found.iter().flat_map(|lock| removal_locks(world, *lock));
            world.may_lock(Owner::Closer(sync), locks)
        }
        Some(End::Sweep { found: None, .. }) => true,
        Some(End::Done { .. }) => false,
    }
}

/// Does the next step.
pub(crate) fn step(world: &mut World, shape: &Shape, sync: SyncNo, lags: bool) {
    let end = match world.syncs[sync].end.take() {
        None => settle(world, shape, sync),
        Some(End::Redraw { mut scopes, named }) if !scopes.is_empty() => {
            write::redraw(world, shape, scopes.remove(0), sync, lags);
            End::Redraw { scopes, named }
        }
        Some(End::Redraw { named, .. }) => {
            let end = decide(world, shape, sync, named);
            if let End::Sweep { named, .. } = &end {
                let reported = reported(world, sync).into_keys();
                check::decided(world, sync, reported, named);
            }
            if shape.fine { end } else { look(world, shape, sync, end) }
        }
        Some(End::Sweep { due, found: Some(found), named }) => {
            remove(world, shape, sync, &due, &found);
            End::Sweep { due: without_first(due), found: None, named }
        }
        Some(end @ End::Sweep { found: None, .. }) => look(world, shape, sync, end),
        done @ Some(End::Done { .. }) => return world.syncs[sync].end = done,
    };
    let done = matches!(end, End::Done { .. });
    world.syncs[sync].end = Some(end);
    if done {
        survey::finished(world, shape, sync);
    }
}

/// Searches for old elements. If there are none, the sync is done.
fn look(world: &World, shape: &Shape, sync: SyncNo, end: End) -> End {
    let End::Sweep { mut due, named, .. } = end else { return end };
    loop {
        let found = find(world, shape, sync, &due);
        if !found.is_empty() {
            return End::Sweep { due, found: Some(found), named };
        }
        if due == Due::default() {
            return End::Done { named };
        }
        due = without_first(due);
    }
}

/// Whether every message of the stream is applied.
fn is_quiet(world: &World) -> bool {
    world.stream.values().all(|message| !message.waiting)
}

/// Scopes that collectors finished, with the reporting attempt.
fn reported(world: &World, sync: SyncNo) -> BTreeMap<(Place, Listing), u32> {
    let mut reported = BTreeMap::new();
    for (place, report) in &world.syncs[sync].reports {
        let finished = report.listings.iter().filter(|(_, batches)| batches.is_some());
        reported.extend(finished.map(|(listing, _)| ((*place, *listing), report.attempt)));
    }
    reported
}

/// Whether the graph has the scope of this sync, or of a newer sync that took it over.
fn is_settled(world: &World, sync: SyncNo, scope: (Place, Listing), attempt: u32) -> bool {
    let Some(known) = world.graph.scopes.get(&scope) else { return false };
    let own = known.run().sync == sync && known.run().attempt >= attempt;
    is_newer(world, sync, scope) || own && known.progress() != Progress::Collecting
}

/// Whether a newer sync holds the scope.
fn is_newer(world: &World, sync: SyncNo, scope: (Place, Listing)) -> bool {
    let known = world.graph.scopes.get(&scope);
    known.is_some_and(|known| (known.run().tag, known.run().sync) > (world.syncs[sync].tag, sync))
}

fn settle(world: &World, shape: &Shape, sync: SyncNo) -> End {
    let mut named = Named::new();
    for (scope, attempt) in reported(world, sync) {
        let superseded = is_newer(world, sync, scope);
        if superseded && shape.rules.unwritten == Unwritten::Superseded {
            named.insert((scope.0, Some(scope.1)), Why::Superseded);
        } else if !is_settled(world, sync, scope, attempt) {
            named.insert((scope.0, Some(scope.1)), Why::Lost);
        }
    }
    let of_sync = world.graph.scopes.iter().filter(|(_, known)| known.run().sync == sync);
    let holding = of_sync.filter(|(_, known)| known.held().next().is_some()).map(|(scope, _)| *scope);
    End::Redraw { scopes: holding.collect(), named }
}

/// Reads the scopes once more and decides what is due and what is named.
fn decide(world: &World, shape: &Shape, sync: SyncNo, mut named: Named) -> End {
    let of_sync = |scope: &(Place, Listing)| {
        world.graph.scopes.get(scope).filter(|known| known.run().sync == sync).map(|known| known.progress())
    };
    for (scope, known) in &world.graph.scopes {
        if known.run().sync == sync && known.is_lost() {
            named.insert((scope.0, Some(scope.1)), Why::Lost);
        }
    }
    if shape.rules.unwritten == Unwritten::NotComplete {
        for scope in reported(world, sync).into_keys() {
            let why = if is_newer(world, sync, scope) { Why::Superseded } else { Why::Lost };
            if of_sync(&scope) != Some(Progress::Complete) {
                named.insert((scope.0, Some(scope.1)), why);
            }
        }
    }
    let due = due(world, shape, sync);
    End::Sweep { due, found: None, named }
}

/// Due kinds and places: every listing known to feed the kind there is complete in this sync.
fn due(world: &World, shape: &Shape, sync: SyncNo) -> Due {
    let labels: BTreeSet<_> = shape.things.iter().map(|thing| thing.label).collect();
    let ends: BTreeSet<_> = shape.links.iter().map(|link| shape.ends(link)).collect();
    let ready = |feeds: &dyn Fn(Listing) -> bool| -> BTreeSet<Place> {
        let places = world.syncs[sync].places.iter().copied();
        places.filter(|place| is_due(world, shape, sync, *place, feeds)).collect()
    };
    let mut due = Due::default();
    for label in labels {
        due.nodes.insert(label, ready(&|listing| shape.feeds(listing, label)));
    }
    for ends in ends {
        due.edges.insert(ends, ready(&|listing| shape.links(listing, ends)));
    }
    due
}

/// Whether a kind is due in a place and an earlier sync has seen it there.
fn is_due(world: &World, shape: &Shape, sync: SyncNo, place: Place, feeds: &dyn Fn(Listing) -> bool) -> bool {
    let is_complete = |scope: &(Place, Listing)| {
        let known = world.graph.scopes.get(scope);
        known.is_some_and(|known| known.run().sync == sync && known.progress() == Progress::Complete)
    };
    let here = world.graph.scopes.iter().filter(|((at, listing), _)| *at == place && feeds(*listing));
    let own: Vec<_> = here.clone().filter(|(scope, _)| is_complete(scope)).collect();
    let is_known = |scope: &(Place, Listing), known: &Known| match shape.rules.feeds {
        Feeds::OfSync => false,
        Feeds::OfScopes => known.has_finished(),
        Feeds::Finished => world.graph.fed.get(scope).is_some_and(|version| version.is_some()),
        Feeds::Remembered => world.graph.fed.contains_key(scope),
    };
    // Feeds reported in this sync, and feeds that the graph knows in addition.
    let said = own.iter().filter_map(|(scope, _)| world.graph.fed.get(scope).copied().flatten());
    let said = said.flat_map(|version| &shape.versions[version]).filter(|listing| feeds(**listing));
    let mut needed: BTreeSet<_> = said.map(|listing| (place, *listing)).collect();
    needed.extend(here.filter(|(scope, known)| is_known(scope, known)).map(|(scope, _)| *scope));
    let tag = world.syncs[sync].tag;
    needed.iter().all(is_complete) && own.iter().any(|(_, known)| known.since() < tag)
}

/// Edges before nodes.
fn without_first(mut due: Due) -> Due {
    if due.edges.pop_first().is_none() {
        due.nodes.pop_first();
    }
    due
}

/// Elements that a ready place has not seen in this sync.
fn find(world: &World, shape: &Shape, sync: SyncNo, due: &Due) -> Vec<Lock> {
    let tag = world.syncs[sync].tag;
    if let Some((ends, places)) = due.edges.first_key_value() {
        let of_kind = world.graph.edges.iter().filter(|(edge, _)| Graph::ends(shape, **edge) == *ends);
        return of_kind
            .filter(|(_, edge)| is_old(&edge.seen, places, tag))
            .map(|(edge, _)| Lock::Edge(*edge))
            .collect();
    }
    let Some((label, places)) = due.nodes.first_key_value() else { return Vec::new() };
    let of_label = world.graph.nodes.iter().filter(|(thing, _)| shape.things[**thing].label == *label);
    of_label.filter(|(_, node)| is_old(&node.seen, places, tag)).map(|(thing, _)| Lock::Node(*thing)).collect()
}

fn is_old(seen: &BTreeMap<Place, Tag>, places: &BTreeSet<Place>, tag: Tag) -> bool {
    seen.iter().any(|(place, seen)| places.contains(place) && *seen < tag)
}

/// Locks of a removal: the element itself, and edges with both ends.
fn removal_locks(world: &World, lock: Lock) -> Vec<Lock> {
    let edge = |edge: &(usize, usize)| [Lock::Edge(*edge), Lock::Node(edge.0), Lock::Node(edge.1)];
    match lock {
        Lock::Node(thing) => world.graph.edges_of(thing).flat_map(|(id, _)| edge(id)).chain([lock]).collect(),
        Lock::Edge(id) => edge(&id).to_vec(),
        Lock::Scope(..) => vec![lock],
    }
}

/// With the locks held: forgets the ready places that have not seen an element, and removes it if none is left.
fn remove(world: &mut World, shape: &Shape, sync: SyncNo, due: &Due, found: &[Lock]) {
    let tag = world.syncs[sync].tag;
    for lock in found {
        match lock {
            Lock::Edge(id) => {
                let Some(places) = due.edges.get(&Graph::ends(shape, *id)) else { continue };
                let Some(edge) = world.graph.edges.get_mut(id) else { continue };
                edge.seen.retain(|place, seen| !forgets(shape, *seen, tag, places.contains(place)));
                if edge.seen.is_empty() {
                    world.graph.edges.remove(id);
                }
            }
            Lock::Node(thing) => {
                let Some(places) = due.nodes.get(&shape.things[*thing].label) else { continue };
                let newer = |edge: &Edge| edge.tag > tag;
                let kept = shape.rules.newer_edge_keeps && world.graph.edges_of(*thing).any(|(_, edge)| newer(edge));
                let Some(node) = world.graph.nodes.get(thing).filter(|_| !kept) else { continue };
                let (gone, left): (BTreeMap<_, _>, BTreeMap<_, _>) = node
                    .seen
                    .clone()
                    .into_iter()
                    .partition(|(place, seen)| forgets(shape, *seen, tag, places.contains(place)));
                check::forgotten(world, shape, sync, *thing, gone.keys().copied());
                if left.is_empty() {
                    check::removed(world, *thing);
                    world.graph.nodes.remove(thing);
                    world.graph.edges.retain(|(from, to), _| from != thing && to != thing);
                } else if let Some(node) = world.graph.nodes.get_mut(thing) {
                    node.seen = left;
                }
            }
            Lock::Scope(..) => {}
        }
    }
    check::graph(world);
}

fn forgets(shape: &Shape, seen: Tag, tag: Tag, ready: bool) -> bool {
    ready && (seen < tag || !shape.rules.look_again)
}
