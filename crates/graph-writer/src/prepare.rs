//! Prepares a database before the first event: creates indexes, and has the expected statements planned. Neo4j plans a
//! statement when it first sees it. For all types together, this takes a database that has just started some twenty
//! seconds of processor time, more than writing a small organization does.
//!
//! An empty database is prepared for its first sync, which has nothing to clean; any other database for the rest as
//! well.

use crate::{
    bolt, cleanup, edges, elements, feeds, nodes,
    schema::{Need, Schema},
    scope_store, sightings, unseen,
};
use events::{EdgeTable, NodeTable};
use futures::{TryStreamExt, stream};
use graph::{GraphError, GraphStore, Transaction};
use neo4rs::Query;
use std::collections::{BTreeMap, BTreeSet};

/// Concurrent transactions that plan statements; planning takes only processor time.
const AT_ONCE: usize = 2;
/// Statements planned in one transaction: while it is open, no new index is populated.
const IN_ONE: usize = 25;

/// Tables that a listing will publish, without rows.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// Nodes.
    pub nodes: Vec<NodeTable>,
    /// Edges.
    pub edges: Vec<EdgeTable>,
}

impl Expected {
    /// Returns all listings of the catalog.
    pub fn of_catalog() -> Vec<Self> {
        let listings = catalog::services().iter().flat_map(|service| &service.listings);
        let of_listing = |listing: &catalog::Listing| Self {
            nodes: listing.tables.iter().flat_map(catalog::Table::nodes).collect(),
            edges: listing.tables.iter().flat_map(catalog::Table::edges).collect(),
        };
        listings.map(of_listing).collect()
    }

    pub(crate) fn needs(&self) -> Vec<Need> {
        self.nodes.iter().flat_map(Need::of_nodes).chain(self.edges.iter().flat_map(Need::of_edges)).collect()
    }

    /// Returns statements of every sync, in transactions that have changed something.
    fn of_rows(&self) -> Vec<String> {
        let nodes = self.nodes.iter().map(|table| elements::text((&table.label, "id")));
        let edges = self.edges.iter().flat_map(|table| {
            let source = elements::text((&table.source_label, "id"));
            [source, elements::text((&table.target_label, &table.target_key)), edges::merge(&table.r#type)]
        });
        nodes.chain(edges).collect()
    }
}

/// Returns statements that serve all types, in transactions that have changed something.
fn general() -> [String; 9] {
    let [save, sight, renew, feeds] =
        [scope_store::SAVE, sightings::WRITE, sightings::RENEW, feeds::NOTE].map(str::to_owned);
    let [create, refresh, remember] = [nodes::create(), nodes::refresh(), nodes::remember()];
    [create, refresh, remember, edges::create(), edges::refresh_catalogued(), save, sight, renew, feeds]
}

/// Returns statements for edges that several places see, of types that several tables have: edges of other types rarely
/// need them.
fn of_several(expected: &[Expected]) -> impl Iterator<Item = String> {
    let mut tables = BTreeMap::<&str, usize>::new();
    let types = expected.iter().flat_map(|expected| &expected.edges).map(|table| table.r#type.as_str());
    types.for_each(|kind| *tables.entry(kind).or_default() += 1);
    tables.into_iter().filter(|(_, tables)| *tables > 1).map(|(kind, _)| edges::remember(kind))
}

async fn is_empty(store: &GraphStore) -> Result<bool, GraphError> {
    let rows = store.rows(Query::new("MATCH (n) RETURN count(n) AS count".to_owned())).await?;
    Ok(rows.first().and_then(|row| row.get::<i64>("count").ok()) == Some(0))
}

/// Result of the preparation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prepared {
    /// Indexes and constraints that exist now.
    pub indexes: usize,
    /// Planned statements.
    pub statements: usize,
}

/// Creates indexes and constraints, and has statements planned in transactions that are rolled back. Changes no data.
///
/// # Errors
/// The database is unavailable, or rejects a change.
pub async fn prepare(store: &GraphStore, expected: &[Expected]) -> Result<Prepared, GraphError> {
    let needs: BTreeSet<Need> = expected.iter().flat_map(Expected::needs).chain(Need::of_analysis()).collect();
    let indexes = needs.len();
    Schema::default().ensure(store, needs).await?;
    let rows: BTreeSet<String> =
        expected.iter().flat_map(Expected::of_rows).chain(general()).chain(of_several(expected)).collect();
    let mut alone = BTreeSet::from(scope_store::texts());
    if !is_empty(store).await? {
        alone.extend(cleanup::texts().into_iter().chain(unseen::texts()));
    }
    let idle = |texts: &BTreeSet<String>| texts.iter().map(|text| bolt::idle(text)).collect::<Vec<Query>>();
    plan(store, &idle(&rows), After::Change).await?;
    plan(store, &idle(&alone), After::Nothing).await?;
    let labels = expected.iter().flat_map(|expected| &expected.nodes).map(|table| table.label.as_str()).collect();
    let analysis = analysis::statements(&labels);
    plan(store, &analysis, After::Nothing).await?;
    Ok(Prepared { indexes, statements: rows.len() + alone.len() + analysis.len() })
}

/// State of the transactions for which statements are planned. Neo4j keeps one plan for transactions that have changed
/// something and another for those that have not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Change,
    Nothing,
}

/// Has statements planned, and undoes their changes.
async fn plan(store: &GraphStore, queries: &[Query], after: After) -> Result<(), GraphError> {
    stream::iter(queries.chunks(IN_ONE).map(Ok))
        .try_for_each_concurrent(AT_ONCE, |queries| async move {
            let mut backoff = store.backoff();
            while let Err(error) = run_and_undo(store, queries, after).await {
                backoff.pause(error).await?;
            }
            Ok(())
        })
        .await
}

async fn run_and_undo(store: &GraphStore, queries: &[Query], after: After) -> Result<(), neo4rs::Error> {
    let mut transaction = store.begin().await?;
    let outcome = run(&mut transaction, queries, after).await;
    transaction.undo().await;
    outcome
}

async fn run(transaction: &mut Transaction, queries: &[Query], after: After) -> Result<(), neo4rs::Error> {
    if after == After::Change {
        transaction.run(Query::new("CREATE (:GromaSync)".to_owned())).await?;
    }
    for query in queries {
        transaction.rows(query.clone()).await?;
    }
    Ok(())
}
