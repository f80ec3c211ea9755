//! Lanes: a transaction of a few messages, row by row. Neo4j's isolation is read committed: a statement reads committed
//! data, waits for a lock when it writes, and does not re-evaluate its condition afterwards.

use crate::{
    check,
    graph::{Edge, EdgeId, Lock, Node, Owner, Value},
    real::Known,
    shape::{Listing, Place, Shape, SyncNo, Tag, Target, Thing},
    world::{Body, Message, Read, Row, Transaction, World},
};
use std::collections::BTreeMap;

/// Whether a lane may begin a transaction with these messages.
pub(crate) fn may_pick(world: &World, lane: usize, messages: &[u64]) -> bool {
    let locks =
        messages.iter().filter_map(|sequence| world.stream.get(sequence)).map(|it| Lock::Scope(it.place, it.listing));
    world.lanes[lane].is_none() && world.may_lock(Owner::Writer(lane), locks)
}

/// Begins a transaction: locks the scopes, advances their states, and plans the rows of the batches that count.
pub(crate) fn pick(world: &mut World, lane: usize, messages: Vec<u64>) {
    let mut states = BTreeMap::<(Place, Listing), Known>::new();
    let mut wanted = Vec::new();
    for sequence in &messages {
        let Some(message) = world.stream.get(sequence) else { continue };
        let known = states.get(&message.scope()).or_else(|| world.graph.scopes.get(&message.scope())).cloned();
        let (state, apply) = known.unwrap_or_else(Known::nothing).step(message);
        states.insert(message.scope(), state);
        wanted.extend(apply.then_some(*sequence));
    }
    wanted.retain(|sequence| {
        let message = &world.stream[sequence];
        states.get(&message.scope()).is_some_and(|state| state.run() == message.run)
    });
    let rows = rows(world, &wanted);
    let missing = wanted.iter().map(|sequence| (*sequence, 0)).collect();
    let locks: Vec<_> = states.keys().map(|(place, listing)| Lock::Scope(*place, *listing)).collect();
    world.lock(Owner::Writer(lane), locks);
    world.lanes[lane] = Some(Transaction {
        messages,
        states,
        rows,
        read: None,
        nodes: BTreeMap::new(),
        edges: BTreeMap::new(),
        missing,
    });
}

/// Nodes before edges, each in a fixed order.
fn rows(world: &World, wanted: &[u64]) -> Vec<Row> {
    let (mut nodes, mut edges) = (Vec::new(), Vec::new());
    for message in wanted {
        if let Body::Batch { things, links, .. } = &world.stream[message].body {
            nodes.extend(things.iter().map(|(thing, state)| Row::Node {
                message: *message,
                thing: *thing,
                state: *state,
            }));
            edges.extend(links.iter().map(|link| Row::Link { message: *message, link: *link }));
        }
    }
    nodes.sort_by_key(|row| match row {
        Row::Node { thing, .. } | Row::Link { link: thing, .. } => *thing,
    });
    nodes.into_iter().chain(edges).collect()
}

/// A row's values and their origin.
struct Said<'a> {
    message: &'a Message,
    tag: Tag,
}

/// Whether the transaction can continue without waiting for a lock.
pub(crate) fn may_step(world: &World, shape: &Shape, lane: usize) -> bool {
    let Some(transaction) = &world.lanes[lane] else { return false };
    match transaction.rows.first() {
        Some(Row::Node { thing, .. }) => {
            let only_reads = !shape.rules.lock_first && transaction.read.is_none();
            let own = transaction.nodes.contains_key(thing);
            only_reads || own || world.may_lock(Owner::Writer(lane), [Lock::Node(*thing)])
        }
        Some(Row::Link { link, .. }) => {
            world.may_lock(Owner::Writer(lane), link_locks(world, shape, transaction, *link))
        }
        None => true,
    }
}

/// Writes the next row; commits with the last one. `acknowledged`: the messages are not redelivered.
pub(crate) fn step(world: &mut World, shape: &Shape, lane: usize, acknowledged: bool) {
    let Some(mut transaction) = world.lanes[lane].take() else { return };
    match transaction.rows.first().copied() {
        Some(Row::Node { message, thing, state }) => {
            let message = world.stream.get(&message).cloned();
            if let Some(message) = message
                && write_node(world, shape, lane, &mut transaction, &message, (thing, state))
            {
                transaction.rows.remove(0);
            }
        }
        Some(Row::Link { message, link }) => {
            write_link(world, shape, lane, &mut transaction, message, link);
            transaction.rows.remove(0);
        }
        None => {}
    }
    if transaction.rows.is_empty() {
        commit(world, lane, transaction, acknowledged);
    } else {
        world.lanes[lane] = Some(transaction);
    }
}

