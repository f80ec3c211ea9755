//! Cleanup of elements that several places see. Removes the sightings of ready places that did not see the element in
//! this sync. An element is removed together with its last sighting.
//!
//! A sweep starts from the places, by an index on place and tag, so its cost depends on the old sightings and not on
//! all. Elements are locked before their sightings are checked again, because a concurrent sync may see them.

use crate::{
    bolt,
    elements::Element,
    ownership::{Kind, SPARE, lock_of},
    removed::count_removed,
    shed::{self, Search},
    sightings::pattern,
};
use events::SyncId;
use graph::{GraphError, GraphStore, Portion, Transaction, parameters};
use neo4rs::BoltType;
use std::collections::{BTreeMap, BTreeSet};

/// Sightings in one transaction.
static CHUNK: Portion = Portion::new(10_000);
/// Places in one statement.
const PLACES: usize = 1_000;

/// Finds old sightings of places, each with its set of kinds.
const OLD: &str = "UNWIND $rows AS row MATCH (s:GromaSighting) USING INDEX s:GromaSighting(place, tag) \
    WHERE s.place = row[0] AND s.tag < $tag AND s.kind IN $sets[row[1]] AND NOT s.id IN $kept RETURN s.id AS id, s.kind AS kind LIMIT $chunk";

/// Locks the sightings with these ids, then deletes those that are still old.
const FORGET: &str = "UNWIND $rows AS id MATCH (s:GromaSighting {id: id}) USING INDEX s:GromaSighting(id) \
    FOREACH (locked IN [s] | SET locked.tag = locked.tag) WITH s WHERE s.tag < $tag DELETE s";

/// Kinds of nodes or of edges, with the places where they may be cleaned.
pub(crate) type Places<'a> = Vec<(Kind, Vec<&'a str>)>;

/// Removes the old sightings of these places and the elements left without any. Adds the number of removed elements to
/// `counter`.
///
/// # Errors
/// The graph is unavailable. Earlier removals stay, and are counted.
pub(crate) async fn clean(
    store: &GraphStore,
    sync: &SyncId,
    counter: &str,
    due: &Places<'_>,
    edges_after: i64,
) -> Result<(), GraphError> {
    let (rows, sets) = by_place(due);
    for rows in rows.chunks(PLACES) {
        let mut backoff = store.backoff();
        let mut kept = Vec::new();
        loop {
            let old = Old { rows, sets: &sets, kept: &kept, edges_after, most: CHUNK.size() };
            match attempt(store, sync, counter, &old).await {
                Ok(swept) => {
                    CHUNK.passed(old.most);
                    if swept.found < old.most {
                        break;
                    }
                    kept.extend(swept.kept);
                    backoff = store.backoff();
                }
                Err(error)
                    if old.most == 1 && graph::is_too_large(&error) && remove_edges_of(store, sync, &old).await? => {}
                Err(error) => backoff.shrink(error, &CHUNK, old.most).await?,
            }
        }
    }
    Ok(())
}

/// Removes the edges of a node with more edges than one transaction can remove, if its last sighting is old. Returns
/// whether it removed any.
async fn remove_edges_of(store: &GraphStore, sync: &SyncId, old: &Old<'_>) -> Result<bool, GraphError> {
    shed::shed(store, old.edges_after, &LastSightings { sync, old }).await
}

/// Search for a node whose last sighting is old.
struct LastSightings<'a> {
    sync: &'a SyncId,
    old: &'a Old<'a>,
}

impl Search for LastSightings<'_> {
    async fn vanished(&self, transaction: &mut Transaction) -> Result<Option<Element>, neo4rs::Error> {
        let Self { sync, old } = self;
        let Some((kind, sighting)) = old.sightings(transaction, sync).await?.pop() else { return Ok(None) };
        let (kind, sightings, tags) = (Kind::named(kind), [sighting], (sync.update_tag, old.edges_after));
        let newer = with_newer_edges(transaction, &kind, &sightings, tags).await?;
        if kind.as_edge().is_some() || !newer.is_empty() {
            return Ok(None);
        }
        let thing = [("rows", bolt::texts([thing_of(&sightings[0])])), ("tag", sync.update_tag.into())];
        let rows = transaction.rows(parameters::query(&last_seen(&kind), thing)).await?;
        rows.first().map(|row| Ok(row.get("id")?)).transpose()
    }
}

