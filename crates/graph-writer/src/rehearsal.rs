//! A made-up survey that is written like a real one and rolled back. A database that has just started runs every part of
//! itself slowly until it has run it some thousand times; after this it has, before the first event comes.

use crate::{
    admit::Admitted,
    apply::{self, Item},
    prepare::{self, Expected},
};
use events::{AssetBatch, EdgeRow, EdgeTable, NodeRow, NodeTable, Scope, Sync, Value, asset_event::Event, value::Kind};
use graph::{GraphError, GraphStore, Transaction};

/// Rows of each table.
const ROWS: usize = 30;
/// Times that all is written: the first makes nodes and edges, the others find them.
const TIMES: i64 = 4;

/// Writes rows of all these tables in one transaction, and undoes it.
///
/// # Errors
/// When the database is away.
pub(crate) async fn rehearse(store: &GraphStore, expected: &[Expected]) -> Result<(), GraphError> {
    prepare::undone(store, async |transaction: &mut Transaction| survey(transaction, expected).await).await
}

async fn survey(transaction: &mut Transaction, expected: &[Expected]) -> Result<(), neo4rs::Error> {
    prepare::change(transaction).await?;
    for tag in 1..=TIMES {
        let items: Vec<Item> = (0..).zip(expected).map(|(sequence, expected)| item(sequence, expected, tag)).collect();
        apply::write(transaction, &items.iter().collect::<Vec<_>>()).await?;
    }
    Ok(())
}

/// What a listing could publish.
fn item(sequence: u64, expected: &Expected, tag: i64) -> Item {
    let sync = Sync { id: "rehearsal".to_owned(), update_tag: tag };
    let listing = format!("Rehearsal{sequence}");
    let scope = Scope { account_id: "rehearsal".to_owned(), listing, ..Scope::default() };
    let nodes = expected.nodes.iter().map(with_nodes).collect();
    let edges = expected.edges.iter().map(with_edges).collect();
    let event = Event::Batch(AssetBatch { index: 0, nodes, edges });
    Item { sequence, event: Admitted { sync, scope, attempt: 1, event } }
}

/// Each property has the id for its value, so that edges find the node by whichever they name.
fn with_nodes(table: &NodeTable) -> NodeTable {
    let rows = (0..ROWS).map(|row| {
        let id = id(&table.label, row);
        let value = Value { kind: Some(Kind::String(id.clone())) };
        NodeRow { id, values: vec![value; table.properties.len()] }
    });
    NodeTable { rows: rows.collect(), ..table.clone() }
}

fn with_edges(table: &EdgeTable) -> EdgeTable {
    let rows = (0..ROWS).map(|row| EdgeRow {
        source_id: id(&table.source_label, row),
        target_value: id(&table.target_label, row),
        values: vec![Value { kind: Some(Kind::Integer(0)) }; table.properties.len()],
    });
    EdgeTable { rows: rows.collect(), ..table.clone() }
}

/// An id that AWS gives nothing.
fn id(label: &str, row: usize) -> String {
    format!("groma-rehearsal/{label}/{row}")
}
