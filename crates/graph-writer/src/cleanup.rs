//! What finished scopes no longer see is removed; nothing else is.
//!
//! Cleanup runs once, when a sync ends and its held edges have been drawn. Not scope by scope: then an edge could be
//! removed that only waited for its target; and one statement removes a label's nodes in all places at once, where scope
//! by scope it would be one for each place.
//!
//! A label is cleaned in a place (account, region and service) only when every listing that feeds it there is complete
//! in this sync. Such a place is forgotten on the nodes that it did not see this time; a node that other places see as well is
//! inherited by one of them, and one that nobody is left to see is removed. Nodes without a place (shared ones, and
//! those that Cartography wrote) are never removed. Where a place is surveyed for the first time nothing can be old, so
//! that a first sync pays nothing.
//!
//! Candidates are locked first and looked at again in a second statement: another sync may see a node at the same
//! moment, and Neo4j does not repeat a filter when it has waited for a lock.

use crate::{
    bolt,
    due::{Due, Group, Ready},
    ownership::{self, Kind},
};
use events::Sync;
use graph::{GraphError, GraphStore, Transaction, parameters};
use neo4rs::BoltType;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

/// Nodes or edges after which a transaction is full.
const CHUNK: usize = 10_000;
/// Transactions at a time; they wait for connections, not for each other.
const AT_ONCE: usize = 4;

/// Removes what is due. How much is added up on `(:GromaSync)`, in the same transactions.
///
/// # Errors
/// When the graph is away; what was removed until then stays removed, and counted.
pub async fn clean(store: &GraphStore, sync: &Sync, due: &Due) -> Result<(), GraphError> {
    let noted = ownership::noted(store).await?;
    for group in due.groups() {
        sweep_all(store, sync, "edges_removed", edge_sweeps(&group, &noted)).await?;
    }
    // After all edges: those of a node that is removed go with it, uncounted.
    for group in due.groups() {
        sweep_all(store, sync, "nodes_removed", node_sweeps(&group, &noted)).await?;
    }
    Ok(())
}

/// All edges of a type at once, whatever labels they lead to: one statement to plan and to wait for instead of many.
fn edge_sweeps<'a>(due: &'a Group, noted: &HashSet<String>) -> Vec<Sweep<'a>> {
    let mut types = BTreeMap::<&str, Vec<Part<'a>>>::new();
    for ((kind, ends), ready) in &due.edges {
        types.entry(kind).or_default().push(Part { kind: ends, ready });
    }
    let mut sweeps = Vec::new();
    for (kind, parts) in types {
        let is_noted = |part: &Part<'_>| noted.contains(Kind::edge(kind, part.kind).as_str());
        let several = parts.iter().copied().filter(is_noted).collect();
        sweeps.extend([Sweep::edges(kind, parts, false), Sweep::edges(kind, several, true)]);
    }
    sweeps
}

fn node_sweeps<'a>(due: &'a Group, noted: &HashSet<String>) -> Vec<Sweep<'a>> {
    let mut sweeps = Vec::new();
    for (label, ready) in &due.nodes {
        let parts = || vec![Part { kind: label, ready }];
        sweeps.push(Sweep::nodes(label, parts(), false));
        if noted.contains(Kind::label(label).as_str()) {
            sweeps.push(Sweep::nodes(label, parts(), true));
        }
    }
    sweeps
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
        match attempt(store, sync, counter, sweeps).await {
            Ok(done) => (sweeps, backoff) = (&sweeps[done..], store.backoff()),
            Err(error) => backoff.pause(error).await?,
        }
    }
    Ok(())
}

