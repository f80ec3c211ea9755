//! What finished scopes no longer see is removed; nothing else is.
//!
//! Cleanup runs once, when a sync ends and its held edges have been drawn. Not scope by scope: then an edge could be
//! removed that only waited for its target; and one statement removes a label's nodes in all places at once, where scope
//! by scope it would be one for each place.
//!
//! A label is cleaned in a place (account, region and service) only when every listing that feeds it there is complete
//! in this sync. Nodes that only this place sees and that it did not see this time are removed; what several places see is
//! the matter of `unseen`. Nodes without a place (shared ones, and those that Cartography wrote) are never removed. Where a
//! place is surveyed for the first time nothing can be old, so that a first sync pays nothing.
//!
//! Candidates are locked first ([`crate::ownership`] says how) and looked at again in a second statement: another sync may
//! see a node at the same moment, and Neo4j does not repeat a filter when it has waited for a lock.

use crate::{
    bolt,
    due::{Due, Group, Ready},
    ownership::Kind,
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

/// Removes what is due. How much is added up on `(:GromaSync)`, in the same transactions.
///
/// # Errors
/// When the graph is away; what was removed until then stays removed, and counted.
pub async fn clean(store: &GraphStore, sync: &Sync, due: &Due) -> Result<(), GraphError> {
    sightings::upgrade(store).await?;
    for group in due.groups() {
        clean_edges(store, sync, &group).await?;
    }
    // After all edges: those of a node that is removed go with it, uncounted.
    for group in due.groups() {
        clean_nodes(store, sync, &group).await?;
    }
    Ok(())
}

async fn clean_edges(store: &GraphStore, sync: &Sync, due: &Group) -> Result<(), GraphError> {
    sweep_all(store, sync, EDGES, edge_sweeps(due)).await?;
    let kinds = due.edges.iter().map(|((kind, ends), ready)| (Kind::edge(kind, ends), ready));
    unseen::clean(store, sync, EDGES, &places(kinds)).await
}

async fn clean_nodes(store: &GraphStore, sync: &Sync, due: &Group) -> Result<(), GraphError> {
    sweep_all(store, sync, NODES, node_sweeps(due)).await?;
    unseen::clean(store, sync, NODES, &places(due.nodes.iter().map(|(label, ready)| (Kind::label(label), ready)))).await
}

/// Counters on `(:GromaSync)`.
const EDGES: &str = "edges_removed";
const NODES: &str = "nodes_removed";

/// Where several places' kinds may be cleaned; where a kind is new, nothing of it is old.
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

fn node_sweeps(due: &Group) -> Vec<Sweep<'_>> {
    due.nodes.iter().map(|(label, ready)| Sweep::nodes(label, vec![Part { kind: label, ready }])).collect()
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
            Err(error) => backoff.shrink(error, &CHUNK, chunk).await?,
        }
    }
    Ok(())
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

/// Adds up what a transaction has removed. To be done last, because the next one that counts waits for its end.
pub(crate) async fn count(
    transaction: &mut Transaction,
    sync: &Sync,
    counter: &str,
    removed: i64,
) -> Result<(), neo4rs::Error> {
    if removed == 0 {
        return Ok(());
    }
    let text = format!("MERGE (g:GromaSync {{id: $sync}}) SET g.{counter} = coalesce(g.{counter}, 0) + $removed");
    transaction.run(bolt::planned_once(&text, [("sync", sync.id.as_str().into()), ("removed", removed.into())])).await
}

/// What stands in `_module_label` or `_module_ends`, and where that may be cleaned.
#[derive(Clone, Copy)]
struct Part<'a> {
    kind: &'a str,
    ready: &'a Ready,
}

/// Two statements: one finds and locks candidates, the other looks again and removes.
struct Sweep<'a> {
    find: String,
    remove: String,
    parts: Vec<Part<'a>>,
}

/// What its only place has not seen in this sync. The index gives what is old in any of the places; of that, each kind may be
/// cleaned in its own.
const OLD: &str = "MATCH PATTERN WHERE it._module_scope IN $old AND it.lastupdated < $tag \
    AND it._module_scope IN $sets[$ready[it.KIND]]";
const LOCK: &str = "WITH it LIMIT $chunk FOREACH (locked IN [it] | SET locked._module_scope = locked._module_scope) \
    RETURN elementId(it) AS id";

/// Removes what is still old, and its only place's.
const FORGET: &str = "UNWIND $ids AS id MATCH PATTERN WHERE elementId(it) = id AND it.lastupdated < $tag \
    AND it._module_scope IN $sets[$places[it.KIND]] ";
/// What some row has called shared becomes that, and is not removed.
pub(crate) const SPARE: &str = "FOREACH (spared IN [spared IN [it] WHERE spared._module_shared] \
    | SET spared._module_scope = 'shared') WITH it WHERE it._module_shared IS NULL ";

/// A node at which a newer sync has drawn an edge is left to that sync: removing it would remove the edge.
const NO_NEWER_EDGE: &str = "AND NOT EXISTS {(it)-[edge]-() WHERE edge.lastupdated > $tag} ";

const OF_NODES: &str = "_module_label";
const OF_EDGES: &str = "_module_ends";

/// What else candidates have to be.
fn also(kind_property: &str) -> &'static str {
    if kind_property == OF_NODES { NO_NEWER_EDGE } else { "" }
}

/// The statement that looks for candidates.
fn find(pattern: &str, kind_property: &str) -> String {
    let old = OLD.replace("PATTERN", pattern).replace("KIND", kind_property);
    format!("{old} {}{LOCK}", also(kind_property))
}

/// The statement that looks again and removes.
fn forget(pattern: &str, kind_property: &str, deletion: &str) -> String {
    let forget = FORGET.replace("PATTERN", pattern).replace("KIND", kind_property);
    format!("{forget}{}{SPARE}{deletion} it RETURN count(*) AS count", also(kind_property))
}

/// The statement that looks for old nodes of a label.
pub(crate) fn node_text(label: &str) -> String {
    Sweep::nodes(label, Vec::new()).find
}

/// The statement that looks for old edges of a type.
pub(crate) fn edge_text(kind: &str) -> String {
    Sweep::edges(kind, Vec::new()).find
}

impl<'a> Sweep<'a> {
    fn nodes(label: &str, parts: Vec<Part<'a>>) -> Self {
        Self {
            find: find(&format!("(it:`{label}`)"), OF_NODES),
            remove: forget("(it)", OF_NODES, "DETACH DELETE"),
            parts,
        }
    }

    fn edges(kind: &str, parts: Vec<Part<'a>>) -> Self {
        Self {
            find: find(&format!("()-[it:`{kind}`]->()"), OF_EDGES),
            remove: forget("()-[it]->()", OF_EDGES, "DELETE"),
            parts,
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

    /// Removes what it finds, if that is not too much for a transaction.
    async fn chunk(&self, transaction: &mut Transaction, sync: &Sync, most: usize) -> Result<Chunk, neo4rs::Error> {
        let places = || self.by_kind("places", |ready| &ready.places);
        let tag = || ("tag", sync.update_tag.into());
        let most = ("chunk", bolt::integer(most));
        let rows =
            transaction.rows(bolt::planned_once(&self.find, self.old().into_iter().chain([tag(), most]))).await?;
        let ids: Vec<String> = rows.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
        if ids.is_empty() {
            return Ok(Chunk { candidates: 0, removed: 0 });
        }
        let candidates = places().into_iter().chain([("ids", bolt::texts(&ids)), tag()]);
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