/// Rolls back; the messages are redelivered.
pub(crate) fn abort(world: &mut World, lane: usize) {
    world.lanes[lane] = None;
    world.unlock(Owner::Writer(lane));
}

/// Returns whether the row is written. If not, only its read has been done.
fn write_node(
    world: &mut World,
    shape: &Shape,
    lane: usize,
    transaction: &mut Transaction,
    message: &Message,
    (thing, state): (Thing, u8),
) -> bool {
    let said = Said { message, tag: message.run.tag };
    let current = transaction.nodes.get(&thing).or_else(|| world.graph.nodes.get(&thing)).cloned();
    let view = shape.things[thing].local.then_some(message.place);
    let value = Value { state, view, from: (said.tag, message.place) };
    if !shape.rules.lock_first && transaction.read.is_none() {
        // An unchanged node of this place alone that already has the tag is not locked.
        let done = current.as_ref().is_some_and(|node| is_same(node, &said, value) && node.tag == said.tag);
        if !done {
            transaction.read = Some(Read(current));
        }
        return done;
    }
    let read = transaction.read.take().and_then(|Read(node)| node);
    world.lock(Owner::Writer(lane), [Lock::Node(thing)]);
    let mut node = current.unwrap_or_default();
    if read.is_some_and(|read| is_same(&read, &said, value) && read.tag < said.tag) {
        // The condition was evaluated before the lock; the assignment is done after it.
        node.tag = said.tag;
        if node.seen.len() < 2 && node.seen.contains_key(&message.place) {
            node.seen.insert(message.place, said.tag);
            transaction.nodes.insert(thing, node);
            return true;
        }
    }
    transaction.nodes.insert(thing, merged(shape, node, &said, value));
    true
}

/// Whether its only place gives unchanged values.
fn is_same(node: &Node, said: &Said<'_>, value: Value) -> bool {
    let place = said.message.place;
    let known = node.values.get(&said.message.listing);
    node.seen.keys().eq([&place]) && known.is_some_and(|known| (known.state, known.view) == (value.state, value.view))
}

/// The node merged with this row. An older row changes no property.
fn merged(shape: &Shape, mut node: Node, said: &Said<'_>, value: Value) -> Node {
    let (place, listing) = said.message.scope();
    let seen = node.seen.entry(place).or_default();
    *seen = said.tag.max(*seen);
    let current = node.tag <= said.tag;
    node.tag = said.tag.max(node.tag);
    let speaks = if shape.rules.one_speaks {
        // The newest sync wins, then the smallest place, in any order of arrival.
        node.values
            .get(&listing)
            .is_none_or(|known| known.from.0 < said.tag || known.from.0 == said.tag && place <= known.from.1)
    } else {
        current
    };
    if speaks {
        node.values.insert(listing, value);
    }
    node
}

/// Current edges of a link; empty while an end is missing.
fn edges(world: &World, shape: &Shape, transaction: &Transaction, link: usize) -> Vec<EdgeId> {
    let there = |thing: &Thing| transaction.nodes.contains_key(thing) || world.graph.nodes.contains_key(thing);
    let it = &shape.links[link];
    if !there(&it.from) {
        return Vec::new();
    }
    shape.targets(it).into_iter().filter(there).map(|to| (it.from, to)).collect()
}

/// Locks the edge, and both ends of a new one.
fn link_locks(world: &World, shape: &Shape, transaction: &Transaction, link: usize) -> Vec<Lock> {
    let mut locks = Vec::new();
    for edge in edges(world, shape, transaction, link) {
        locks.push(Lock::Edge(edge));
        if !world.graph.edges.contains_key(&edge) {
            locks.extend([Lock::Node(edge.0), Lock::Node(edge.1)]);
        }
    }
    locks
}

fn write_link(world: &mut World, shape: &Shape, lane: usize, transaction: &mut Transaction, message: u64, link: usize) {
    let (place, tag) = match world.stream.get(&message) {
        Some(it) => (it.place, it.run.tag),
        None => return,
    };
    let edges = edges(world, shape, transaction, link);
    let locks = link_locks(world, shape, transaction, link);
    world.lock(Owner::Writer(lane), locks);
    let twins = shape.rules.twins && matches!(shape.links[link].to, Target::Key(_));
    if edges.is_empty() || twins {
        *transaction.missing.entry(message).or_default() += 1;
    }
    for id in edges {
        let edge = transaction.edges.get(&id).or_else(|| world.graph.edges.get(&id)).cloned();
        transaction.edges.insert(id, drawn(edge.unwrap_or_default(), place, tag));
    }
}

/// The edge as this place sees it.
fn drawn(mut edge: Edge, place: Place, tag: Tag) -> Edge {
    let seen = edge.seen.entry(place).or_default();
    *seen = tag.max(*seen);
    edge.tag = tag.max(edge.tag);
    edge
}

