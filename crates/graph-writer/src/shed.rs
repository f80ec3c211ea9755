//! Removes the edges of a vanished node in portions. Neo4j deletes a node with all its edges in one transaction, which
//! for a node with very many edges needs more memory or time than a transaction may have.

use crate::elements::Element;
use graph::{GraphError, GraphStore, Portion, Transaction, parameters};

/// Edges in one transaction.
static EDGES: Portion = Portion::new(10_000);

/// Deletes edges of a locked node. Keeps those of newer syncs, and all of a node that is shared.
const SHED: &str = "MATCH (it) WHERE id(it) = $id AND it._module_shared IS NULL MATCH (it)-[edge]-() \
    WHERE edge._module_scope IS NULL OR coalesce(edge.lastupdated, 0) <= $edges \
    WITH DISTINCT edge LIMIT $portion DELETE edge RETURN count(*) AS count";

/// Search for vanished nodes.
pub(crate) trait Search: Sync {
    /// Finds one, locks it, checks again that it has vanished, and returns its internal id.
    fn vanished(
        &self,
        transaction: &mut Transaction,
    ) -> impl Future<Output = Result<Option<Element>, neo4rs::Error>> + Send;
}

/// Removes edges of vanished nodes in portions, until the search finds a node without any, or none. Edges with a tag
/// greater than `edges_after` stay.
///
/// # Errors
/// The graph is unavailable, or deleting one edge is too much for it.
pub(crate) async fn shed(store: &GraphStore, edges_after: i64, search: &impl Search) -> Result<bool, GraphError> {
    let mut backoff = store.backoff();
    let mut has_shed = false;
    loop {
        let portion = EDGES.size();
        match attempt(store, edges_after, portion, search).await {
            Ok(0) => return Ok(has_shed),
            Ok(_) => {
                EDGES.passed(portion);
                (has_shed, backoff) = (true, store.backoff());
            }
            Err(error) => backoff.shrink(error, &EDGES, portion).await?,
        }
    }
}

/// Returns the number of removed edges.
async fn attempt(
    store: &GraphStore,
    edges_after: i64,
    portion: usize,
    search: &impl Search,
) -> Result<i64, neo4rs::Error> {
    let mut transaction = store.begin().await?;
    let removed = enter(&mut transaction, edges_after, portion, search).await;
    transaction.end(removed).await
}

async fn enter(
    transaction: &mut Transaction,
    edges_after: i64,
    portion: usize,
    search: &impl Search,
) -> Result<i64, neo4rs::Error> {
    let Some(id) = search.vanished(transaction).await? else { return Ok(0) };
    let of_node = [("id", id.into()), ("edges", edges_after.into()), ("portion", crate::bolt::integer(portion))];
    let removed = transaction.rows(parameters::query(SHED, of_node)).await?;
    removed.first().map_or(Ok(0), |row| Ok(row.get("count")?))
}
