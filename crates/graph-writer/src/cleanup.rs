//! Removes assets that finished scopes no longer contain, and nothing else.
//!
//! Cleanup runs once, at the end of a sync, after its held edges were created. Running it for each scope would remove
//! edges that still wait for their target, and would need one statement for each place, whereas one statement at the
//! end removes a label's nodes in all places.
//!
//! A label is cleaned in a place (account, region and service) only if every listing that feeds it there is complete in
//! this sync. Nodes seen only by this place are removed if it did not see them in this sync; `unseen` handles nodes
//! seen by several places. Nodes without a place (shared ones, and those that Cartography wrote) are never removed. A
//! place surveyed for the first time has no old nodes, so a first sync skips it.
//!
//! Candidates are first locked (see [`crate::ownership`]) and then checked again in a second statement: a concurrent
//! sync may see the node, and Neo4j does not re-evaluate a filter after waiting for a lock.

use crate::{
    bolt,
    due::{Due, Group, Ready},
    ownership::Kind,
    shed::{self, Search},
    sightings, unseen,
};
use events::Sync;
use graph::{GraphError, GraphStore, Portion, Transaction, parameters};
use neo4rs::BoltType;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Nodes or edges after which a transaction is full.
static CHUNK: Portion = Portion::new(10_000);
/// Transactions at a time; they wait for connections, not for each other.
const AT_ONCE: usize = 4;

/// Removes everything due. Adds the counts to `(:GromaSync)` in the same transactions.
///
/// # Errors
/// The graph is unavailable. Earlier removals stay, and are counted.
pub async fn clean(store: &GraphStore, sync: &Sync, due: &Due) -> Result<(), GraphError> {
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

async fn clean_edges(store: &GraphStore, sync: &Sync, due: &Group) -> Result<(), GraphError> {
    sweep_all(store, sync, EDGES, edge_sweeps(due)).await?;
    let kinds = due.edges.iter().map(|((kind, ends), ready)| (Kind::edge(kind, ends), ready));
    unseen::clean(store, sync, EDGES, &places(kinds), edges_after(sync, due)).await
}

async fn clean_nodes(store: &GraphStore, sync: &Sync, due: &Group) -> Result<(), GraphError> {
    sweep_all(store, sync, NODES, node_sweeps(due, edges_after(sync, due))).await?;
    let kinds = due.nodes.iter().map(|(label, ready)| (Kind::label(label), ready));
    unseen::clean(store, sync, NODES, &places(kinds), edges_after(sync, due)).await
}

/// Counters on `(:GromaSync)`.
const EDGES: &str = "edges_removed";
const NODES: &str = "nodes_removed";

/// Places in which kinds that several places see may be cleaned. A kind that is new in a place has nothing old there.
fn places<'a>(kinds: impl Iterator<Item = (Kind, &'a Ready)>) -> unseen::Places<'a> {
    let old = kinds.filter(|(_, ready)| !ready.seen_before.is_empty());
    old.map(|(kind, ready)| (kind, ready.places.iter().map(String::as_str).collect())).collect()
}

/// All edges of a type at once, whatever labels they lead to: one statement to plan and to wait for instead of many.
fn edge_sweeps(due: &Group) -> Vec<Sweep<'_>> {
    let mut types = BTreeMap::<&str, Vec<Part<'_>>>::new();
    for ((kind, ends), ready) in &due.edges {
        types.entry(kind).or_default().push(Part { kind: ends, ready });
    }
    types.into_iter().map(|(kind, parts)| Sweep::edges(kind, parts)).collect()
}

/// Edges with a greater tag keep their nodes.
fn edges_after(sync: &Sync, due: &Group) -> i64 {
    if due.with_newer_edges { i64::MAX } else { sync.update_tag }
}

fn node_sweeps(due: &Group, edges_after: i64) -> Vec<Sweep<'_>> {
    let parts = due.nodes.iter().map(|(label, ready)| Part { kind: label, ready });
    parts.map(|part| Sweep::nodes(part.kind, vec![part], edges_after)).collect()
}

