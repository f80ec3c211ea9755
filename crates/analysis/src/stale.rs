//! Edges that an earlier run wrote, but not the current one.

use crate::answer;
use graph::{GraphError, GraphStore, Portion, parameters};
use neo4rs::{BoltType, Query};
use std::collections::BTreeSet;

/// Limit of elements that one transaction removes or changes.
pub(crate) const CHUNK: usize = 10_000;
/// Number of old edges removed in one transaction.
static REMOVED: Portion = Portion::new(CHUNK);

/// Edges that only one step writes, all from nodes of one label.
#[derive(Debug, Clone, Copy)]
pub struct Shapes<'a> {
    /// Label of the start nodes.
    pub from: &'a str,
    /// Types and end labels.
    pub ends: &'a [End],
}

/// Type of an edge, and label of its end node.
pub(crate) type End = (&'static str, &'static str);

impl Shapes<'_> {
    /// Removes the edges with an older tag, whichever run wrote them: a run of a newer sync has written all edges that
    /// still apply.
    ///
    /// # Errors
    /// Fails if the graph is unavailable.
    pub(crate) async fn remove(&self, store: &GraphStore, tag: i64) -> Result<u64, GraphError> {
        in_chunks(store, &REMOVED, "removed", |size| self.chunk(tag, size)).await
    }

    /// One statement for all types, because planning one for each takes longer than running it. Locks an edge and
    /// checks it again before the removal, because a run of a newer sync may write it concurrently. Such an edge counts
    /// as removed, so that the next chunk follows.
    pub(crate) fn chunk(&self, tag: i64, size: usize) -> Query {
        let kinds: BTreeSet<&str> = self.ends.iter().map(|(kind, _)| *kind).collect();
        let kinds: Vec<&str> = kinds.into_iter().collect();
        let text = format!(
            "MATCH (:`{}`)-[edge:`{}`]->(to) \
             WHERE edge.lastupdated < $tag AND any(label IN labels(to) WHERE [type(edge), label] IN $ends) \
             WITH edge LIMIT $chunk FOREACH (locked IN [edge] | SET locked.lastupdated = locked.lastupdated) \
             FOREACH (old IN [old IN [edge] WHERE old.lastupdated < $tag] | DELETE old) \
             RETURN count(*) AS removed",
            self.from,
            kinds.join("`|`"),
        );
        let ends = parameters::list(self.ends.iter().map(|(kind, to)| parameters::texts([kind, to])));
        chunk(&text, tag, size, [("ends", ends)])
    }
}

/// Creates a statement that removes or changes at most `size` (`$chunk`) elements.
pub(crate) fn chunk<'a>(
    text: &str,
    tag: i64,
    size: usize,
    more: impl IntoIterator<Item = (&'a str, BoltType)>,
) -> Query {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    parameters::planned_once(text, [("tag", tag.into()), ("chunk", size.into())].into_iter().chain(more))
}

/// Repeats such a statement until its result `column`, the number of elements, is below the chunk size. Uses smaller
/// chunks if one is too large for a transaction. Returns the sum.
///
/// # Errors
/// Fails if the graph is unavailable, or a single element is too large.
pub(crate) async fn in_chunks(
    store: &GraphStore,
    portion: &Portion,
    column: &str,
    chunk: impl Fn(usize) -> Query,
) -> Result<u64, GraphError> {
    let mut total = 0;
    loop {
        let (size, rows) = store.in_portion(portion, CHUNK, &chunk).await?;
        let count = answer::count(&rows, column)?;
        total += count;
        if count < size as u64 {
            return Ok(total);
        }
    }
}
