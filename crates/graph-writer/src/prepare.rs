//! What can be done before the first event: indexes, and the plans of the statements that are likely to come. Neo4j plans a
//! statement when it first sees it, which for all types together takes a database that has just started some twenty
//! seconds of processor time, more than writing a small organization does.

use crate::{
    bolt, cleanup, edges, nodes,
    schema::{Need, Schema},
};
use events::{EdgeTable, NodeTable};
use futures::{TryStreamExt, stream};
use graph::{GraphError, GraphStore};
use neo4rs::Query;
use std::collections::BTreeSet;

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

    /// Those that every sync needs; what is seen by several places is rare.
    fn statements(&self) -> Vec<String> {
        let nodes = self
            .nodes
            .iter()
            .flat_map(|table| nodes::texts(table, &self.listing).into_iter().chain([cleanup::node_text(&table.label)]));
        let edges = self
            .edges
            .iter()
            .flat_map(|table| edges::texts(table).into_iter().chain([cleanup::edge_text(&table.r#type)]));
        nodes.chain(edges).collect()
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prepared {
    /// Indexes and constraints that are there now.
    pub indexes: usize,
    /// Statements that have been planned.
    pub statements: usize,
}

/// Makes indexes and constraints, and has every statement planned. Changes no data.
///
/// # Errors
/// When the database is away, or refuses.
pub async fn prepare(store: &GraphStore, expected: &[Expected]) -> Result<Prepared, GraphError> {
    let needs: BTreeSet<Need> = expected.iter().flat_map(Expected::needs).chain(Need::of_analysis()).collect();
    let indexes = needs.len();
    Schema::default().ensure(store, needs).await?;
    let texts: BTreeSet<String> = expected.iter().flat_map(Expected::statements).collect();
    let queries = texts.iter().map(|text| bolt::idle(text)).chain(analysis::explained());
    let queries: Vec<Query> = queries.collect();
    let statements = queries.len();
    stream::iter(queries.into_iter().map(Ok))
        .try_for_each_concurrent(AT_ONCE, |query| async { store.rows(query).await.map(drop) })
        .await?;
    Ok(Prepared { indexes, statements })
}