/// Shares the sweeps out among transactions, and adds up what they remove under `counter`. Awaits every one, whatever becomes
/// of the others: one that is dropped would leave its transaction open.
async fn sweep_all(
    store: &GraphStore,
    sync: &Sync,
    counter: &str,
    mut sweeps: Vec<Sweep<'_>>,
) -> Result<(), GraphError> {
    sweeps.retain(|sweep| sweep.parts.iter().any(|part| !part.ready.seen_before.is_empty()));
    let share = sweeps.len().div_ceil(AT_ONCE).max(1);
    let mut outcome = Ok(());
    for result in futures::future::join_all(sweeps.chunks(share).map(|share| sweep(store, sync, counter, share))).await
    {
        outcome = outcome.and(result);
    }
    outcome
}

/// One transaction after the other, each for as many sweeps as fill it: most find nothing.
async fn sweep(store: &GraphStore, sync: &Sync, counter: &str, mut sweeps: &[Sweep<'_>]) -> Result<(), GraphError> {
    let mut backoff = store.backoff();
    while !sweeps.is_empty() {
        let chunk = CHUNK.size();
        match attempt(store, sync, counter, sweeps, chunk).await {
            Ok(done) => {
                CHUNK.passed(chunk);
                (sweeps, backoff) = (&sweeps[done..], store.backoff());
            }
            Err(error) if chunk == 1 && graph::is_too_large(&error) && relieve(store, sync, sweeps).await? => {}
            Err(error) => backoff.shrink(error, &CHUNK, chunk).await?,
        }
    }
    Ok(())
}

/// Removes edges of a node with too many for one transaction. Returns whether there were any.
async fn relieve(store: &GraphStore, sync: &Sync, sweeps: &[Sweep<'_>]) -> Result<bool, GraphError> {
    let edges_after = sweeps.first().map_or(0, |sweep| sweep.edges_after);
    shed::shed(store, edges_after, &Candidates { sync, sweeps }).await
}

/// Search for the first candidate of several sweeps.
struct Candidates<'a> {
    sync: &'a Sync,
    sweeps: &'a [Sweep<'a>],
}

impl Search for Candidates<'_> {
    async fn vanished(&self, transaction: &mut Transaction) -> Result<Option<String>, neo4rs::Error> {
        for sweep in self.sweeps {
            if let Some(id) = sweep.candidates(transaction, self.sync, 1).await?.pop() {
                return sweep.vanished(transaction, self.sync, id).await;
            }
        }
        Ok(None)
    }
}

/// How many sweeps are done.
async fn attempt(
    store: &GraphStore,
    sync: &Sync,
    counter: &str,
    sweeps: &[Sweep<'_>],
    full: usize,
) -> Result<usize, neo4rs::Error> {
    let mut transaction = store.begin().await?;
    let done = enter(&mut transaction, sync, counter, sweeps, full).await;
    transaction.end(done).await
}

async fn enter(
    transaction: &mut Transaction,
    sync: &Sync,
    counter: &str,
    sweeps: &[Sweep<'_>],
    full: usize,
) -> Result<usize, neo4rs::Error> {
    let (mut done, mut candidates, mut removed) = (0, 0, 0);
    for sweep in sweeps {
        let chunk = sweep.chunk(transaction, sync, full).await?;
        removed += chunk.removed;
        candidates += chunk.candidates;
        done += usize::from(chunk.candidates < full);
        if candidates >= full {
            break;
        }
    }
    count(transaction, sync, counter, removed).await?;
    Ok(done)
}

/// Adds a transaction's removals to the counters. Run it last: it locks the record until the commit.
pub(crate) async fn count(
    transaction: &mut Transaction,
    sync: &Sync,
    counter: &str,
    removed: i64,
) -> Result<(), neo4rs::Error> {
    if removed == 0 {
        return Ok(());
    }
    let text = format!(
        "MERGE (g:GromaSync {{id: $sync}}) ON CREATE SET g.tag = $tag \
         SET g.{counter} = coalesce(g.{counter}, 0) + $removed"
    );
    let parameters = [("sync", sync.id.as_str().into()), ("tag", sync.update_tag.into()), ("removed", removed.into())];
    transaction.run(bolt::planned_once(&text, parameters)).await
}

/// What stands in `_module_label` or `_module_ends`, and where that may be cleaned.
#[derive(Clone, Copy)]
struct Part<'a> {
    kind: &'a str,
    ready: &'a Ready,
}

/// Two statements: one finds and locks candidates, the other looks again and removes. `check` only looks again.
struct Sweep<'a> {
    find: String,
    check: String,
    remove: String,
    parts: Vec<Part<'a>>,
    edges_after: i64,
}

