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
use futures::{StreamExt, stream};
use graph::{GraphError, GraphStore, Transaction};
use std::collections::{BTreeMap, BTreeSet};

/// Nodes or edges removed in one transaction.
const CHUNK: i64 = 10_000;
/// Statements at a time; they wait for connections, not for each other.
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
    let alone_and_several = |kind: Kind| [false].into_iter().chain(noted.contains(kind.as_str()).then_some(true));
    let edges = due.edges.iter().flat_map(|((kind, ends), ready)| {
        alone_and_several(Kind::edge(kind, ends)).map(move |several| Sweep::edges(kind, ends, ready, several))
    });
    let nodes = due.nodes.iter().flat_map(|(label, ready)| {
        alone_and_several(Kind::label(label)).map(move |several| Sweep::nodes(label, ready, several))
    });
    sweep_all(store, sync, edges.collect()).await?;
    sweep_all(store, sync, nodes.collect()).await
}

/// Awaits every sweep, whatever becomes of the others: one that is dropped would leave its transaction open.
async fn sweep_all(store: &GraphStore, sync: &Sync, sweeps: Vec<Sweep<'_>>) -> Result<(), GraphError> {
    let mut running = Vec::new();
    for sweep in sweeps {
        if !sweep.ready.seen_before.is_empty() {
            running.push(sweep.run(store, sync));
        }
    }
    let mut results = stream::iter(running).buffer_unordered(AT_ONCE);
    let mut outcome = Ok(());
    while let Some(result) = results.next().await {
        outcome = outcome.and(result);
    }
    outcome
}

/// Two statements: one finds and locks candidates, the other looks again and removes.
struct Sweep<'a> {
    find: String,
    remove: String,
    counter: &'static str,
    ends: &'a str,
    ready: &'a Ready,
    /// Looks for what several places see, not for what one alone has not seen.
    several: bool,
}

/// What its only place has not seen in this sync.
const OLD: &str = "MATCH PATTERN WHERE it._module_scope IN $old AND it.lastupdated < $tag AND it.KIND = $ends";
/// What several places see, of which one has not in this sync.
const SEEN_ELSEWHERE: &str = "MATCH PATTERN WHERE it._module_scope = 'several' AND it.lastupdated >= 0 AND it.KIND = $ends \
    AND any(p IN it._module_places WHERE split(p, ' ')[0] IN $places AND toInteger(split(p, ' ')[1]) < $tag)";
const LOCK: &str = " WITH it LIMIT $chunk SET it._module_scope = it._module_scope RETURN elementId(it) AS id";

/// Forgets the places that are ready and have not seen it in this sync. The one that is left owns it; without any, it goes
/// on to be removed.
const FORGET: &str = "UNWIND $ids AS id MATCH PATTERN WHERE elementId(it) = id \
    WITH it, [p IN coalesce(it._module_places, [it._module_scope + ' ' + it.lastupdated]) \
    WHERE NOT (split(p, ' ')[0] IN $places AND toInteger(split(p, ' ')[1]) < $tag)] AS left \
    SET it._module_scope = CASE size(left) WHEN 0 THEN it._module_scope WHEN 1 THEN split(left[0], ' ')[0] ELSE 'several' END, \
    it._module_places = CASE WHEN size(left) > 1 THEN left END \
    WITH it, left WHERE size(left) = 0 DELETION it RETURN count(*) AS count";

/// The statement that looks for candidates.
fn find(pattern: &str, kind_property: &str, several: bool) -> String {
    let text = if several { SEEN_ELSEWHERE } else { OLD };
    text.replace("PATTERN", pattern).replace("KIND", kind_property) + LOCK
}

/// The statement that looks for old nodes of a label.
pub(crate) fn node_text(label: &str) -> String {
    Sweep::nodes(label, &Ready::default(), false).find
}

/// The statement that looks for old edges of a type.
pub(crate) fn edge_text(kind: &str) -> String {
    Sweep::edges(kind, "", &Ready::default(), false).find
}

impl<'a> Sweep<'a> {
    fn nodes(label: &'a str, ready: &'a Ready, several: bool) -> Self {
        Self {
            find: find(&format!("(it:`{label}`)"), "_module_label", several),
            remove: FORGET.replace("PATTERN", "(it)").replace("DELETION", "DETACH DELETE"),
            counter: "nodes_removed",
            ends: label,
            ready,
            several,
        }
    }

    fn edges(kind: &'a str, ends: &'a str, ready: &'a Ready, several: bool) -> Self {
        Self {
            find: find(&format!("()-[it:`{kind}`]->()"), "_module_ends", several),
            remove: FORGET.replace("PATTERN", "()-[it]->()").replace("DELETION", "DELETE"),
            counter: "edges_removed",
            ends,
            ready,
            several,
        }
    }

    async fn run(self, store: &GraphStore, sync: &Sync) -> Result<(), GraphError> {
        let mut backoff = store.backoff();
        loop {
            match self.attempt(store, sync).await {
                Ok(found) if found < CHUNK => return Ok(()),
                Ok(_) => backoff = store.backoff(),
                Err(error) => backoff.pause(error).await?,
            }
        }
    }

    async fn attempt(&self, store: &GraphStore, sync: &Sync) -> Result<i64, neo4rs::Error> {
        let mut transaction = store.begin().await?;
        let found = self.chunk(&mut transaction, sync).await;
        transaction.end(found).await
    }

    /// How many candidates there were.
    async fn chunk(&self, transaction: &mut Transaction, sync: &Sync) -> Result<i64, neo4rs::Error> {
        let places = || bolt::texts(&self.ready.places);
        let tag = || sync.update_tag.into();
        let old = bolt::texts(&self.ready.seen_before);
        let which = if self.several { ("places", places()) } else { ("old", old) };
        let find =
            bolt::query(&self.find, [which, ("ends", self.ends.into()), ("tag", tag()), ("chunk", CHUNK.into())]);
        let rows = transaction.rows(find).await?;
        let ids: Vec<String> = rows.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
        if ids.is_empty() {
            return Ok(0);
        }
        let candidates = [("ids", bolt::texts(&ids)), ("places", places()), ("tag", tag())];
        let remove = bolt::query(&self.remove, candidates);
        let removed: i64 = transaction.rows(remove).await?.first().map_or(Ok(0), |row| row.get("count"))?;
        let counter = self.counter;
        let count = format!("MERGE (g:GromaSync {{id: $sync}}) SET g.{counter} = coalesce(g.{counter}, 0) + $removed");
        transaction.run(bolt::query(&count, [("sync", sync.id.as_str().into()), ("removed", removed.into())])).await?;
        Ok(i64::try_from(ids.len()).unwrap_or(CHUNK))
    }
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
