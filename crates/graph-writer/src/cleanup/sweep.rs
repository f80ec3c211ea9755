//! Statements of cleanup: one finds elements that their only place has not seen in this sync, two remove them.

use super::Size;
use crate::{
    bolt,
    due::Ready,
    elements::Element,
    ownership::{Kind, SPARE, lock_of},
    sightings::pattern,
};
use events::SyncId;
use graph::{Transaction, parameters};
use neo4rs::{BoltType, Query};
use std::{collections::BTreeSet, sync::Arc};

/// A value of `_module_label` or `_module_ends`, and the places where it may be cleaned.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) kind: &'a str,
    pub(super) ready: &'a Ready,
}

/// Old elements of a label or of a type of relationship.
pub(super) struct Sweep<'a> {
    find: String,
    statements: &'static Statements,
    /// Label or type.
    pub(super) kind: &'a str,
    pub(super) parts: Vec<Part<'a>>,
    /// Edges with a greater tag keep their nodes.
    pub(super) edges_after: i64,
}

/// Nodes or edges.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Elements {
    Nodes,
    Edges,
}

/// Statements about elements with `$ids`. They repeat all conditions of the search: meanwhile, such an id may belong to
/// another element.
struct Statements {
    of: Elements,
    /// Matches elements that are still old and still belong to one place only.
    again: &'static str,
    /// Further condition.
    also: &'static str,
    deletion: &'static str,
}

/// `WITH` keeps Neo4j from looking up the places in their index for each id.
const OF_NODES: Statements = Statements {
    of: Elements::Nodes,
    again: "UNWIND $ids AS id MATCH (it) WHERE id(it) = id WITH it WHERE it.lastupdated < $tag \
        AND it._module_scope IN $sets[$places[it._module_label]] ",
    also: NO_NEWER_EDGE,
    deletion: "DETACH DELETE",
};
const OF_EDGES: Statements = Statements {
    of: Elements::Edges,
    again: "UNWIND $ids AS id MATCH ()-[it]->() WHERE id(it) = id WITH it WHERE type(it) = $kind AND it.lastupdated < $tag \
        AND it._module_scope IN $sets[$places[it._module_ends]] ",
    also: "",
    deletion: "DELETE",
};

/// The index returns the elements of all the places. Old elements of a kind may be cleaned only in that kind's places.
const OLD: &str = " WHERE it._module_scope IN $old AND it.lastupdated < $tag \
    AND it._module_scope IN $sets[$ready[it.KIND]] AND id(it) > $after \
    WITH id(it) AS id ORDER BY id LIMIT $chunk RETURN collect(id) AS ids";

/// Keeps a node with an edge that a newer sync has written: deleting the node would delete that edge. Edges of the
/// analysis have no place and keep no nodes: each analysis writes them again. The search omits this condition: Neo4j
/// would read each node's edges before it compares the node's tag.
const NO_NEWER_EDGE: &str =
    "AND NOT EXISTS {(it)-[edge]-() WHERE edge.lastupdated > $edges AND edge._module_scope IS NOT NULL} ";

/// Returns the statement that finds old nodes of a label.
fn node_text(label: &str) -> String {
    pattern(&Kind::label(label)) + &OLD.replace("KIND", "_module_label")
}

/// Returns the statement that finds old edges of a type.
fn edge_text(kind: &str) -> String {
    pattern(&Kind::edge(kind, "")) + &OLD.replace("KIND", "_module_ends")
}

impl Statements {
    fn lock(&self) -> String {
        format!("{}{} RETURN collect(id(it)) AS ids", self.again, lock_of("it"))
    }

    fn remove(&self) -> String {
        let Self { again, also, deletion, .. } = self;
        format!("{again}{also}{SPARE}{deletion} it RETURN count(*) AS count")
    }

    fn check(&self) -> String {
        format!("{}{}AND it._module_shared IS NULL RETURN collect(id(it)) AS ids", self.again, self.also)
    }
}

impl<'a> Sweep<'a> {
    pub(super) fn nodes(kind: &'a str, parts: Vec<Part<'a>>, edges_after: i64) -> Self {
        Self { find: node_text(kind), statements: &OF_NODES, kind, parts, edges_after }
    }