/// What its only place has not seen in this sync. The index gives what is old in any of the places; of that, each kind may be
/// cleaned in its own.
const OLD: &str = "MATCH PATTERN WHERE it._module_scope IN $old AND it.lastupdated < $tag \
    AND it._module_scope IN $sets[$ready[it.KIND]]";
const LOCK: &str = "WITH it LIMIT $chunk FOREACH (locked IN [it] | SET locked._module_scope = locked._module_scope) \
    RETURN elementId(it) AS id";

/// Elements that are still old and still belong to one place only.
const AGAIN: &str = "UNWIND $ids AS id MATCH PATTERN WHERE elementId(it) = id AND it.lastupdated < $tag \
    AND it._module_scope IN $sets[$places[it.KIND]] ";
/// Keeps elements that a row has declared shared, and marks them as shared.
pub(crate) const SPARE: &str = "FOREACH (spared IN [spared IN [it] WHERE spared._module_shared] \
    | SET spared._module_scope = 'shared') WITH it WHERE it._module_shared IS NULL ";

/// Keeps a node at which a newer sync has written an edge: deleting the node would delete that edge. Edges of the analysis
/// have no place and keep nothing: each analysis writes them anew.
const NO_NEWER_EDGE: &str =
    "AND NOT EXISTS {(it)-[edge]-() WHERE edge.lastupdated > $edges AND edge._module_scope IS NOT NULL} ";

const OF_NODES: &str = "_module_label";
const OF_EDGES: &str = "_module_ends";

/// Further condition on candidates.
fn also(kind_property: &str) -> &'static str {
    if kind_property == OF_NODES { NO_NEWER_EDGE } else { "" }
}

/// The statement that looks for candidates.
fn find(pattern: &str, kind_property: &str) -> String {
    let old = OLD.replace("PATTERN", pattern).replace("KIND", kind_property);
    format!("{old} {}{LOCK}", also(kind_property))
}

/// Beginning of a statement that checks the candidates again.
fn again(pattern: &str, kind_property: &str) -> String {
    AGAIN.replace("PATTERN", pattern).replace("KIND", kind_property) + also(kind_property)
}

/// Statement that checks the candidates again and removes them.
fn forget(pattern: &str, kind_property: &str, deletion: &str) -> String {
    again(pattern, kind_property) + SPARE + deletion + " it RETURN count(*) AS count"
}

/// Statement that checks a candidate again.
fn check(pattern: &str, kind_property: &str) -> String {
    again(pattern, kind_property) + "AND it._module_shared IS NULL RETURN elementId(it) AS id"
}

/// The statement that looks for old nodes of a label.
pub(crate) fn node_text(label: &str) -> String {
    Sweep::nodes(label, Vec::new(), 0).find
}

/// The statement that looks for old edges of a type.
pub(crate) fn edge_text(kind: &str) -> String {
    Sweep::edges(kind, Vec::new()).find
}

impl<'a> Sweep<'a> {
    fn nodes(label: &str, parts: Vec<Part<'a>>, edges_after: i64) -> Self {
        Self {
            find: find(&format!("(it:`{label}`)"), OF_NODES),
            check: check("(it)", OF_NODES),
            remove: forget("(it)", OF_NODES, "DETACH DELETE"),
            parts,
            edges_after,
        }
    }

