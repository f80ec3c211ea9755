//! Lists indexes, and waits for new indexes to come online.
//!
//! A constraint owns an index of the same name. If the client that creates the constraint is killed, Neo4j 5.26 may
//! leave this index behind without its constraint. It is never populated. After a write that violates the constraint,
//! every statement that lists indexes or constraints fails with `OnlineIndexProxy[...] is ONLINE` until the index is
//! dropped.

use crate::{GraphError, GraphStore, leftover::leftover};
use neo4rs::{Query, Row};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

/// An index of a large graph may take longer; then statements are slow for a while.
const PATIENCE: Duration = Duration::from_mins(1);
/// First and longest pause between two checks.
const PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(500));
/// Limit of leftover indexes that one listing drops.
const LEFTOVERS: usize = 32;
/// Prefix of the names of Groma's constraints.
const OURS: &str = "groma_";

/// Runs a `SHOW INDEXES` or `SHOW CONSTRAINTS` statement. If leftover indexes of Groma's own constraints make it fail,
/// drops them and repeats it.
///
/// # Errors
/// The graph is unavailable, or a leftover index of another application's constraint makes the statement fail.
pub async fn list_indexes(store: &GraphStore, text: &str) -> Result<Vec<Row>, GraphError> {
    for _ in 0..LEFTOVERS {
        let error = match store.rows(Query::new(text.to_owned())).await {
            Err(GraphError::Rejected(error)) => error,
            answer => return answer,
        };
        match leftover(&error) {
            Some(name) if name.starts_with(OURS) => drop_leftover(store, &name).await?,
            Some(name) => {
                tracing::error!(
                    index = name,
                    "Neo4j cannot list its indexes: one is left over from a constraint whose creation was cut off. Drop it"
                );
                return Err(GraphError::Rejected(error));
            }
            None => return Err(GraphError::Rejected(error)),
        }
    }
    store.rows(Query::new(text.to_owned())).await
}

/// Drops a leftover index. If another process has created the constraint of this name meanwhile, it goes too, and its
/// user recreates it.
async fn drop_leftover(store: &GraphStore, name: &str) -> Result<(), GraphError> {
    tracing::warn!(index = name, "dropping the leftover index of an interrupted constraint creation");
    let name = name.replace('`', "``");
    let drop_index = || store.rows(Query::new(format!("DROP INDEX `{name}` IF EXISTS")));
    if let Err(GraphError::Rejected(_)) = drop_index().await {
        store.rows(Query::new(format!("DROP CONSTRAINT `{name}` IF EXISTS"))).await?;
        drop_index().await?;
    }
    Ok(())
}

/// A label or relationship type, and the properties that one index covers together.
pub type Indexed<'a> = (&'a str, Vec<&'a str>);

/// Waits up to a minute until these are indexed. Returns whether they are.
///
/// `db.awaitIndexes` is not used because it is a transaction, and Neo4j begins to populate an index only when all older
/// transactions have ended. Two processes that created indexes at the same time waited for each other until both gave
/// up after a minute. The state of all indexes is not used either, because a leftover index is never populated.
///
/// # Errors
/// The graph is unavailable.
pub async fn await_indexes(store: &GraphStore, wanted: &[Indexed<'_>]) -> Result<bool, GraphError> {
    let asked = Instant::now();
    let mut pause = PAUSE.0;
    loop {
        let text = "SHOW INDEXES YIELD state, labelsOrTypes, properties WHERE state = 'ONLINE' AND size(labelsOrTypes) = 1 \
            RETURN labelsOrTypes[0] AS name, properties";
        let rows = list_indexes(store, text).await?;
        let online = rows.iter().map(|row| Ok((row.get("name")?, row.get("properties")?)));
        let online = online.collect::<Result<HashSet<(&str, Vec<&str>)>, neo4rs::DeError>>()?;
        if wanted.iter().all(|index| online.contains(index)) {
            return Ok(true);
        }
        if asked.elapsed() > PATIENCE {
            return Ok(false);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
    }
}