/// How many sweeps are done.
async fn attempt(store: &GraphStore, sync: &Sync, counter: &str, sweeps: &[Sweep<'_>]) -> Result<usize, neo4rs::Error> {
    let mut transaction = store.begin().await?;
    let done = enter(&mut transaction, sync, counter, sweeps).await;
    transaction.end(done).await
}

async fn enter(
    transaction: &mut Transaction,
    sync: &Sync,
    counter: &str,
    sweeps: &[Sweep<'_>],
) -> Result<usize, neo4rs::Error> {
    let (mut done, mut candidates, mut removed) = (0, 0, 0);
    for sweep in sweeps {
        let chunk = sweep.chunk(transaction, sync).await?;
        removed += chunk.removed;
        candidates += chunk.candidates;
        done += usize::from(chunk.candidates < CHUNK);
        if candidates >= CHUNK {
            break;
        }
    }
    // Last, because whoever counts waits for whoever has counted.
    if removed > 0 {
        let count = format!("MERGE (g:GromaSync {{id: $sync}}) SET g.{counter} = coalesce(g.{counter}, 0) + $removed");
        transaction
            .run(bolt::planned_once(&count, [("sync", sync.id.as_str().into()), ("removed", removed.into())]))
            .await?;
    }
    Ok(done)
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
    /// Looks for what several places see, not for what one alone has not seen.
    several: bool,
}

/// What its only place has not seen in this sync. The index gives what is old in any of the places; of that, each kind may be
/// cleaned in its own.
const OLD: &str = "MATCH PATTERN WHERE it._module_scope IN $old AND it.lastupdated < $tag \
    AND it._module_scope IN $sets[$ready[it.KIND]]";
/// What several places see, of which one has not in this sync.
const SEEN_ELSEWHERE: &str = "MATCH PATTERN WHERE it._module_scope = 'several' AND it.lastupdated >= 0 \
    AND any(p IN it._module_places WHERE split(p, ' ')[0] IN $sets[$places[it.KIND]] \
    AND toInteger(split(p, ' ')[1]) < $tag)";
const LOCK: &str = " WITH it LIMIT $chunk SET it._module_scope = it._module_scope RETURN elementId(it) AS id";

/// Forgets the places that are ready and have not seen it in this sync. The one that is left owns it; without any, it goes
/// on to be removed.
const FORGET: &str = "UNWIND $ids AS id MATCH PATTERN WHERE elementId(it) = id \
    WITH it, [p IN coalesce(it._module_places, [it._module_scope + ' ' + it.lastupdated]) \
    WHERE NOT (split(p, ' ')[0] IN coalesce($sets[$places[it.KIND]], []) \
    AND toInteger(split(p, ' ')[1]) < $tag)] AS left \
    SET it._module_scope = CASE size(left) WHEN 0 THEN it._module_scope WHEN 1 THEN split(left[0], ' ')[0] ELSE 'several' END, \
    it._module_places = CASE WHEN size(left) > 1 THEN left END \
    WITH it, left WHERE size(left) = 0 DELETION it RETURN count(*) AS count";

const OF_NODES: &str = "_module_label";
const OF_EDGES: &str = "_module_ends";

/// The statement that looks for candidates.
fn find(pattern: &str, kind_property: &str, several: bool) -> String {
    let text = if several { SEEN_ELSEWHERE } else { OLD };
    text.replace("PATTERN", pattern).replace("KIND", kind_property) + LOCK
}

/// The statement that forgets and removes.
fn forget(pattern: &str, kind_property: &str, deletion: &str) -> String {
    FORGET.replace("PATTERN", pattern).replace("KIND", kind_property).replace("DELETION", deletion)
}

/// The statement that looks for old nodes of a label.
pub(crate) fn node_text(label: &str) -> String {
    Sweep::nodes(label, Vec::new(), false).find
}

/// The statement that looks for old edges of a type.
pub(crate) fn edge_text(kind: &str) -> String {
    Sweep::edges(kind, Vec::new(), false).find
}

impl<'a> Sweep<'a> {
    fn nodes(label: &str, parts: Vec<Part<'a>>, several: bool) -> Self {
        Self {
            find: find(&format!("(it:`{label}`)"), OF_NODES, several),
            remove: forget("(it)", OF_NODES, "DETACH DELETE"),
            parts,
            several,
        }
    }

    fn edges(kind: &str, parts: Vec<Part<'a>>, several: bool) -> Self {
        Self {
            find: find(&format!("()-[it:`{kind}`]->()"), OF_EDGES, several),
            remove: forget("()-[it]->()", OF_EDGES, "DELETE"),
            parts,
            several,
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
    async fn chunk(&self, transaction: &mut Transaction, sync: &Sync) -> Result<Chunk, neo4rs::Error> {
        let places = || self.by_kind("places", |ready| &ready.places);
        let tag = || ("tag", sync.update_tag.into());
        let which = if self.several { places() } else { self.old() };
        let most = ("chunk", bolt::integer(CHUNK));
        let rows = transaction.rows(bolt::planned_once(&self.find, which.into_iter().chain([tag(), most]))).await?;
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