    fn edges(kind: &str, parts: Vec<Part<'a>>) -> Self {
        Self {
            find: find(&format!("()-[it:`{kind}`]->()"), OF_EDGES),
            check: check("()-[it]->()", OF_EDGES),
            remove: forget("()-[it]->()", OF_EDGES, "DELETE"),
            parts,
            edges_after: 0,
        }
    }

    /// Places in which something may be old, and which of them are ready for what stands in `_module_label` or `_module_ends`.
    fn old(&self) -> Vec<(&'static str, BoltType)> {
        let all: BTreeSet<&String> = self.parts.iter().flat_map(|part| part.ready.seen_before.iter()).collect();
        let mut parameters = self.by_kind("ready", |ready| &ready.seen_before);
        parameters.push(("old", bolt::texts(all)));
        parameters
    }

    /// `$sets[$NAME[kind]]`: places by what stands in `_module_label` or `_module_ends`. Most kinds have the same ones, so that
    /// each set of places is sent once.
    fn by_kind(
        &self,
        name: &'static str,
        places: fn(&Ready) -> &Arc<BTreeSet<String>>,
    ) -> Vec<(&'static str, BoltType)> {
        let mut sets: Vec<&Arc<BTreeSet<String>>> = Vec::new();
        let mut kinds = Vec::new();
        for part in &self.parts {
            let set = places(part.ready);
            let known = sets.iter().position(|known| Arc::ptr_eq(known, set));
            kinds.push((part.kind, bolt::integer(known.unwrap_or(sets.len()))));
            sets.extend(known.is_none().then_some(set));
        }
        vec![(name, bolt::map(kinds)), ("sets", bolt::list(sets.into_iter().map(|set| bolt::texts(set.iter()))))]
    }

    fn tags(&self, sync: &Sync) -> [(&'static str, BoltType); 2] {
        [("tag", sync.update_tag.into()), ("edges", self.edges_after.into())]
    }

    /// Locks old elements, at most `most`, and returns their element ids.
    async fn candidates(
        &self,
        transaction: &mut Transaction,
        sync: &Sync,
        most: usize,
    ) -> Result<Vec<String>, neo4rs::Error> {
        let most = ("chunk", bolt::integer(most));
        let parameters = self.old().into_iter().chain(self.tags(sync)).chain([most]);
        let rows = transaction.rows(bolt::planned_once(&self.find, parameters)).await?;
        rows.iter().map(|row| Ok(row.get("id")?)).collect()
    }

    /// The locked candidate, if it is still old and belongs to one place only.
    async fn vanished(
        &self,
        transaction: &mut Transaction,
        sync: &Sync,
        id: String,
    ) -> Result<Option<String>, neo4rs::Error> {
        let places = self.by_kind("places", |ready| &ready.places);
        let candidate = places.into_iter().chain([("ids", bolt::texts([&id]))]).chain(self.tags(sync));
        let rows = transaction.rows(parameters::query(&self.check, candidate)).await?;
        Ok(rows.first().map(|_| id))
    }

    /// Removes what it finds, if that is not too much for a transaction.
    async fn chunk(&self, transaction: &mut Transaction, sync: &Sync, most: usize) -> Result<Chunk, neo4rs::Error> {
        let ids = self.candidates(transaction, sync, most).await?;
        if ids.is_empty() {
            return Ok(Chunk { candidates: 0, removed: 0 });
        }
        let places = self.by_kind("places", |ready| &ready.places);
        let candidates = places.into_iter().chain([("ids", bolt::texts(&ids))]).chain(self.tags(sync));
        // Planned anew as the graph grows: it asks for relationships by what Neo4j calls them, for which a plan that is made
        // while there are fewer than five scans them all.
        let remove = parameters::query(&self.remove, candidates);
        let removed = transaction.rows(remove).await?.first().map_or(Ok(0), |row| row.get("count"))?;
        Ok(Chunk { candidates: ids.len(), removed })
    }
}

/// What a sweep found, and how much of it nobody else sees.
struct Chunk {
    candidates: usize,
    removed: i64,
}
