//! Splits the rows of one batch into several transactions, if Neo4j rejects one of them or if they are too large for
//! one transaction.
//!
//! Rows are halved until a piece succeeds or is a single row, which is left out. Nodes come before edges, as within a
//! transaction. A [`Pen`] writes each piece: [`event`] those of an event, [`held`] those of edges that lacked an end.

pub(crate) mod event;
pub(crate) mod held;

use crate::{
    admit::Admitted,
    apply::Item,
    flaws::{Owner, Refused, Row, edge_header, header},
    missing::Missing,
};
use events::{AssetBatch, EdgeTable, NodeTable};
use graph::{GraphError, Portion};
use std::ops::Range;

/// Number of rows in a piece.
static PIECE: Portion = Portion::new(1_000);

/// Result of the pieces written so far.
#[derive(Default)]
pub(crate) struct Pieces {
    /// Rows that Neo4j rejects.
    pub(crate) refused: Vec<Refused>,
    missing: Missing,
    good: AssetBatch,
}

/// Result of a piece.
pub(crate) enum Fate {
    /// Written, with the edges that lack an end.
    Written(Missing),
    /// A newer run has begun, or the batch was handled meanwhile.
    Unwanted,
}

/// Writes a piece of a batch in a separate transaction.
pub(crate) trait Pen: Sync {
    /// Repeats it after transient errors, except when it is too large.
    fn write(&self, piece: &AssetBatch) -> impl Future<Output = Result<Fate, GraphError>> + Send;
}

/// Writes a batch piece by piece. `None`: it is no longer wanted.
///
/// # Errors
/// The graph is unavailable, or the error is not due to a single row.
async fn split(item: &Item, pen: &impl Pen) -> Result<Option<Pieces>, GraphError> {
    let Some(batch) = item.batch() else { return Ok(Some(Pieces::default())) };
    let mut pieces = Pieces { good: AssetBatch { index: batch.index, ..AssetBatch::default() }, ..Pieces::default() };
    let nodes = places(batch.nodes.iter().map(|table| table.rows.len()));
    let edges = places(batch.edges.iter().map(|table| table.rows.len()));
    for (rows, cut) in [(nodes, of_nodes as Cut), (edges, of_edges as Cut)] {
        let mut left: Vec<_> = std::iter::once(0..rows.len()).collect();
        while let Some(range) = next(&mut left) {
            let piece = cut(batch, &rows[range.clone()]);
            match pen.write(&piece).await {
                Ok(Fate::Unwanted) => return Ok(None),
                Ok(Fate::Written(missing)) => {
                    PIECE.passed(range.len());
                    pieces.take(piece, missing);
                }
                Err(error) => match halves(&error, &range) {
                    Some(halves) => left.extend(halves),
                    None if is_the_row_s(&error) => pieces.refuse(item, &piece, &error),
                    None => return Err(error),
                },
            }
        }
    }
    Ok(Some(pieces))
}

impl Pieces {
    fn take(&mut self, piece: AssetBatch, missing: Missing) {
        self.good.nodes.extend(piece.nodes);
        self.good.edges.extend(piece.edges);
        self.missing.rows += missing.rows;
        self.missing.labels.extend(missing.labels);
    }

    fn refuse(&mut self, item: &Item, piece: &AssetBatch, error: &GraphError) {
        let Admitted { sync, scope, attempt, .. } = &item.event;
        let owner = Owner { sync, scope, attempt: *attempt };
        let nodes = piece.nodes.iter().flat_map(|table| table.rows.iter().map(|row| (header(table), row)));
        let edges = piece.edges.iter().flat_map(|table| table.rows.iter().map(|row| (edge_header(table), row)));
        let why = errors::chain(error);
        self.refused.extend(nodes.map(|(table, row)| owner.refuse(piece.index, &Row::Node(&table, row), &why)));
        self.refused.extend(edges.map(|(table, row)| owner.refuse(piece.index, &Row::Edge(&table, row), &why)));
    }
}

