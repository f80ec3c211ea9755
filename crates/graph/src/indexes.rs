//! Waiting for indexes that have just been made.

use crate::{GraphError, GraphStore};
use neo4rs::Query;
use std::time::{Duration, Instant};

/// An index of a large graph may take longer; then statements are slow for a while.
const PATIENCE: Duration = Duration::from_mins(1);
/// Pause between two looks, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(500));

/// Waits until no index is being populated, for a minute at most; says whether that is so.
///
/// Not by `db.awaitIndexes`: that is a transaction, and Neo4j begins to populate an index only when all transactions that
/// are older than it have ended. Two processes that made indexes at the same time waited for each other's until both gave
/// up after a minute.
///
/// # Errors
/// When the graph is away.
pub async fn await_indexes(store: &GraphStore) -> Result<bool, GraphError> {
    let asked = Instant::now();
    let mut pause = PAUSE.0;
    loop {
        let text = "SHOW INDEXES YIELD state WHERE state = 'POPULATING' RETURN count(*) AS populating";
        let rows = store.rows(Query::new(text.to_owned())).await?;
        let populating = rows.first().map_or(Ok(0), |row| row.get::<i64>("populating"));
        if populating? == 0 {
            return Ok(true);
        }
        if asked.elapsed() > PATIENCE {
            return Ok(false);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
    }
}
