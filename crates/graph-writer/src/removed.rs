//! Counts the removals of a sync on `(:GromaSync)`.

use crate::bolt;
use events::SyncId;
use graph::Transaction;

/// Adds a transaction's removals to the counters. Run it last: it locks the record until the commit.
pub(crate) async fn count_removed(
    transaction: &mut Transaction,
    sync: &SyncId,
    counter: &str,
    removed: i64,
) -> Result<(), neo4rs::Error> {
    if removed == 0 {
        return Ok(());
    }
    let text = format!(
        "MERGE (g:GromaSync {{id: $sync}}) ON CREATE SET g.tag = $tag \
         SET g.{counter} = coalesce(g.{counter}, 0) + $removed"
    );
    let parameters = [("sync", sync.id.as_str().into()), ("tag", sync.update_tag.into()), ("removed", removed.into())];
    transaction.run(bolt::planned_once(&text, parameters)).await
}