/// Returns each place with its set of kinds; most places share one set.
fn by_place(due: &Places<'_>) -> (Vec<BoltType>, Vec<BoltType>) {
    let mut places = BTreeMap::<&str, Vec<usize>>::new();
    for (kind, (_, ready)) in due.iter().enumerate() {
        for place in ready {
            places.entry(place).or_default().push(kind);
        }
    }
    let mut sets = BTreeMap::<Vec<usize>, usize>::new();
    let mut texts = Vec::new();
    let mut rows = Vec::new();
    for (place, kinds) in places {
        let next = sets.len();
        let set = *sets.entry(kinds.clone()).or_insert(next);
        if set == next {
            texts.push(bolt::texts(kinds.iter().map(|kind| due[*kind].0.as_str())));
        }
        rows.push(bolt::list([place.into(), bolt::integer(set)]));
    }
    (rows, texts)
}

/// Search of one transaction.
struct Old<'a> {
    rows: &'a [BoltType],
    sets: &'a [BoltType],
    /// Sightings that earlier transactions kept.
    kept: &'a [String],
    /// Edges with a greater tag keep their nodes.
    edges_after: i64,
    most: usize,
}

impl Old<'_> {
    /// Finds old sightings: kind and id.
    async fn sightings(
        &self,
        transaction: &mut Transaction,
        sync: &SyncId,
    ) -> Result<Vec<(String, String)>, neo4rs::Error> {
        let parameters = [
            ("kept", bolt::texts(self.kept)),
            ("rows", bolt::list(self.rows.iter().cloned())),
            ("sets", bolt::list(self.sets.iter().cloned())),
            ("tag", sync.update_tag.into()),
            ("chunk", bolt::integer(self.most)),
        ];
        let rows = transaction.rows(bolt::planned_once(OLD, parameters)).await?;
        rows.iter().map(|row| Ok((row.get("kind")?, row.get("id")?))).collect()
    }
}

/// Old sightings.
struct Swept {
    found: usize,
    /// Sightings of nodes that a newer sync keeps.
    kept: Vec<String>,
}

async fn attempt(store: &GraphStore, sync: &SyncId, counter: &str, old: &Old<'_>) -> Result<Swept, neo4rs::Error> {
    let mut transaction = store.begin().await?;
    let found = enter(&mut transaction, sync, counter, old).await;
    transaction.end(found).await
}

async fn enter(
    transaction: &mut Transaction,
    sync: &SyncId,
    counter: &str,
    old: &Old<'_>,
) -> Result<Swept, neo4rs::Error> {
    let tags = (sync.update_tag, old.edges_after);
    let sightings = old.sightings(transaction, sync).await?;
    let found = sightings.len();
    let mut kinds = BTreeMap::<String, Vec<String>>::new();
    for (kind, id) in sightings {
        kinds.entry(kind).or_default().push(id);
    }
    let (mut removed, mut kept) = (0, Vec::new());
    for (kind, sightings) in kinds {
        let kind = Kind::named(kind);
        let newer = with_newer_edges(transaction, &kind, &sightings, tags).await?;
        let (newer, sightings) = sightings.into_iter().partition(|id| newer.contains(thing_of(id)));
        kept.extend::<Vec<String>>(newer);
        removed += remove(transaction, &kind, sightings, sync.update_tag).await?;
    }
    count_removed(transaction, sync, counter, removed).await?;
    Ok(Swept { found, kept })
}

