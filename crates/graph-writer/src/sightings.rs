//! Places of an element that several places see: a node `(:GromaSighting {id: "<thing> <place>", place, kind, tag})`
//! for each place. `thing` is the `_module_scope` of the node or edge, `kind` its label, or its type and ends, and
//! `tag` that of the newest sync in which the place saw it.
//!
//! A place that sees the element again writes only its own sighting, whatever the number of places; the element itself
//! is not locked. Only the creation of a sighting takes the lock of its element, and cleanup takes that lock before it
//! checks for remaining sightings.

use crate::{
    bolt,
    ownership::{Kind, NEW_THING, lock_of},
    rows::{self, Cell},
};
use graph::{GraphError, GraphStore, Portion, Transaction};
use neo4rs::Query;
use std::collections::{BTreeMap, HashSet};

/// Sightings to write at the end of a transaction.
#[derive(Default)]
pub(crate) struct Sightings {
    /// Kind and tag by thing and place.
    seen: BTreeMap<(String, String), (Kind, i64)>,
}

/// A sighting that probably exists.
pub(crate) struct Renewal<'a> {
    /// The element.
    pub(crate) thing: String,
    /// The place.
    pub(crate) place: &'a str,
    /// The sync's tag.
    pub(crate) tag: i64,
}

/// Renews existing sightings. One removed meanwhile has no tag.
pub(crate) const RENEW: &str = "UNWIND $rows AS row MATCH (s:GromaSighting {id: row[1]}) \
    USING INDEX s:GromaSighting(id) FOREACH (it IN [it IN [s] WHERE it.tag < $words[row[2]]] \
    | SET it.tag = CASE WHEN it.tag < $words[row[2]] THEN $words[row[2]] ELSE it.tag END) \
    WITH s, row WHERE s.tag >= $words[row[2]] RETURN collect(row[0]) AS found";

/// Creates or renews sightings. Locks the tag before comparing it, because the assignment reads it.
pub(crate) const WRITE: &str = "UNWIND $rows AS row MERGE (s:GromaSighting {id: row[0]}) \
    ON CREATE SET s.place = $words[row[1]], s.kind = $words[row[2]], s.tag = $words[row[3]] \
    ON MATCH SET s.tag = CASE WHEN s.tag < $words[row[3]] THEN $words[row[3]] ELSE s.tag END";

impl Sightings {
    /// Adds the sighting of a place. The transaction must hold the element's lock.
    pub(crate) fn add(&mut self, thing: &str, place: &str, kind: &Kind, tag: i64) {
        let sighting = self.seen.entry((thing.to_owned(), place.to_owned())).or_insert_with(|| (kind.clone(), tag));
        sighting.1 = sighting.1.max(tag);
    }

    /// Adds places that saw the element before, each `<place> <tag>`. An older version may have stored a thing as a
    /// place.
    pub(crate) fn add_others(&mut self, thing: &str, kind: &Kind, others: &[String]) {
        for (place, tag) in others.iter().filter_map(|other| other.split_once(' ')) {
            if let (true, Ok(tag)) = (place.contains('/'), tag.parse()) {
                self.add(thing, place, kind, tag);
            }
        }
    }

    /// Writes the added sightings.
    pub(crate) async fn write(&self, transaction: &mut Transaction) -> Result<(), neo4rs::Error> {
        let rows = self.seen.iter().map(|((thing, place), (kind, tag))| {
            vec![Cell::own(id(thing, place)), Cell::text(place), Cell::text(kind.as_str()), Cell::number(*tag)]
        });
        rows::run(transaction, WRITE, rows.collect()).await.map(drop)
    }
}

fn id(thing: &str, place: &str) -> String {
    format!("{thing} {place}")
}

/// Renews sightings. Returns the positions of existing ones.
pub(crate) async fn renew(
    transaction: &mut Transaction,
    renewals: &[Renewal<'_>],
) -> Result<HashSet<usize>, neo4rs::Error> {
    let row = |(position, it): (usize, &Renewal<'_>)| {
        vec![Cell::position(position), Cell::own(id(&it.thing, it.place)), Cell::number(it.tag)]
    };
    let mut found = HashSet::new();
    for answer in rows::run(transaction, RENEW, renewals.iter().enumerate().map(row).collect()).await? {
        found.extend(answer.get::<Vec<usize>>("found")?);
    }
    Ok(found)
}

/// Elements whose places an older version kept in a list (`_module_places`), converted in one transaction. Each list
/// may have thousands of places.
static CONVERTED: Portion = Portion::new(50);

/// Converts lists of an older version. `(:GromaSeveral)` records their kinds.
///
/// # Errors
/// The graph is unavailable.
pub(crate) async fn upgrade(store: &GraphStore) -> Result<(), GraphError> {
    let rows = store.rows(Query::new("MATCH (s:GromaSeveral) RETURN s.id AS kind".to_owned())).await?;
    for row in rows {
        let kind = Kind::named(row.get("kind")?);
        let mut backoff = store.backoff();
        loop {
            let most = CONVERTED.size();
            match convert(store, &kind, most).await {
                Ok(0) => break,
                Ok(_) => backoff = store.backoff(),
                Err(error) => backoff.shrink(error, &CONVERTED, most).await?,
            }
        }
    }
    Ok(())
}

/// Converts elements and returns their number. Deletes the kind's record when none is left.
async fn convert(store: &GraphStore, kind: &Kind, most: usize) -> Result<usize, neo4rs::Error> {
    let mut transaction = store.begin().await?;
    let converted = enter(&mut transaction, kind, most).await;
    transaction.end(converted).await
}

async fn enter(transaction: &mut Transaction, kind: &Kind, most: usize) -> Result<usize, neo4rs::Error> {
    let mut sightings = Sightings::default();
    let rows = transaction.rows(bolt::planned_once(&convert_text(kind), [("chunk", bolt::integer(most))])).await?;
    for row in &rows {
        let own: Option<String> = row.get("label")?;
        let kind = own.map_or_else(|| kind.clone(), |label| Kind::label(&label));
        sightings.add_others(&row.get::<String>("thing")?, &kind, &row.get::<Vec<String>>("places")?);
    }
    sightings.write(transaction).await?;
    if rows.is_empty() {
        let forget = "MATCH (s:GromaSeveral {id: $kind}) DELETE s";
        transaction.run(bolt::planned_once(forget, [("kind", kind.as_str().into())])).await?;
    }
    Ok(rows.len())
}

/// Locks each element before it reads the list.
fn convert_text(kind: &Kind) -> String {
    let pattern = pattern(kind);
    format!(
        "{pattern} WHERE it._module_scope = 'several' WITH it LIMIT $chunk \
         {} WITH it WHERE it._module_scope = 'several' \
         WITH it, coalesce(it._module_places, []) AS places WITH it, places, {} AS thing \
         SET it._module_scope = thing, it._module_places = null \
         RETURN thing, places, it._module_label AS label",
        lock_of("it"),
        NEW_THING
    )
}

/// Returns the pattern of elements `it` of a kind. It uses cleanup's index if the statement filters by `_module_scope`.
pub(crate) fn pattern(kind: &Kind) -> String {
    if let Some((kind, _)) = kind.as_edge() {
        format!("MATCH ()-[it:`{kind}`]->() USING INDEX it:`{kind}`(_module_scope)")
    } else {
        let label = kind.as_str();
        format!("MATCH (it:`{label}`) USING INDEX it:`{label}`(_module_scope)")
    }
}
