//! What can be done before the first event: indexes, and the plans of the statements that are likely to come. Neo4j plans a
//! statement when it first sees it, which for all types together takes a database that has just started some twenty
//! seconds of processor time, more than writing a small organization does.
//!
//! An empty database gets what its first sync needs, which has nothing to refresh or to clean; another one the rest as well.

use crate::{
    bolt, cleanup, edges, nodes,
    schema::{Need, Schema},
};
use events::{EdgeTable, NodeTable, Ownership};
use futures::{TryStreamExt, stream};
use graph::{GraphError, GraphStore};
use neo4rs::Query;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Statements planned at once; planning is all processor time.
const AT_ONCE: usize = 2;

/// What a listing is going to publish: tables without rows.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// The listing.
    pub listing: String,
    /// Nodes.
    pub nodes: Vec<NodeTable>,
    /// Edges.
    pub edges: Vec<EdgeTable>,
}

impl Expected {
    pub(crate) fn needs(&self) -> Vec<Need> {
        self.nodes.iter().flat_map(Need::of_nodes).chain(self.edges.iter().flat_map(Need::of_edges)).collect()
    }

    /// What a first sync needs. Nodes that other listings, or all places, give as well are rarely new when they come.
    fn of_first_sync(&self, fed_often: &HashSet<&str>) -> Vec<String> {
        let nodes = self.nodes.iter().flat_map(|table| {
            let [_, create, remember] = nodes::texts(table, &self.listing);
            let is_rarely_new = table.ownership() == Ownership::Shared || fed_often.contains(table.label.as_str());
            [Some(create), is_rarely_new.then_some(remember)].into_iter().flatten()
        });
        nodes.chain(self.edges.iter().map(|table| edges::texts(table).0)).collect()
    }

    /// What every later sync needs besides; what is seen by several places is rare.
    fn of_later_syncs(&self) -> Vec<String> {
        let nodes = self.nodes.iter().flat_map(|table| {
            let [refresh, ..] = nodes::texts(table, &self.listing);
            [refresh, cleanup::node_text(&table.label)]
        });
        let edges = self.edges.iter().flat_map(|table| [edges::texts(table).1, cleanup::edge_text(&table.r#type)]);
        nodes.chain(edges).collect()
    }
}

/// Labels that more than one listing gives.
fn fed_often(expected: &[Expected]) -> HashSet<&str> {
    let mut listings = HashMap::<&str, HashSet<&str>>::new();
    for Expected { listing, nodes, .. } in expected {
        for table in nodes {
            listings.entry(&table.label).or_default().insert(listing);
        }
    }
    listings.into_iter().filter(|(_, listings)| listings.len() > 1).map(|(label, _)| label).collect()
}

async fn is_empty(store: &GraphStore) -> Result<bool, GraphError> {
    let rows = store.rows(Query::new("MATCH (n) RETURN count(n) AS count".to_owned())).await?;
    Ok(rows.first().and_then(|row| row.get::<i64>("count").ok()) == Some(0))
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prepared {
    /// Indexes and constraints that are there now.
    pub indexes: usize,
    /// Statements that have been planned.
    pub statements: usize,
}

/// Makes indexes and constraints, and has statements planned. Changes no data.
///
/// # Errors
/// When the database is away, or refuses.
pub async fn prepare(store: &GraphStore, expected: &[Expected]) -> Result<Prepared, GraphError> {
    let needs: BTreeSet<Need> = expected.iter().flat_map(Expected::needs).chain(Need::of_analysis()).collect();
    let indexes = needs.len();
    Schema::default().ensure(store, needs).await?;
    let often = fed_often(expected);
    let mut texts: BTreeSet<String> = expected.iter().flat_map(|it| it.of_first_sync(&often)).collect();
    if !is_empty(store).await? {
        texts.extend(expected.iter().flat_map(Expected::of_later_syncs));
    }
    let statements = texts.len();
    stream::iter(texts.iter().map(|text| Ok(bolt::idle(text))))
        .try_for_each_concurrent(AT_ONCE, |query| async { store.rows(query).await.map(drop) })
        .await?;
    Ok(Prepared { indexes, statements })
}
