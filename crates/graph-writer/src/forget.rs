//! Forgets places on request. Nodes and edges seen only by them are removed, as in cleanup; those that other places see
//! too only lose these places. The scopes' states are removed last, so that an interrupted run can be repeated.
//!
//! Only assets that were present when the places were looked up are removed: an asset of a place seen by a sync since
//! then has a newer tag than the place had. So places are forgotten tag by tag.

use crate::{
    bolt, cleanup,
    due::Due,
    feeds::Catalog,
    ownership::{Kind, lock_of},
    schema::Schema,
    sightings::pattern,
};
use events::SyncId;
use graph::{GraphError, GraphStore, Portion};
use neo4rs::{BoltType, DeError, Row};
use std::collections::{BTreeMap, BTreeSet};

/// Places counted in one statement.
const TOGETHER: usize = 2_000;
/// Nodes, edges or scopes removed in one transaction.
static CHUNK: Portion = Portion::new(10_000);

/// A place of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `account/region/service`.
    pub name: String,
    /// Update tag of the last sync that saw it: Unix seconds.
    pub last_seen: i64,
    /// Whether the last whole sync did not cover it.
    pub stale: bool,
}

/// Counts by place and by kind: a label, or `(:From)-[:TYPE]->(:To)`.
pub type Counts = BTreeMap<String, BTreeMap<String, u64>>;

/// Numbers of removed elements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// Nodes.
    pub nodes: u64,
    /// Edges, without those deleted together with their nodes.
    pub edges: u64,
    /// Scopes.
    pub scopes: u64,
}

const PLACES: &str = "OPTIONAL MATCH (g:GromaSync) WHERE g.whole WITH coalesce(max(g.tag), 0) AS whole \
    MATCH (s:GromaScope) WITH whole, s.account + '/' + s.region + '/' + s.service AS place, max(s.tag) AS tag, \
    max(coalesce(s.stale, 0)) AS stale RETURN place, tag, stale > 0 AND stale = whole AND tag < stale AS stale \
    ORDER BY place";

/// Reads every place in the graph.
///
/// # Errors
/// The graph cannot be read.
pub async fn places(store: &GraphStore) -> Result<Vec<Place>, GraphError> {
    let rows = store.rows(bolt::planned_once(PLACES, [])).await?;
    let place = |row: &Row| Ok(Place { name: row.get("place")?, last_seen: row.get("tag")?, stale: row.get("stale")? });
    read(&rows, place)
}

pub(crate) fn read<T>(rows: &[Row], one: impl Fn(&Row) -> Result<T, DeError>) -> Result<Vec<T>, GraphError> {
    rows.iter().map(one).collect::<Result<_, _>>().map_err(GraphError::from)
}

/// Counts the nodes and edges that only these places see.
///
/// # Errors
/// The graph cannot be read.
pub async fn count(store: &GraphStore, places: &[Place]) -> Result<Counts, GraphError> {
    let (mut counts, by_tag) = (Counts::new(), by_tag(places));
    let Kinds { labels, types } = kinds(store).await?;
    let nodes = labels.iter().map(|label| (format!("(it:`{label}`)"), format!("it._module_label = '{label}'"), "''"));
    let edges = types
        .iter()
        .map(|kind| (format!("()-[it:`{kind}`]->()"), "it._module_ends IS NOT NULL".to_owned(), "it._module_ends"));
    let names = labels.iter().chain(&types);
    for ((pattern, condition, ends), name) in nodes.chain(edges).zip(names) {
        let chunks = by_tag.iter().flat_map(|(tag, places)| places.chunks(TOGETHER).map(|places| (*tag, places)));
        for (tag, places) in chunks {
            let text = format!(
                "MATCH {pattern} WHERE it._module_scope IN $places AND it.lastupdated <= $tag AND {condition} \
                 RETURN it._module_scope AS place, {ends} AS ends, count(*) AS count"
            );
            let parameters = [("places", bolt::texts(places)), ("tag", tag.into())];
            let rows = store.rows(bolt::planned_once(&text, parameters)).await?;
            let found: Vec<(String, String, u64)> =
                read(&rows, |row| Ok((row.get("place")?, row.get("ends")?, row.get("count")?)))?;
            for (place, ends, count) in found {
                let kind = match ends.split_once('>') {
                    Some((from, to)) => format!("(:{from})-[:{name}]->(:{to})"),
                    None => name.clone(),
                };
                *counts.entry(place).or_default().entry(kind).or_default() += count;
            }
        }
    }
    Ok(counts)
}