/// Whether the error is due to the only row of the transaction. A timeout is not: another transaction may hold the
/// locks.
fn is_the_row_s(error: &GraphError) -> bool {
    matches!(error, GraphError::Rejected(_)) || error.exceeds_own_memory()
}

/// Returns the pieces to try instead. The first half comes last, because the next piece is taken from the end.
fn halves(error: &GraphError, range: &Range<usize>) -> Option<[Range<usize>; 2]> {
    if matches!(error, GraphError::TooLarge(_)) {
        PIECE.halve(range.len());
    }
    let middle = range.start + range.len() / 2;
    let smaller = matches!(error, GraphError::Rejected(_) | GraphError::TooLarge(_)) && range.len() > 1;
    smaller.then_some([middle..range.end, range.start..middle])
}

/// Returns the next rows, up to the size of a piece.
fn next(left: &mut Vec<Range<usize>>) -> Option<Range<usize>> {
    let range = left.pop().filter(|range| !range.is_empty())?;
    let end = range.end.min(range.start + PIECE.size());
    if end < range.end {
        left.push(end..range.end);
    }
    Some(range.start..end)
}

/// A row's position: table and index within it.
type Place = (usize, usize);
type Cut = fn(&AssetBatch, &[Place]) -> AssetBatch;

fn places(tables: impl Iterator<Item = usize>) -> Vec<Place> {
    tables.enumerate().flat_map(|(table, rows)| (0..rows).map(move |row| (table, row))).collect()
}

/// Returns a batch of only these node rows.
fn of_nodes(batch: &AssetBatch, places: &[Place]) -> AssetBatch {
    let tables = by_table(places).map(|(table, rows)| {
        let table = &batch.nodes[table];
        NodeTable { rows: rows.map(|row| table.rows[row].clone()).collect(), ..header(table) }
    });
    AssetBatch { index: batch.index, nodes: tables.collect(), edges: Vec::new() }
}

/// Returns a batch of only these edge rows.
fn of_edges(batch: &AssetBatch, places: &[Place]) -> AssetBatch {
    let tables = by_table(places).map(|(table, rows)| {
        let table = &batch.edges[table];
        EdgeTable { rows: rows.map(|row| table.rows[row].clone()).collect(), ..edge_header(table) }
    });
    AssetBatch { index: batch.index, nodes: Vec::new(), edges: tables.collect() }
}

fn by_table(places: &[Place]) -> impl Iterator<Item = (usize, impl Iterator<Item = usize>)> {
    places.chunk_by(|a, b| a.0 == b.0).map(|rows| (rows[0].0, rows.iter().map(|(_, row)| *row)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::NodeRow;

    #[test]
    fn rows_are_cut_across_tables() {
        let table = |label: &str, ids: &[&str]| NodeTable {
            label: label.into(),
            rows: ids.iter().map(|id| NodeRow { id: (*id).into(), ..NodeRow::default() }).collect(),
            ..NodeTable::default()
        };
        let batch = AssetBatch { index: 7, nodes: vec![table("A", &["a", "b"]), table("B", &["c"])], edges: vec![] };
        let rows = places(batch.nodes.iter().map(|table| table.rows.len()));
        assert_eq!(rows, [(0, 0), (0, 1), (1, 0)]);
        let piece = of_nodes(&batch, &rows[1..]);
        assert_eq!(piece, AssetBatch { nodes: vec![table("A", &["b"]), table("B", &["c"])], ..batch });
    }

    #[test]
    fn a_rejected_piece_is_halved_in_order_down_to_the_row() {
        let rejected = GraphError::Rejected(neo4rs::Error::ConversionError);
        let mut left: Vec<_> = std::iter::once(0..4).collect();
        let mut tried = Vec::new();
        while let Some(range) = next(&mut left) {
            tried.push(range.clone());
            if range.contains(&2) {
                left.extend(halves(&rejected, &range).into_iter().flatten());
            }
        }
        assert_eq!(tried, [0..4, 0..2, 2..4, 2..3, 3..4]);
    }
}
