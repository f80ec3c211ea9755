//! Edges that an earlier run drew and the current one did not.

use crate::answer;
use graph::{GraphError, GraphStore, parameters};

/// Edges removed in one transaction.
pub(crate) const CHUNK: i64 = 10_000;

/// Edges of one type between two labels that only one step draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Label at their start.
    pub from: &'static str,
    /// Type.
    pub kind: &'static str,
    /// Label at their end.
    pub to: &'static str,
}

/// Removes those with an older tag, whoever drew them: a run of a newer sync has drawn everything that still holds.
///
/// # Errors
/// When the graph is away.
pub(crate) async fn remove(store: &GraphStore, shape: &Shape, tag: i64) -> Result<u64, GraphError> {
    drain(store, &text(shape), tag).await
}

pub(crate) fn text(Shape { from, kind, to }: &Shape) -> String {
    format!(
        "MATCH (:`{from}`)-[edge:`{kind}`]->(:`{to}`) WHERE edge.lastupdated < $tag \
         WITH edge LIMIT $chunk DELETE edge RETURN count(*) AS removed"
    )
}

/// Repeats a statement that removes some and answers how many, until nothing is left.
///
/// # Errors
/// When the graph is away.
pub(crate) async fn drain(store: &GraphStore, text: &str, tag: i64) -> Result<u64, GraphError> {
    let mut total = 0;
    loop {
        let query = parameters::query(text, [("tag", tag.into()), ("chunk", CHUNK.into())]);
        let removed = answer::count(&store.rows(query).await?, "removed")?;
        total += removed;
        if removed == 0 {
            return Ok(total);
        }
    }
}
