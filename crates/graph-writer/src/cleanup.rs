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
    ownership::{self, Kind},
    scope_store::StoredScope,
    scopes::Progress,
};
use events::Sync;
use graph::{GraphError, GraphStore, Transaction, parameters};
use neo4rs::BoltType;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Nodes or edges after which a transaction is full.
const CHUNK: usize = 10_000;
/// Transactions at a time; they wait for connections, not for each other.
const AT_ONCE: usize = 4;

/// Where a label or an edge may be cleaned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ready {
    /// Places in which every listing that feeds it is complete.
    pub places: BTreeSet<String>,
    /// Those that an earlier sync has seen too.
    pub seen_before: BTreeSet<String>,
}

/// What a sync may clean up.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// By label.
    pub nodes: BTreeMap<String, Ready>,
    /// By type and ends (`From>To`).
    pub edges: BTreeMap<(String, String), Ready>,
}

/// What the complete scopes of one sync permit.
pub fn due(scopes: &[StoredScope]) -> Due {
    let complete: BTreeMap<String, &StoredScope> = scopes
        .iter()
        .filter(|stored| stored.state.progress() == Progress::Complete)
        .map(|stored| (stored.id(), stored))
        .collect();
    let mut nodes = BTreeMap::new();
    let mut edges = BTreeMap::new();
    for stored in complete.values() {
        let place = stored.scope.place();
        let finish = stored.state.finish.iter();
        for feed in finish.clone().flat_map(|finish| &finish.nodes) {
            let listings: &mut BTreeSet<String> = nodes.entry((feed.label.clone(), place.clone())).or_default();
            listings.extend(feed.listings.iter().cloned());
        }
        for feed in finish.flat_map(|finish| &finish.edges) {
            let shape = (feed.r#type.clone(), format!("{}>{}", feed.from_label, feed.to_label));
            let listings: &mut BTreeSet<String> = edges.entry((shape, place.clone())).or_default();
            listings.extend(feed.listings.iter().cloned());
        }
    }
    Due { nodes: ready(nodes, &complete), edges: ready(edges, &complete) }
}

fn ready<K: Ord>(
    feeds: BTreeMap<(K, String), BTreeSet<String>>,
    complete: &BTreeMap<String, &StoredScope>,
) -> BTreeMap<K, Ready> {
    let mut ready = BTreeMap::<K, Ready>::new();
    for ((key, place), listings) in feeds {
        let scopes: Option<Vec<_>> =
            listings.iter().map(|listing| complete.get(&format!("{}/{listing}", region_of(&place)))).collect();
        if let Some(scopes) = scopes {
            let entry = ready.entry(key).or_default();
            if scopes.iter().any(|stored| stored.state.since < stored.state.run.tag) {
                entry.seen_before.insert(place.clone());
            }
            entry.places.insert(place);
        }
    }
    ready
}

/// `account/region` of a place: listings are named with their service.
fn region_of(place: &str) -> &str {
    place.rsplit_once('/').map_or(place, |(region, _)| region)
}

/// Removes what is due. How much is added up on `(:GromaSync)`, in the same transactions.
///
/// # Errors
/// When the graph is away; what was removed until then stays removed, and counted.
pub async fn clean(store: &GraphStore, sync: &Sync, due: &Due) -> Result<(), GraphError> {
    let noted = ownership::noted(store).await?;
    sweep_all(store, sync, "edges_removed", edge_sweeps(due, &noted)).await?;
    sweep_all(store, sync, "nodes_removed", node_sweeps(due, &noted)).await
}

/// All edges of a type at once, whatever labels they lead to: one statement to plan and to wait for instead of many.
fn edge_sweeps<'a>(due: &'a Due, noted: &HashSet<String>) -> Vec<Sweep<'a>> {
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

fn node_sweeps<'a>(due: &'a Due, noted: &HashSet<String>) -> Vec<Sweep<'a>> {
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
        let all: BTreeSet<&String> = self.parts.iter().flat_map(|part| &part.ready.seen_before).collect();
        let mut parameters = self.by_kind("ready", |ready| &ready.seen_before);
        parameters.push(("old", bolt::texts(all)));
        parameters
    }

    /// `$sets[$NAME[kind]]`: places by what stands in `_module_label` or `_module_ends`. Most kinds have the same ones, so that
    /// each set of places is sent once.
    fn by_kind(&self, name: &'static str, places: fn(&Ready) -> &BTreeSet<String>) -> Vec<(&'static str, BoltType)> {
        let mut sets: Vec<&BTreeSet<String>> = Vec::new();
        let mut kinds = Vec::new();
        for part in &self.parts {
            let set = places(part.ready);
            let known = sets.iter().position(|known| *known == set);
            kinds.push((part.kind, bolt::integer(known.unwrap_or(sets.len()))));
            sets.extend(known.is_none().then_some(set));
        }
        vec![(name, bolt::map(kinds)), ("sets", bolt::list(sets.into_iter().map(bolt::texts)))]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scopes::{Run, ScopeState};
    use events::{NodeFeed, Scope, ScopeFinished, asset_event};

    fn scope(region: &str, listing: &str, since: i64, finished: bool) -> StoredScope {
        let scope =
            Scope { account_id: "1".into(), region: region.into(), service: "ec2".into(), listing: listing.into() };
        let run = |tag| Run { tag, sync: format!("s{tag}"), attempt: 1 };
        let feed = NodeFeed { label: "Volume".into(), listings: vec!["ec2/A".into(), "ec2/B".into()] };
        let end = ScopeFinished { nodes: vec![feed], ..ScopeFinished::default() };
        let started = asset_event::Event::Started(events::ScopeStarted {});
        let mut state = ScopeState::default().step(&run(since), &started).0.step(&run(9), &started).0;
        if finished {
            state = state.step(&run(9), &asset_event::Event::Finished(end)).0;
        }
        StoredScope { scope, state }
    }

    #[test]
    fn a_label_is_due_where_all_its_listings_are_complete() {
        let scopes = [
            scope("x", "A", 5, true),
            scope("x", "B", 5, true),
            scope("y", "A", 5, true),
            scope("y", "B", 5, false),
            scope("z", "A", 9, true),
            scope("z", "B", 9, true),
        ];
        let due = due(&scopes);
        let ready = &due.nodes["Volume"];
        assert_eq!(ready.places, ["1/x/ec2".to_owned(), "1/z/ec2".to_owned()].into());
        assert_eq!(ready.seen_before, ["1/x/ec2".to_owned()].into());
    }
}
