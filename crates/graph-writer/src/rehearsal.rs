//! A made-up survey, written like a real one. A database that has just started runs each of its parts slowly until it
//! has run it some thousand times. The rehearsal does this before the first event arrives.
//!
//! The lookups and edges of each type are rolled back. But half the processor time of a first sync went into commits,
//! which only a committed transaction rehearses: it writes nodes of a reserved label, which are then removed.

use crate::{
    admit::Admitted,
    apply::{self, Item, Wanted},
    prepare::{self, Ending, Expected, transact},
};
use events::{
    AssetBatch, EdgeRow, EdgeTable, NodeRow, NodeTable, Property, Scope, StringList, Sync, Value, asset_event::Event,
    value::Kind,
};
use graph::{GraphError, GraphStore, Transaction};
use neo4rs::Query;
use std::collections::BTreeSet;

/// Rows of each table that is rolled back.
const ROWS: usize = 30;
/// Repetitions of all writes: the first creates nodes and edges, the others find them.
const TIMES: i64 = 4;

/// Label of the committed nodes.
const LABEL: &str = "GromaRehearsal";
/// Further label of the committed nodes: most nodes have several.
const EXTRA_LABEL: &str = "GromaRehearsed";
/// Nodes committed together.
const COMMITTED: usize = 250;
/// Number of times that they are committed and removed.
const COMMITS: i64 = 10;
/// Edges that lead from each of them.
const EDGES: usize = 3;
/// Properties of each of them.
const PROPERTIES: usize = 12;

/// Writes rows of all these tables in one transaction and undoes it, then commits nodes of the reserved label and
/// removes them.
///
/// # Errors
/// The database is unavailable.
pub(crate) async fn rehearse(store: &GraphStore, expected: &[Expected]) -> Result<(), GraphError> {
    transact(store, Ending::Undo, async |transaction: &mut Transaction| survey(transaction, expected).await).await?;
    let own = [own()];
    // Nodes that an earlier, killed rehearsal may have left.
    remove(store).await?;
    for tag in 1..=COMMITS {
        transact(store, Ending::Commit, async |transaction: &mut Transaction| write(transaction, &own, tag).await)
            .await?;
        remove(store).await?;
    }
    Ok(())
}

async fn survey(transaction: &mut Transaction, expected: &[Expected]) -> Result<(), neo4rs::Error> {
    prepare::change(transaction).await?;
    for tag in 1..=TIMES {
        let items = items(expected, ROWS, tag);
        apply::enter(transaction, &apply::scopes(&items), &items, &BTreeSet::new()).await?;
    }
    Ok(())
}

/// Writes no states of scopes, so that only nodes of the label are left behind.
async fn write(transaction: &mut Transaction, own: &[Expected], tag: i64) -> Result<(), neo4rs::Error> {
    let items = items(own, COMMITTED, tag);
    let wanted: Vec<Wanted<'_>> = items.iter().map(|item| Wanted { item, is_first: false }).collect();
    apply::write(transaction, &wanted, &BTreeSet::new()).await.map(drop)
}

fn items(expected: &[Expected], rows: usize, tag: i64) -> Vec<Item> {
    (0..).zip(expected).map(|(sequence, expected)| item(sequence, expected, rows, tag)).collect()
}

async fn remove(store: &GraphStore) -> Result<(), GraphError> {
    store.rows(Query::new(format!("MATCH (n:{LABEL}) DETACH DELETE n"))).await.map(drop)
}

/// Tables that no client can publish: admission reserves the label.
pub(crate) fn own() -> Expected {
    let names = (0..PROPERTIES).map(|number| Property { name: format!("property_{number}"), indexed: number == 0 });
    let nodes = NodeTable {
        label: LABEL.to_owned(),
        extra_labels: vec![EXTRA_LABEL.to_owned()],
        properties: names.collect(),
        ..NodeTable::default()
    };
    let edges = (0..EDGES).map(|number| EdgeTable {
        r#type: format!("GROMA_REHEARSAL_{number}"),
        source_label: LABEL.to_owned(),
        target_label: LABEL.to_owned(),
        target_key: "id".to_owned(),
        properties: vec!["property".to_owned()],
        ..EdgeTable::default()
    });
    Expected { nodes: vec![nodes], edges: edges.collect() }
}

/// Returns a batch that a listing could publish.
fn item(sequence: u64, expected: &Expected, rows: usize, tag: i64) -> Item {
    let sync = Sync { id: "rehearsal".to_owned(), update_tag: tag };
    let listing = format!("Rehearsal{sequence}");
    let scope = Scope { account_id: "rehearsal".to_owned(), listing, ..Scope::default() };
    let nodes = expected.nodes.iter().map(|table| with_nodes(table, rows)).collect();
    let edges = expected.edges.iter().map(|table| with_edges(table, rows)).collect();
    let event = Event::Batch(AssetBatch { index: 0, nodes, edges });
    Item { sequence, event: Admitted::new(sync, scope, 1, event) }
}

/// Fills a table. Values of indexed properties equal the id, so that edges find the node.
fn with_nodes(table: &NodeTable, rows: usize) -> NodeTable {
    let every = (0..rows).map(|row| {
        let id = id(&table.label, row);
        let named = || Value { kind: Some(Kind::String(id.clone())) };
        let other = |position| if position == row % PROPERTIES { Value { kind: None } } else { value(position, row) };
        let values = table.properties.iter().enumerate();
        let values =
            values.map(|(position, property)| if property.indexed { named() } else { other(position) }).collect();
        NodeRow { id, values }
    });
    NodeTable { rows: every.collect(), ..table.clone() }
}

fn with_edges(table: &EdgeTable, rows: usize) -> EdgeTable {
    let every = (0..rows).map(|row| EdgeRow {
        source_id: id(&table.source_label, row),
        target_value: id(&table.target_label, (row + 1) % rows),
        values: (0..table.properties.len()).map(|position| value(position, row)).collect(),
    });
    EdgeTable { rows: every.collect(), ..table.clone() }
}

/// Returns values of all kinds, long and short: Neo4j stores each kind differently.
fn value(position: usize, row: usize) -> Value {
    let number = i64::try_from(position + row).unwrap_or_default();
    let kind = match position % 6 {
        0 => Kind::String(format!("a text that is longer than those which have a place in the record, {number}")),
        1 => Kind::Integer(number << (row % 48)),
        2 => Kind::Boolean(row.is_multiple_of(2)),
        3 => Kind::String(number.to_string()),
        4 => Kind::TimeMicros(1_700_000_000_000_000 + number),
        _ => Kind::Strings(StringList { items: (0..row % 4).map(|item| format!("{item}-{number}")).collect() }),
    };
    Value { kind: Some(kind) }
}

/// Returns an id that AWS never assigns.
fn id(label: &str, row: usize) -> String {
    format!("groma-rehearsal/{label}/{row}")
}
