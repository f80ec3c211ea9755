//! Shared nodes without references. A node that belongs to no place, such as an AWS managed policy, one of its
//! statements or a peered account, is removed by no sync: no single account can tell that it is gone. The edges to it
//! belong to places, and vanish with them. Once the last one has gone, no place sees the node.

use crate::{
    bolt,
    forget::{drain, kinds, read},
    ownership::{SHARED, lock_of},
};
use graph::{GraphError, GraphStore};
use std::collections::BTreeMap;

/// Shared nodes of a label that nothing refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ghosts {
    /// Their number.
    pub count: u64,
    /// Update tag of the last sync that saw the first of them: Unix seconds.
    pub oldest: i64,
    /// Update tag of the last sync that saw the last of them.
    pub newest: i64,
}

/// Returns the update tag of the last whole sync; 0 if there was none. Assets that it did not see are stale.
///
/// # Errors
/// The graph cannot be read.
pub async fn last_whole_sync(store: &GraphStore) -> Result<i64, GraphError> {
    let text = "MATCH (g:GromaSync) WHERE g.whole RETURN coalesce(max(g.tag), 0) AS tag";
    let tags = read(&store.rows(bolt::planned_once(text, [])).await?, |row| row.get("tag"))?;
    Ok(tags.first().copied().unwrap_or(0))
}

/// Counts, by label, shared nodes without edges that no sync has seen since a time (Unix seconds). A node with several
/// labels counts under the first.
///
/// # Errors
/// The graph cannot be read.
pub async fn count(store: &GraphStore, before: i64) -> Result<BTreeMap<String, Ghosts>, GraphError> {
    let mut all = BTreeMap::new();
    for (label, text) in statements(store).await? {
        let text = format!(
            "{text} RETURN count(it) AS count, coalesce(min(it.lastupdated), 0) AS oldest, \
             coalesce(max(it.lastupdated), 0) AS newest"
        );
        let rows = store.rows(bolt::planned_once(&text, [("before", before.into())])).await?;
        let found = read(&rows, |row| {
            Ok(Ghosts { count: row.get("count")?, oldest: row.get("oldest")?, newest: row.get("newest")? })
        })?;
        all.extend(found.into_iter().filter(|ghosts| ghosts.count > 0).map(|ghosts| (label.clone(), ghosts)));
    }
    Ok(all)
}

/// Removes the nodes that [`count`] counts. Returns their number.
///
/// # Errors
/// The graph is unavailable. Earlier removals stay.
pub async fn forget(store: &GraphStore, before: i64) -> Result<u64, GraphError> {
    let mut removed = 0;
    for (_, text) in statements(store).await? {
        // A sync may see the node at this moment. It locks the node first.
        let text = format!(
            "{text} WITH it LIMIT $chunk {lock} WITH it WHERE {UNSEEN} DELETE it RETURN count(*) AS count",
            lock = lock_of("it")
        );
        removed += drain(store, &text, || vec![("before", before.into())]).await?;
    }
    Ok(removed)
}

/// Condition of a ghost.
const UNSEEN: &str = "it.lastupdated < $before AND NOT EXISTS { (it)--() }";

/// Returns the statements that find ghosts, by label.
async fn statements(store: &GraphStore) -> Result<Vec<(String, String)>, GraphError> {
    let labels = kinds(store).await?.labels;
    let statement = |label: &String| {
        let before: Vec<_> = labels.iter().take_while(|other| *other != label).map(|it| format!("'{it}'")).collect();
        let text = format!(
            "MATCH (it:`{label}`) WHERE it._module_scope = '{SHARED}' AND {UNSEEN} \
             AND none(label IN labels(it) WHERE label IN [{}])",
            before.join(", ")
        );
        (label.clone(), text)
    };
    Ok(labels.iter().map(statement).collect())
}
