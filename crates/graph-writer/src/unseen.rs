//! Cleanup of what several places see: the sightings of places that are ready and have not seen it in this sync go; a node or
//! edge without a sighting goes with the last of them.
//!
//! A sweep begins at the places, by an index on place and tag, so that it costs what is old and not what is there. Things are
//! locked before their sightings are looked at again, because another sync may see them at the same moment.

use crate::{
    bolt, cleanup,
    ownership::{Kind, lock_of},
    sightings::pattern,
};
use events::Sync;
use graph::{GraphError, GraphStore, Portion, Transaction, parameters};
use neo4rs::BoltType;
use std::collections::{BTreeMap, BTreeSet};

/// Sightings of one transaction.
static CHUNK: Portion = Portion::new(10_000);
/// Places asked for at once.
const PLACES: usize = 1_000;

/// Finds old sightings of places, each with its set of kinds.
const OLD: &str = "UNWIND $rows AS row MATCH (s:GromaSighting) USING INDEX s:GromaSighting(place, tag) \
    WHERE s.place = row[0] AND s.tag < $tag AND s.kind IN $sets[row[1]] RETURN s.id AS id, s.kind AS kind LIMIT $chunk";

/// Deletes the sightings with these ids that are still old, locked first.
const FORGET: &str = "UNWIND $rows AS id MATCH (s:GromaSighting {id: id}) USING INDEX s:GromaSighting(id) \
    FOREACH (locked IN [s] | SET locked.tag = locked.tag) WITH s WHERE s.tag < $tag DELETE s";

/// Kinds of one sort, nodes or edges, and where they may be cleaned.
pub(crate) type Places<'a> = Vec<(Kind, Vec<&'a str>)>;

/// Removes what none of these places sees any more and no other does; adds up how much under `counter`.
///
/// # Errors
/// When the graph is away; what was removed until then stays removed, and counted.
pub(crate) async fn clean(store: &GraphStore, sync: &Sync, counter: &str, due: &Places<'_>) -> Result<(), GraphError> {
    let (rows, sets) = by_place(due);
    for rows in rows.chunks(PLACES) {
        let mut backoff = store.backoff();
        loop {
            let old = Old { rows, sets: &sets, most: CHUNK.size() };
            match attempt(store, sync, counter, &old).await {
                Ok(Swept { found, forgotten }) => {
                    CHUNK.passed(old.most);
                    // Where all of it is left to a newer sync, the next look would find the same.
                    if found < old.most || forgotten == 0 {
                        break;
                    }
                    backoff = store.backoff();
                }
                Err(error) => backoff.shrink(error, &CHUNK, old.most).await?,
            }
        }
    }
    Ok(())
}

/// Each place with its set of kinds; most places have the same.
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

/// What one transaction looks for.
struct Old<'a> {
    rows: &'a [BoltType],
    sets: &'a [BoltType],
    most: usize,
}

/// Old sightings.
struct Swept {
    found: usize,
    forgotten: usize,
}

async fn attempt(store: &GraphStore, sync: &Sync, counter: &str, old: &Old<'_>) -> Result<Swept, neo4rs::Error> {
    let mut transaction = store.begin().await?;
    let found = enter(&mut transaction, sync, counter, old).await;
    transaction.end(found).await
}

async fn enter(
    transaction: &mut Transaction,
    sync: &Sync,
    counter: &str,
    old: &Old<'_>,
) -> Result<Swept, neo4rs::Error> {
    let old = [
        ("rows", bolt::list(old.rows.iter().cloned())),
        ("sets", bolt::list(old.sets.iter().cloned())),
        ("tag", sync.update_tag.into()),
        ("chunk", bolt::integer(old.most)),
    ];
    let answers = transaction.rows(bolt::planned_once(OLD, old)).await?;
    let mut kinds = BTreeMap::<String, Vec<String>>::new();
    for answer in &answers {
        kinds.entry(answer.get("kind")?).or_default().push(answer.get("id")?);
    }
    let (mut removed, mut forgotten) = (0, 0);
    for (kind, sightings) in kinds {
        let kind = Kind::named(kind);
        let sightings = leave_newer(transaction, &kind, sightings, sync.update_tag).await?;
        forgotten += sightings.len();
        removed += remove(transaction, &kind, sightings, sync.update_tag).await?;
    }
    cleanup::count(transaction, sync, counter, removed).await?;
    Ok(Swept { found: answers.len(), forgotten })
}

/// Locks the things, and leaves out sightings of nodes at which a newer sync has drawn an edge ([`cleanup::NO_NEWER_EDGE`]).
async fn leave_newer(
    transaction: &mut Transaction,
    kind: &Kind,
    mut sightings: Vec<String>,
    tag: i64,
) -> Result<Vec<String>, neo4rs::Error> {
    let things: BTreeSet<&str> = sightings.iter().map(|id| thing_of(id)).collect();
    let rows = || ("rows", bolt::texts(&things));
    transaction.run(bolt::planned_once(&lock(kind), [rows()])).await?;
    if kind.as_edge().is_some() {
        return Ok(sightings);
    }
    let text = thing(kind) + " AND EXISTS {(it)-[edge]-() WHERE edge.lastupdated > $tag} RETURN DISTINCT thing";
    let newer = transaction.rows(parameters::query(&text, [rows(), ("tag", tag.into())])).await?;
    let newer = newer.iter().map(|row| row.get("thing")).collect::<Result<BTreeSet<String>, _>>()?;
    sightings.retain(|id| !newer.contains(thing_of(id)));
    Ok(sightings)
}

fn thing_of(sighting: &str) -> &str {
    sighting.split_once(' ').map_or(sighting, |(id, _)| id)
}

/// Removes these sightings of things that are locked, and the things of which none is left; answers how many.
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

/// The thing `it` of a row.
fn thing(kind: &Kind) -> String {
    format!("UNWIND $rows AS thing {} WHERE it._module_scope = thing AND it.lastupdated >= 0", pattern(kind))
}

fn lock(kind: &Kind) -> String {
    thing(kind) + " " + &lock_of("it")
}

/// What some row has called shared becomes so again.
fn removal(kind: &Kind) -> String {
    let delete = if kind.as_edge().is_some() { "DELETE" } else { "DETACH DELETE" };
    thing(kind)
        + " AND NOT EXISTS { MATCH (s:GromaSighting) WHERE s.id STARTS WITH thing + ' ' } "
        + cleanup::SPARE
        + delete
        + " it RETURN count(*) AS count"
}

/// Statements that a sync says which finds something old.
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