/// Removes nodes and edges that only these places see, detaches the places from those that others see too, and removes
/// the scopes.
///
/// # Errors
/// The graph is unavailable. Earlier removals stay.
pub async fn forget(store: &GraphStore, places: &[Place]) -> Result<Removed, GraphError> {
    if places.is_empty() {
        return Ok(Removed::default());
    }
    // Cleanup's statements name its indexes.
    Schema::default().ensure(store, []).await?;
    let Kinds { labels, types } = kinds(store).await?;
    let mut edges = Vec::new();
    for kind in types {
        let text = format!("MATCH ()-[it:`{kind}`]->() RETURN DISTINCT it._module_ends AS ends");
        let rows = store.rows(bolt::planned_once(&text, [])).await?;
        let ends: Vec<Option<String>> = read(&rows, |row| row.get("ends"))?;
        edges.extend(ends.into_iter().flatten().map(|ends| (kind.clone(), ends)));
    }
    let mut all = Removed::default();
    for (tag, names) in by_tag(places) {
        // A temporary record collects the counts of cleanup.
        let own = SyncId { id: format!("forget-{tag}-{:016x}", rand::random::<u64>()), update_tag: tag + 1 };
        cleanup::clean(store, &own, &Due::everything(names.clone(), labels.clone(), edges.clone())).await?;
        let (nodes, edges) = removed(store, &own).await?;
        all.nodes += nodes;
        all.edges += edges;
        for label in &labels {
            leave_shared(store, label, &names).await?;
        }
        all.scopes += scopes(store, &names, tag).await?;
    }
    Ok(all)
}

/// Returns the names of the places by their last tag.
fn by_tag(places: &[Place]) -> BTreeMap<i64, Vec<String>> {
    let mut by_tag = BTreeMap::<i64, Vec<String>>::new();
    for place in places {
        by_tag.entry(place.last_seen).or_default().push(place.name.clone());
    }
    by_tag
}

/// Detaches the nodes that others declare shared from these places, so that [`crate::ghosts`] removes them once nothing
/// refers to them. Another place may have seen them later than these.
async fn leave_shared(store: &GraphStore, label: &str, places: &[String]) -> Result<(), GraphError> {
    let text = format!(
        "{} WHERE it._module_scope IN $places AND it._module_shared WITH it LIMIT $chunk {} \
         WITH it WHERE it._module_scope IN $places SET it._module_scope = 'shared' RETURN count(*) AS count",
        pattern(&Kind::label(label)),
        lock_of("it"),
    );
    for places in places.chunks(TOGETHER) {
        drain(store, &text, || vec![("places", bolt::texts(places))]).await?;
    }
    Ok(())
}

/// Returns the counts of cleanup and deletes their record.
async fn removed(store: &GraphStore, own: &SyncId) -> Result<(u64, u64), GraphError> {
    let text = "MATCH (g:GromaSync {id: $sync}) \
        WITH g, coalesce(g.nodes_removed, 0) AS nodes, coalesce(g.edges_removed, 0) AS edges \
        DELETE g RETURN nodes, edges";
    let rows = store.rows(bolt::planned_once(text, [("sync", own.id.as_str().into())])).await?;
    let counts: Vec<(u64, u64)> = read(&rows, |row| Ok((row.get("nodes")?, row.get("edges")?)))?;
    Ok(counts.first().copied().unwrap_or_default())
}

/// Removes the scopes of places that no sync newer than the tag has seen.
async fn scopes(store: &GraphStore, places: &[String], tag: i64) -> Result<u64, GraphError> {
    const TEXT: &str = "UNWIND $places AS place MATCH (s:GromaScope) WHERE s.id STARTS WITH place + '/' \
        AND s.tag <= $tag WITH s LIMIT $chunk DELETE s RETURN count(*) AS count";
    let mut all = 0;
    for places in places.chunks(TOGETHER) {
        all += drain(store, TEXT, || vec![("places", bolt::texts(places)), ("tag", tag.into())]).await?;
    }
    Ok(all)
}

