//! Removes assets that finished scopes no longer contain, and nothing else.
//!
//! Cleanup runs once, at the end of a sync, after the creation of its held edges. A cleanup of each scope would remove
//! edges that still wait for their target. It would also need one statement for each place; at the end, one statement
//! removes a label's nodes in all places.
//!
//! A label is cleaned in a place (account, region and service) only if every listing that feeds it there is complete in
//! this sync. Nodes seen only by this place are removed if it did not see them in this sync; `unseen` handles nodes
//! seen by several places. Nodes without a place (shared ones, and those that Cartography wrote) are never removed. A
//! place surveyed for the first time has no old nodes, so a first sync skips it.
//!
//! A search reads each element of the places once, and returns the ids of the old ones. They are removed in pieces, by
//! id: a search for each piece would read the same elements again. Neo4j reuses the ids of removed elements, so each
//! piece first locks its elements (see [`crate::ownership`]) and then repeats all conditions of the search in a second
//! statement: a concurrent sync may have seen the element, and Neo4j does not re-evaluate a filter after waiting for a
//! lock.

mod old_kinds;
mod sweep;

use crate::{
    due::{self, Due, Group, Ready},
    elements::Element,
    ownership::Kind,
    removed::count_removed,
    shed::{self, Search},
    sightings, unseen,
};
use events::SyncId;
use graph::{GraphError, GraphStore, Portion, Transaction};
pub(crate) use old_kinds::texts;
use std::collections::BTreeMap;
use sweep::{Part, Sweep};

/// Nodes or edges removed in one transaction.
static CHUNK: Portion = Portion::new(10_000);
/// Ids that a search returns. An id takes 16 bytes, and five times as much while the answer is read.
static FOUND: Portion = Portion::new(100_000);
/// Places that a statement searches: Neo4j reads all elements of a kind in them before it returns the first.
static SEARCHED: Portion = Portion::new(due::GROUP);
/// Concurrent transactions. They wait for connections, not for each other.
const AT_ONCE: usize = 4;

/// Removes everything due. Adds the counts to `(:GromaSync)` in the same transactions.
///
/// # Errors
/// The graph is unavailable. Earlier removals stay, and are counted.
pub async fn clean(store: &GraphStore, sync: &SyncId, due: &Due) -> Result<(), GraphError> {
    sightings::upgrade(store).await?;
    for group in due.groups() {
        clean_edges(store, sync, &group).await?;
    }
    // Edges come first: `DETACH DELETE` of a node does not count the node's edges.
    for group in due.groups() {
        clean_nodes(store, sync, &group).await?;
    }
    Ok(())
}

async fn clean_edges(store: &GraphStore, sync: &SyncId, due: &Group) -> Result<(), GraphError> {
    sweep_all(store, sync, EDGES, edge_sweeps(due)).await?;
    let kinds = due.edges.iter().map(|((kind, ends), ready)| (Kind::edge(kind, ends), ready));
    unseen::clean(store, sync, EDGES, &places(kinds), edges_after(sync, due)).await
}

async fn clean_nodes(store: &GraphStore, sync: &SyncId, due: &Group) -> Result<(), GraphError> {
    sweep_all(store, sync, NODES, node_sweeps(due, edges_after(sync, due))).await?;
    let kinds = due.nodes.iter().map(|(label, ready)| (Kind::label(label), ready));
    unseen::clean(store, sync, NODES, &places(kinds), edges_after(sync, due)).await
}

/// Counters on `(:GromaSync)`.
const EDGES: &str = "edges_removed";
const NODES: &str = "nodes_removed";

/// Returns, for each kind, the places in which [`unseen`] may clean it. Omits kinds that no earlier sync saw in these
/// places.
fn places<'a>(kinds: impl Iterator<Item = (Kind, &'a Ready)>) -> unseen::Places<'a> {
    let old = kinds.filter(|(_, ready)| !ready.seen_before.is_empty());
    old.map(|(kind, ready)| (kind, ready.places.iter().map(String::as_str).collect())).collect()
}

/// Sweeps all edges of a type together, whatever labels they lead to: one statement to plan and to wait for instead of
/// many.
fn edge_sweeps(due: &Group) -> Vec<Sweep<'_>> {
    let mut types = BTreeMap::<&str, Vec<Part<'_>>>::new();
    for ((kind, ends), ready) in &due.edges {
        types.entry(kind).or_default().push(Part { kind: ends, ready });
    }
    types.into_iter().map(|(kind, parts)| Sweep::edges(kind, parts)).collect()
}

