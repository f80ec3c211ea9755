//! Edges that lack an end, and the names of the batches that have them.

use std::collections::BTreeSet;

/// Name of a held batch within its run. Not its sequence: a replay, or a stream that has lost its end, brings other
/// batches with the same sequences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeldBatch {
    /// Index of the batch.
    Index(u32),
    /// Sequence of a batch that an earlier version held without its index.
    Sequence(u64),
}

/// Edges of a batch that lack an end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing {
    /// Sequence in the stream with which the batch last arrived.
    pub sequence: u64,
    /// Number of edges.
    pub rows: u64,
    /// Labels of the missing nodes.
    pub labels: BTreeSet<String>,
    /// Edges of the batch that Neo4j rejects, as hashes of the edge and its table's names. They are counted and not
    /// tried again.
    pub refused: BTreeSet<u64>,
}