    pub(super) fn edges(kind: &'a str, parts: Vec<Part<'a>>) -> Self {
        Self { find: edge_text(kind), statements: &OF_EDGES, kind, parts, edges_after: 0 }
    }

    pub(super) fn is_of_edges(&self) -> bool {
        self.statements.of == Elements::Edges
    }

    /// Returns the places that an earlier sync has seen too.
    pub(super) fn seen_before(&self) -> impl Iterator<Item = &String> {
        self.parts.iter().flat_map(|part| part.ready.seen_before.iter())
    }

    /// Finds old elements with an id greater than `after`, sorted, without a lock.
    pub(super) async fn old(
        &self,
        transaction: &mut Transaction,
        sync: &SyncId,
        after: Element,
        size: Size,
    ) -> Result<Vec<Element>, neo4rs::Error> {
        let all: Vec<&String> = self.seen_before().collect::<BTreeSet<_>>().into_iter().collect();
        let mut old = Vec::new();
        for places in all.chunks(size.places) {
            let these = [("old", bolt::texts(places)), ("after", after.into()), ("chunk", bolt::integer(size.found))];
            let parameters =
                self.by_kind("ready", |ready| &ready.seen_before).into_iter().chain(self.tags(sync)).chain(these);
            old.extend(ids(transaction, bolt::planned_once(&self.find, parameters)).await?);
            old.sort_unstable();
            old.truncate(size.found);
        }
        Ok(old)
    }

    /// Removes those of these elements that are still old, and returns their number.
    pub(super) async fn remove(
        &self,
        transaction: &mut Transaction,
        sync: &SyncId,
        ids: &[Element],
    ) -> Result<i64, neo4rs::Error> {
        let locked = self.lock(transaction, sync, ids).await?;
        if locked.is_empty() {
            return Ok(0);
        }
        let removed = transaction.rows(self.about(&self.statements.remove(), sync, &locked)).await?;
        removed.first().map_or(Ok(0), |row| Ok(row.get("count")?))
    }

    /// Locks this node. Returns it if it is still old and belongs to one place only. Returns `None` for a sweep of
    /// edges: edges have no edges, and their ids are also ids of nodes.
    pub(super) async fn vanished(
        &self,
        transaction: &mut Transaction,
        sync: &SyncId,
        id: Element,
    ) -> Result<Option<Element>, neo4rs::Error> {
        if self.is_of_edges() {
            return Ok(None);
        }
        let locked = self.lock(transaction, sync, &[id]).await?;
        Ok(ids(transaction, self.about(&self.statements.check(), sync, &locked)).await?.pop())
    }

    /// Locks those of these elements that appear to be old.
    async fn lock(
        &self,
        transaction: &mut Transaction,
        sync: &SyncId,
        elements: &[Element],
    ) -> Result<Vec<Element>, neo4rs::Error> {
        ids(transaction, self.about(&self.statements.lock(), sync, elements)).await
    }

    /// Builds a statement about these elements. Neo4j plans it again as the graph grows: it finds relationships by id,
    /// and a plan made while there are fewer than five scans all of them.
    fn about(&self, text: &str, sync: &SyncId, ids: &[Element]) -> Query {
        let places = self.by_kind("places", |ready| &ready.places);
        let ids = bolt::list(ids.iter().map(|id| (*id).into()));
        let these = [("kind", self.kind.into()), ("ids", ids)];
        parameters::query(text, places.into_iter().chain(self.tags(sync)).chain(these))
    }

    /// Returns `$sets[$NAME[kind]]`: places by value of `_module_label` or `_module_ends`. Most kinds have the same
    /// places, so each set of places is sent once.
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

    fn tags(&self, sync: &SyncId) -> [(&'static str, BoltType); 2] {
        [("tag", sync.update_tag.into()), ("edges", self.edges_after.into())]
    }
}

/// Runs a statement that returns one list of ids.
async fn ids(transaction: &mut Transaction, query: Query) -> Result<Vec<Element>, neo4rs::Error> {
    let rows = transaction.rows(query).await?;
    rows.first().map_or(Ok(Vec::new()), |row| Ok(row.get("ids")?))
}
