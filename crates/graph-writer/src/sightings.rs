//! Which places see what several places see: a node `(:GromaSighting {id: "<thing> <place>", place, kind, tag})` for each
//! place. `thing` is the `_module_scope` of the node or edge, `kind` its label, or its type and ends, `tag` that of the
//! newest sync in which the place saw it.
//!
//! A place that sees it again writes its own sighting and nothing else, whatever the number of places; the node or edge is
//! not locked. Only a new sighting is made under the lock of what it is about, and cleanup takes that lock before it looks
//! whether a sighting is left.

use crate::{
    bolt,
    ownership::{Kind, NEW_THING, lock_of},
    rows::{self, Cell},
};
use graph::{GraphError, GraphStore, Portion, Transaction};
use neo4rs::Query;
use std::collections::{BTreeMap, HashSet};

/// Sightings to be written at the end of a transaction.
#[derive(Default)]
pub(crate) struct Sightings {
    /// By thing and place: kind and tag.
    seen: BTreeMap<(String, String), (Kind, i64)>,
}

/// A sighting that is likely to be there.
pub(crate) struct Renewal<'a> {
    /// What was seen.
    pub(crate) thing: String,
    /// By whom.
    pub(crate) place: &'a str,
    /// In which sync.
    pub(crate) tag: i64,
}

/// Renews sightings that are there; one that has been removed meanwhile has no tag.
pub(crate) const RENEW: &str = "UNWIND $rows AS row MATCH (s:GromaSighting {id: row[1]}) \
    USING INDEX s:GromaSighting(id) FOREACH (it IN [it IN [s] WHERE it.tag < $words[row[2]]] \
    | SET it.tag = CASE WHEN it.tag < $words[row[2]] THEN $words[row[2]] ELSE it.tag END) \
    WITH s, row WHERE s.tag >= $words[row[2]] RETURN collect(row[0]) AS found";

/// Makes sightings, or renews them. A tag is locked before it is compared, because it is set to something that reads it.
pub(crate) const WRITE: &str = "UNWIND $rows AS row MERGE (s:GromaSighting {id: row[0]}) \
    ON CREATE SET s.place = $words[row[1]], s.kind = $words[row[2]], s.tag = $words[row[3]] \
    ON MATCH SET s.tag = CASE WHEN s.tag < $words[row[3]] THEN $words[row[3]] ELSE s.tag END";

impl Sightings {
    /// A place sees the thing, which the transaction has locked.
    pub(crate) fn add(&mut self, thing: &str, place: &str, kind: &Kind, tag: i64) {
        let sighting = self.seen.entry((thing.to_owned(), place.to_owned())).or_insert_with(|| (kind.clone(), tag));
        sighting.1 = sighting.1.max(tag);
    }

    /// Places that saw the thing before, each `<place> <tag>`. An older version may have taken a thing for a place.
    pub(crate) fn add_others(&mut self, thing: &str, kind: &Kind, others: &[String]) {
        for (place, tag) in others.iter().filter_map(|other| other.split_once(' ')) {
            if let (true, Ok(tag)) = (place.contains('/'), tag.parse()) {
                self.add(thing, place, kind, tag);
            }
        }
    }

    /// Writes what was added.
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

/// Renews sightings; answers the positions of those that are there.
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

/// Things of which an older version kept the places in a list (`_module_places`), converted in one transaction: each list
/// may have thousands of places.
static CONVERTED: Portion = Portion::new(50);

/// Converts what an older version left behind. Its kinds are noted in `(:GromaSeveral)`.
///
/// # Errors
/// When the graph is away.
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

/// How many things were converted; when none is left, the kind is forgotten.
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

/// Locked before the list is read.
fn convert_text(kind: &Kind) -> String {
    let pattern = pattern(kind);
    format!(
        "{pattern} WHERE it._module_scope = 'several' AND it.lastupdated >= 0 WITH it LIMIT $chunk \
         {} WITH it WHERE it._module_scope = 'several' \
         WITH it, coalesce(it._module_places, []) AS places WITH it, places, {} AS thing \
         SET it._module_scope = thing, it._module_places = null \
         RETURN thing, places, it._module_label AS label",
        lock_of("it"),
        NEW_THING
    )
}

/// Finds things `it` of a kind by the index that cleanup uses, if `_module_scope` and `lastupdated` are asked for.
pub(crate) fn pattern(kind: &Kind) -> String {
    if let Some((kind, _)) = kind.as_edge() {
        format!("MATCH ()-[it:`{kind}`]->() USING INDEX it:`{kind}`(_module_scope, lastupdated)")
    } else {
        let label = kind.as_str();
        format!("MATCH (it:`{label}`) USING INDEX it:`{label}`(_module_scope, lastupdated)")
    }
}