/// Returns the tag above which edges keep their nodes.
fn edges_after(sync: &SyncId, due: &Group) -> i64 {
    if due.with_newer_edges { i64::MAX } else { sync.update_tag }
}

fn node_sweeps(due: &Group, edges_after: i64) -> Vec<Sweep<'_>> {
    let parts = due.nodes.iter().map(|(label, ready)| Part { kind: label, ready });
    parts.map(|part| Sweep::nodes(part.kind, vec![part], edges_after)).collect()
}

/// Distributes the sweeps among transactions, and adds the number of removals to `counter`. Awaits every transaction
/// even if another fails: a dropped one would stay open.
async fn sweep_all(
    store: &GraphStore,
    sync: &SyncId,
    counter: &str,
    mut sweeps: Vec<Sweep<'_>>,
) -> Result<(), GraphError> {
    sweeps.retain(|sweep| sweep.seen_before().next().is_some());
    old_kinds::retain(store, sync, &mut sweeps).await?;
    let share = sweeps.len().div_ceil(AT_ONCE).max(1);
    let mut outcome = Ok(());
    for result in futures::future::join_all(sweeps.chunks(share).map(|share| sweep(store, sync, counter, share))).await
    {
        outcome = outcome.and(result);
    }
    outcome
}

/// Searches and removes until the last sweep finds no more.
async fn sweep(store: &GraphStore, sync: &SyncId, counter: &str, mut sweeps: &[Sweep<'_>]) -> Result<(), GraphError> {
    let mut after = BEFORE_ALL;
    while !sweeps.is_empty() {
        let found = search(store, sync, sweeps, after).await?;
        remove(store, sync, counter, sweeps, &found.elements).await?;
        (sweeps, after) = (&sweeps[found.done..], found.elements.last().map_or(BEFORE_ALL, |(_, id)| *id));
    }
    Ok(())
}

/// Less than every id.
const BEFORE_ALL: Element = -1;

/// Old elements, not locked: all of the completed sweeps, and some of the next one.
#[derive(Default)]
struct Found {
    done: usize,
    /// Sweep and id, sorted by id within each sweep.
    elements: Vec<(usize, Element)>,
}

/// Finds old elements of several sweeps; of the first sweep, only those with an id greater than `after`. A search that
/// takes too long reads fewer places in each statement; one that needs too much memory returns fewer elements.
async fn search(store: &GraphStore, sync: &SyncId, sweeps: &[Sweep<'_>], after: Element) -> Result<Found, GraphError> {
    let mut backoff = store.backoff();
    loop {
        let size = Size { found: FOUND.size(), places: SEARCHED.size() };
        let error = match attempt_search(store, sync, sweeps, after, size).await {
            Ok(found) => {
                FOUND.passed(size.found);
                SEARCHED.passed(size.places);
                return Ok(found);
            }
            Err(error) => error,
        };
        if graph::is_too_large(&error) && !graph::is_out_of_memory(&error) {
            backoff.shrink(error, &SEARCHED, size.places).await?;
        } else {
            backoff.shrink(error, &FOUND, size.found).await?;
        }
    }
}

/// Size of a search.
#[derive(Clone, Copy)]
struct Size {
    /// Limit of the elements that it returns.
    found: usize,
    /// Limit of the places that one statement reads.
    places: usize,
}

async fn attempt_search(
    store: &GraphStore,
    sync: &SyncId,
    sweeps: &[Sweep<'_>],
    after: Element,
    size: Size,
) -> Result<Found, neo4rs::Error> {
    let mut transaction = store.begin().await?;
    let found = enter_search(&mut transaction, sync, sweeps, after, size).await;
    transaction.end(found).await
}

async fn enter_search(
    transaction: &mut Transaction,
    sync: &SyncId,
    sweeps: &[Sweep<'_>],
    mut after: Element,
    size: Size,
) -> Result<Found, neo4rs::Error> {
    let mut found = Found::default();
    for (position, sweep) in sweeps.iter().enumerate() {
        let room = size.found - found.elements.len();
        let ids = sweep.old(transaction, sync, after, Size { found: room, ..size }).await?;
        let is_full = ids.len() >= room;
        found.elements.extend(ids.into_iter().map(|id| (position, id)));
        if is_full {
            break;
        }
        (found.done, after) = (position + 1, BEFORE_ALL);
    }
    Ok(found)
}

/// Removes found elements, as many in one transaction as Neo4j accepts.
async fn remove(
    store: &GraphStore,
    sync: &SyncId,
    counter: &str,
    sweeps: &[Sweep<'_>],
    mut elements: &[(usize, Element)],
) -> Result<(), GraphError> {
    let mut backoff = store.backoff();
    while !elements.is_empty() {
        let (now, later) = elements.split_at(CHUNK.size().min(elements.len()));
        match attempt(store, sync, counter, sweeps, now).await {
            Ok(()) => {
                CHUNK.passed(now.len());
                (elements, backoff) = (later, store.backoff());
            }
            Err(error) if graph::is_too_large(&error) && remove_edges_of(store, sync, sweeps, now).await? => {}
            Err(error) => backoff.shrink(error, &CHUNK, now.len()).await?,
        }
    }
    Ok(())
}

/// Removes the edges of a node with more edges than one transaction can remove. Returns whether it removed any.
async fn remove_edges_of(
    store: &GraphStore,
    sync: &SyncId,
    sweeps: &[Sweep<'_>],
    elements: &[(usize, Element)],
) -> Result<bool, GraphError> {
    let [(position, id)] = elements else { return Ok(false) };
    let candidate = Candidate { sync, sweep: &sweeps[*position], id: *id };
    shed::shed(store, candidate.sweep.edges_after, &candidate).await
}

/// A node that may have vanished.
struct Candidate<'a> {
    sync: &'a SyncId,
    sweep: &'a Sweep<'a>,
    id: Element,
}

impl Search for Candidate<'_> {
    async fn vanished(&self, transaction: &mut Transaction) -> Result<Option<Element>, neo4rs::Error> {
        self.sweep.vanished(transaction, self.sync, self.id).await
    }
}

async fn attempt(
    store: &GraphStore,
    sync: &SyncId,
    counter: &str,
    sweeps: &[Sweep<'_>],
    elements: &[(usize, Element)],
) -> Result<(), neo4rs::Error> {
    let mut transaction = store.begin().await?;
    let removed = enter(&mut transaction, sync, counter, sweeps, elements).await;
    transaction.end(removed).await
}

async fn enter(
    transaction: &mut Transaction,
    sync: &SyncId,
    counter: &str,
    sweeps: &[Sweep<'_>],
    elements: &[(usize, Element)],
) -> Result<(), neo4rs::Error> {
    let mut removed = 0;
    for of_sweep in elements.chunk_by(|a, b| a.0 == b.0) {
        let ids: Vec<Element> = of_sweep.iter().map(|(_, id)| *id).collect();
        removed += sweeps[of_sweep[0].0].remove(transaction, sync, &ids).await?;
    }
    count_removed(transaction, sync, counter, removed).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::GraphConfig;
    use std::{collections::BTreeSet, sync::Arc};
    use testkit::Neo4j;

    const PLACES: [&str; 3] = ["1/r/s", "1/r/t", "1/r/u"];

    pub(super) async fn store(neo4j: &Neo4j) -> anyhow::Result<GraphStore> {
        let config = GraphConfig::new(neo4j.uri(), neo4j.user(), neo4j.password());
        let config = GraphConfig { connections: 2, ..config };
        Ok(GraphStore::connect(&config).await?)
    }

    pub(super) fn ready() -> Ready {
        let places = Arc::new(PLACES.map(str::to_owned).into_iter().collect::<BTreeSet<_>>());
        Ready { seen_before: places.clone(), places }
    }

    pub(super) fn sync() -> SyncId {
        SyncId { id: "s6".into(), update_tag: 6 }
    }

    fn sweeps(ready: &Ready) -> [Sweep<'_>; 3] {
        let nodes = |kind| Sweep::nodes(kind, vec![Part { kind, ready }], 6);
        [Sweep::edges("TO", vec![Part { kind: "A>A", ready }]), nodes("A"), nodes("B")]
    }

    /// Creates 25 old nodes of A, in three places, with 25 old edges between them, 7 of B, and a node and an edge that sync 6 has seen.
    async fn graph(neo4j: &Neo4j) -> anyhow::Result<()> {
        for text in [
            "CREATE INDEX FOR (n:A) ON (n._module_scope)",
            "CREATE INDEX FOR (n:B) ON (n._module_scope)",
            "CREATE INDEX FOR ()-[r:TO]-() ON (r._module_scope)",
            "UNWIND range(1, 25) AS n CREATE (:A {n: n, _module_label: 'A', lastupdated: 5, \
             _module_scope: CASE WHEN n < 10 THEN '1/r/s' WHEN n < 18 THEN '1/r/t' ELSE '1/r/u' END})",
            "UNWIND range(1, 7) AS n CREATE (:B {n: n, _module_scope: '1/r/s', _module_label: 'B', lastupdated: 5})",
            "MATCH (a:A), (b:A {n: a.n % 25 + 1}) \
             CREATE (a)-[:TO {_module_scope: '1/r/s', _module_ends: 'A>A', lastupdated: 5}]->(b), \
             (a)-[:OTHER {_module_scope: '1/r/s', _module_ends: 'A>A', lastupdated: 5}]->(b)",
            "CREATE (a:A {n: 0, _module_scope: '1/r/s', _module_label: 'A', lastupdated: 6}) \
             CREATE (a)-[:TO {_module_scope: '1/r/s', _module_ends: 'A>A', lastupdated: 6}]->(a)",
        ] {
            neo4j.rows(text).await?;
        }
        Ok(())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn searches_find_each_old_element_once() -> anyhow::Result<()> {
        let neo4j = Neo4j::shared().await?;
        graph(&neo4j).await?;
        let (store, ready, mut after) = (store(&neo4j).await?, ready(), BEFORE_ALL);
        let (sweeps, mut done, mut all) = (sweeps(&ready), 0, BTreeSet::new());
        let mut searches = 0;
        while done < sweeps.len() {
            let size = Size { found: 10, places: 2 };
            let found = attempt_search(&store, &sync(), &sweeps[done..], after, size).await?;
            assert!(found.elements.len() <= 10);
            all.extend(found.elements.iter().map(|(position, id)| (done + position, *id)));
            (done, after) = (done + found.done, found.elements.last().map_or(BEFORE_ALL, |(_, id)| *id));
            searches += 1;
        }
        let of = |sweep| all.iter().filter(|(position, _)| *position == sweep).count();
        assert_eq!((of(0), of(1), of(2), searches), (25, 25, 7, 6));
        Ok(())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_element_that_is_not_what_the_search_found_stays() -> anyhow::Result<()> {
        let neo4j = Neo4j::shared().await?;
        graph(&neo4j).await?;
        let (store, ready) = (store(&neo4j).await?, ready());
        let sweeps = sweeps(&ready);
        let found = search(&store, &sync(), &sweeps, BEFORE_ALL).await?;
        assert_eq!((found.done, found.elements.len()), (3, 57));
        // Seen meanwhile, claimed by another place, of another label or type: Neo4j reuses a removed element's id.
        for text in [
            "MATCH (n:A {n: 1}) SET n.lastupdated = 6",
            "MATCH (n:A {n: 2}) SET n._module_scope = '2/r/s'",
            "MATCH (n:A {n: 3}) SET n._module_label = 'C'",
            "MATCH (n:A {n: 4}) SET n._module_shared = true",
            "MATCH (:A {n: 1})-[r:TO]->() SET r.lastupdated = 6",
            "MATCH (:A {n: 2})-[r:TO]->() SET r._module_scope = '2/r/s'",
        ] {
            neo4j.rows(text).await?;
        }
        let others = neo4j.rows("MATCH ()-[r:OTHER]->() RETURN id(r) AS id").await?;
        let others = others.iter().filter_map(|row| row["id"].as_i64()).map(|id| (0, id));
        let elements: Vec<(usize, Element)> = others.chain(found.elements.iter().copied()).collect();
        let (edges, nodes) = elements.split_at(elements.len() - 32);
        remove(&store, &sync(), EDGES, &sweeps, edges).await?;
        let left = "MATCH ()-[r]->() RETURN type(r) AS type, count(*) AS count ORDER BY type";
        let left = neo4j.rows(left).await?;
        assert_eq!((&left[0]["count"], &left[1]["count"]), (&25.into(), &3.into()), "{left:?}");
        remove(&store, &sync(), NODES, &sweeps, nodes).await?;
        let left = neo4j.rows("MATCH (n:A) RETURN n.n AS n, n._module_scope AS scope ORDER BY n").await?;
        let left: Vec<String> = left.iter().map(|row| format!("{} {}", row["n"], row["scope"])).collect();
        assert_eq!(left, ["0 \"1/r/s\"", "1 \"1/r/s\"", "2 \"2/r/s\"", "3 \"1/r/s\"", "4 \"shared\""]);
        let counted = "MATCH (g:GromaSync {id: 's6'}) RETURN g.nodes_removed AS nodes, g.edges_removed AS edges";
        let counted = neo4j.rows(counted).await?;
        assert_eq!((&counted[0]["nodes"], &counted[0]["edges"]), (&28.into(), &23.into()));
        Ok(())
    }
}
