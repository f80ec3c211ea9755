//! Listing indexes, and waiting for those that have just been made.
//!
//! A constraint has an index of its name. When the client that creates the constraint is killed, Neo4j 5.26 may leave this
//! index behind: it is never populated, and after a write that the constraint would have refused, every statement that lists
//! indexes or constraints fails with `OnlineIndexProxy[...] is ONLINE` until the index is dropped.

use crate::{GraphError, GraphStore};
use neo4rs::{Error, Query, Row};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

/// An index of a large graph may take longer; then statements are slow for a while.
const PATIENCE: Duration = Duration::from_mins(1);
/// Pause between two looks, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(500));
/// Leftovers of killed processes that one listing drops.
const LEFTOVERS: usize = 32;
/// How Groma's constraints begin.
const OURS: &str = "groma_";

/// Runs a `SHOW INDEXES` or `SHOW CONSTRAINTS` statement. Drops indexes left over from Groma's own constraints where they make
/// it fail.
///
/// # Errors
/// When the graph is away, or the index of somebody else's constraint makes the statement fail.
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

/// Name of the leftover index that made a listing fail.
pub(crate) fn leftover(error: &Error) -> Option<String> {
    let Error::Neo4j(error) = error else { return None };
    let (_, rest) = error.message().split_once("IndexProxy[")?;
    let (name, _) = rest.strip_suffix(" is ONLINE")?.split_once("name='")?.1.split_once('\'')?;
    Some(name.to_owned())
}

/// Another index may have the same name and belong to the constraint, which then goes too and is made again by its user.
async fn drop_leftover(store: &GraphStore, name: &str) -> Result<(), GraphError> {
    tracing::warn!(index = name, "dropping what a cut-off creation of a constraint left behind");
    let name = name.replace('`', "``");
    let drop_index = || store.rows(Query::new(format!("DROP INDEX `{name}` IF EXISTS")));
    if let Err(GraphError::Rejected(_)) = drop_index().await {
        store.rows(Query::new(format!("DROP CONSTRAINT `{name}` IF EXISTS"))).await?;
        drop_index().await?;
    }
    Ok(())
}

/// Properties of a label or relationship type that are indexed together.
pub type Indexed<'a> = (&'a str, Vec<&'a str>);

/// Waits until these are indexed, for a minute at most; says whether they are.
///
/// Not by `db.awaitIndexes`: that is a transaction, and Neo4j begins to populate an index only when all transactions that
/// are older than it have ended. Two processes that made indexes at the same time waited for each other's until both gave
/// up after a minute. Nor by the state of all indexes: a leftover is never populated.
///
/// # Errors
/// When the graph is away.
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