fn commit(world: &mut World, lane: usize, transaction: Transaction, acknowledged: bool) {
    let Transaction { messages, mut states, nodes, edges, missing, .. } = transaction;
    check::written(world, &nodes, &edges);
    for (sequence, rows) in &missing {
        let Some(message) = world.stream.get(sequence) else { continue };
        if let (Body::Batch { index, .. }, Some(state)) = (&message.body, states.get_mut(&message.scope())) {
            *state = state.hold(*index, *sequence, *rows);
        }
    }
    check::applied(world, &states, &messages, missing.keys().copied());
    for (scope, version) in messages.iter().filter_map(|sequence| feeder(world, *sequence)).collect::<Vec<_>>() {
        let known = world.graph.fed.entry(scope).or_default();
        *known = version.or(*known);
    }
    let fresh = nodes.iter().filter(|(thing, _)| !world.graph.nodes.contains_key(thing)).map(|(thing, _)| *thing);
    let sync = messages.iter().filter_map(|sequence| world.stream.get(sequence)).map(|message| message.sync).next();
    let born: Vec<_> = fresh.filter_map(|thing| Some((thing, sync?))).collect();
    world.ghost.born.extend(born);
    world.graph.nodes.extend(nodes);
    world.graph.edges.extend(edges);
    world.graph.scopes.extend(states);
    world.unlock(Owner::Writer(lane));
    if acknowledged {
        for sequence in messages {
            acknowledge(world, sequence);
        }
    }
    check::graph(world);
}

/// The scope that the message proves to bring rows, with the version of the collector if it finished.
fn feeder(world: &World, sequence: u64) -> Option<((Place, Listing), Option<usize>)> {
    let message = world.stream.get(&sequence)?;
    match message.body {
        Body::Batch { .. } => Some((message.scope(), None)),
        Body::Finished { version, .. } => Some((message.scope(), Some(version))),
        _ => None,
    }
}

/// A message with edges stays readable; the model drops all others.
fn acknowledge(world: &mut World, sequence: u64) {
    let Some(message) = world.stream.get_mut(&sequence) else { return };
    message.waiting = false;
    if !matches!(&message.body, Body::Batch { links, .. } if !links.is_empty()) {
        world.stream.remove(&sequence);
    }
}

/// Retries held edges of a scope in one transaction, unless a newer run has begun. A lagging replica may report a batch
/// as missing.
pub(crate) fn redraw(world: &mut World, shape: &Shape, scope: (Place, Listing), of: SyncNo, lags: bool) {
    let Some(mut known) = world.graph.scopes.get(&scope).cloned() else { return };
    if known.run().sync != of {
        return;
    }
    let nothing = Transaction {
        messages: Vec::new(),
        states: BTreeMap::new(),
        rows: Vec::new(),
        read: None,
        nodes: BTreeMap::new(),
        edges: BTreeMap::new(),
        missing: BTreeMap::new(),
    };
    let mut drawn_edges = BTreeMap::new();
    for sequence in known.held().collect::<Vec<_>>() {
        let message = world.stream.get(&sequence).filter(|_| !lags).cloned();
        let Some(Message { run, body: Body::Batch { index, links, .. }, .. }) = message else {
            known = known.lose();
            check::gone(world, sequence);
            continue;
        };
        let mut rows = 0;
        for link in links {
            let edges = edges(world, shape, &nothing, link);
            rows += u64::from(edges.is_empty());
            for id in edges {
                let edge = drawn_edges.get(&id).or_else(|| world.graph.edges.get(&id)).cloned();
                drawn_edges.insert(id, drawn(edge.unwrap_or_default(), scope.0, run.tag));
            }
        }
        known = known.retried(index, rows);
    }
    check::written(world, &BTreeMap::new(), &drawn_edges);
    world.graph.edges.extend(drawn_edges);
    world.graph.scopes.insert(scope, known);
}

/// Locks needed for the retry.
pub(crate) fn redraw_locks(world: &World, shape: &Shape, scope: (Place, Listing)) -> Vec<Lock> {
    let mut locks = vec![Lock::Scope(scope.0, scope.1)];
    let held = world.graph.scopes.get(&scope).into_iter().flat_map(|known| known.held().collect::<Vec<_>>());
    for sequence in held {
        if let Some(Message { body: Body::Batch { links, .. }, .. }) = world.stream.get(&sequence) {
            for link in links.iter().map(|link| &shape.links[*link]) {
                for to in shape.targets(link) {
                    locks.extend([Lock::Edge((link.from, to)), Lock::Node(link.from), Lock::Node(to)]);
                }
            }
        }
    }
    locks
}