/// Repeats a statement that removes `$chunk` elements until it finds no more. Returns the number of removed elements.
pub(crate) async fn drain(
    store: &GraphStore,
    text: &str,
    parameters: impl Fn() -> Vec<(&'static str, BoltType)>,
) -> Result<u64, GraphError> {
    let mut all = 0;
    loop {
        let some =
            |size: usize| bolt::planned_once(text, parameters().into_iter().chain([("chunk", bolt::integer(size))]));
        let (_, rows) = store.in_portion(&CHUNK, usize::MAX, some).await?;
        let count: u64 = read(&rows, |row| row.get("count"))?.first().copied().unwrap_or(0);
        if count == 0 {
            return Ok(all);
        }
        all += count;
    }
}

/// Labels and relationship types that belong to places.
pub(crate) struct Kinds {
    pub(crate) labels: BTreeSet<String>,
    types: BTreeSet<String>,
}

/// Finds the kinds by the indexes that cleanup uses.
pub(crate) async fn kinds(store: &GraphStore) -> Result<Kinds, GraphError> {
    let text = "SHOW INDEXES YIELD entityType, labelsOrTypes, properties WHERE properties[0] = '_module_scope' \
        RETURN DISTINCT entityType = 'NODE' AS node, labelsOrTypes[0] AS name";
    let rows = graph::list_indexes(store, text).await?;
    let found: Vec<(bool, String)> = read(&rows, |row| Ok((row.get("node")?, row.get("name")?)))?;
    // The names become part of statements.
    let found = found.into_iter().filter(|(_, name)| events::identifier::is_valid(name));
    let (labels, types): (Vec<_>, Vec<_>) = found.partition(|(node, _)| *node);
    let names = |all: Vec<(bool, String)>| all.into_iter().map(|(_, name)| name).collect();
    Ok(Kinds { labels: names(labels), types: names(types) })
}

/// Counts, by kind, the nodes and edges that Cartography wrote before a time (Unix seconds) and that neither it nor
/// Groma has seen since.
///
/// Only labels and edges that some listing of Groma feeds: Groma cannot tell whether others still exist.
///
/// # Errors
/// The graph cannot be read.
pub async fn count_cartography(store: &GraphStore, before: i64) -> Result<BTreeMap<String, u64>, GraphError> {
    let mut counts = BTreeMap::new();
    for Foreign { name, text, .. } in foreign(store).await? {
        let query = bolt::planned_once(&format!("{text} RETURN count(it) AS count"), [("before", before.into())]);
        let count: u64 = read(&store.rows(query).await?, |row| row.get("count"))?.first().copied().unwrap_or(0);
        if count > 0 {
            counts.insert(name, count);
        }
    }
    Ok(counts)
}

/// Removes the nodes and edges that [`count_cartography`] counts.
///
/// # Errors
/// The graph is unavailable. Earlier removals stay.
pub async fn forget_cartography(store: &GraphStore, before: i64) -> Result<Removed, GraphError> {
    let mut removed = Removed::default();
    // Edges come first: deleting a node deletes its edges uncounted.
    for Foreign { text, is_edge, .. } in foreign(store).await?.into_iter().rev() {
        let deletion = if is_edge { "DELETE" } else { "DETACH DELETE" };
        let text = format!("{text} WITH it LIMIT $chunk {deletion} it RETURN count(*) AS count");
        let count = drain(store, &text, || vec![("before", before.into())]).await?;
        *if is_edge { &mut removed.edges } else { &mut removed.nodes } += count;
    }
    Ok(removed)
}

/// A statement that finds old elements that Groma has never seen.
struct Foreign {
    name: String,
    text: String,
    is_edge: bool,
}

/// Returns statements for labels, then for edges. A node with several of the labels counts under the first.
async fn foreign(store: &GraphStore) -> Result<Vec<Foreign>, GraphError> {
    let catalog = Catalog::load(store).await?;
    let valid = |name: &String| events::identifier::is_valid(name);
    let labels: BTreeSet<String> = catalog.labels().into_iter().filter(valid).collect();
    let mut all = Vec::new();
    for label in &labels {
        let before: Vec<String> =
            labels.iter().take_while(|other| *other != label).map(|it| format!("'{it}'")).collect();
        let text = format!(
            "MATCH (it:`{label}`) WHERE it._module_scope IS NULL AND it.lastupdated < $before \
             AND none(label IN labels(it) WHERE label IN [{}])",
            before.join(", ")
        );
        all.push(Foreign { name: label.clone(), text, is_edge: false });
    }
    for (kind, from, to) in catalog.edges().into_iter().filter(|(a, b, c)| [a, b, c].into_iter().all(valid)) {
        let name = format!("(:{from})-[:{kind}]->(:{to})");
        // Edges of the analysis belong to Groma and to no place.
        let text = format!(
            "MATCH (:`{from}`)-[it:`{kind}`]->(:`{to}`) WHERE it._module_scope IS NULL \
             AND coalesce(it._module_name, '') <> 'groma' AND it.lastupdated < $before"
        );
        all.push(Foreign { name, text, is_edge: true });
    }
    Ok(all)
}