/// Locks the elements. Returns the nodes that would be removed although a newer sync has written an edge at them
/// (`NO_NEWER_EDGE` of cleanup).
async fn with_newer_edges(
    transaction: &mut Transaction,
    kind: &Kind,
    sightings: &[String],
    (tag, edges_after): (i64, i64),
) -> Result<BTreeSet<String>, neo4rs::Error> {
    let things: BTreeSet<&str> = sightings.iter().map(|id| thing_of(id)).collect();
    let rows = || ("rows", bolt::texts(&things));
    transaction.run(bolt::planned_once(&lock(kind), [rows()])).await?;
    if kind.as_edge().is_some() || edges_after == i64::MAX {
        return Ok(BTreeSet::new());
    }
    // A hub with very many edges mostly has a sighting that is not old, which is found first.
    let text = thing(kind)
        + " AND NOT EXISTS {MATCH (s:GromaSighting) WHERE s.id STARTS WITH thing + ' ' AND s.tag >= $tag} \
           AND EXISTS {(it)-[edge]-() WHERE edge.lastupdated > $edges AND edge._module_scope IS NOT NULL} \
           RETURN DISTINCT thing";
    let parameters = [rows(), ("tag", tag.into()), ("edges", edges_after.into())];
    let newer = transaction.rows(parameters::query(&text, parameters)).await?;
    newer.iter().map(|row| Ok(row.get("thing")?)).collect()
}

fn thing_of(sighting: &str) -> &str {
    sighting.split_once(' ').map_or(sighting, |(id, _)| id)
}

/// Removes these sightings of locked elements, and the elements without any left. Returns the number of removed
/// elements.
async fn remove(
    transaction: &mut Transaction,
    kind: &Kind,
    mut sightings: Vec<String>,
    tag: i64,
) -> Result<i64, neo4rs::Error> {
    sightings.sort_unstable();
    let things: BTreeSet<&str> = sightings.iter().map(|id| thing_of(id)).collect();
    let rows = || ("rows", bolt::texts(&things));
    let old = [("rows", bolt::texts(&sightings)), ("tag", tag.into())];
    transaction.run(bolt::planned_once(FORGET, old)).await?;
    let gone = transaction.rows(parameters::query(&removal(kind), [rows()])).await?;
    gone.first().map_or(Ok(0), |row| Ok(row.get("count")?))
}

/// Matches the element `it` of a row.
fn thing(kind: &Kind) -> String {
    format!("UNWIND $rows AS thing {} WHERE it._module_scope = thing", pattern(kind))
}

fn lock(kind: &Kind) -> String {
    thing(kind) + " " + &lock_of("it")
}

/// Finds a locked node with one sighting, which is old.
fn last_seen(kind: &Kind) -> String {
    thing(kind)
        + " AND COUNT { MATCH (s:GromaSighting) WHERE s.id STARTS WITH thing + ' ' } = 1 \
           AND EXISTS { MATCH (s:GromaSighting) WHERE s.id STARTS WITH thing + ' ' AND s.tag < $tag } \
           RETURN id(it) AS id"
}

/// Removes elements; one declared shared by some row becomes shared again instead.
fn removal(kind: &Kind) -> String {
    let delete = if kind.as_edge().is_some() { "DELETE" } else { "DETACH DELETE" };
    thing(kind)
        + " AND NOT EXISTS { MATCH (s:GromaSighting) WHERE s.id STARTS WITH thing + ' ' } "
        + SPARE
        + delete
        + " it RETURN count(*) AS count"
}

/// Returns statements of a sync that find old sightings.
pub(crate) fn texts() -> [String; 1] {
    [OLD.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_with_the_same_kinds_share_a_set() {
        let due = vec![(Kind::label("A"), vec!["1/r/s", "2/r/s"]), (Kind::label("B"), vec!["1/r/s", "2/r/s", "3/r/s"])];
        let (rows, sets) = by_place(&due);
        assert_eq!((rows.len(), sets.len()), (3, 2));
    }
}
