//! Connections that are dead without a word: a host is lost, or a middlebox drops a connection in silence.
//!
//! Neo4j keeps an open transaction and its locks for as long as it takes the connection for alive: by default for ever
//! (`db.transaction.timeout` is 0). Everything else that needs one of these locks then waits in vain. The client, for its
//! part, waits for an answer that was lost.
//!
//! A statement that takes long therefore looks, on a new connection, which transactions do no work. It ends those that block
//! others, and gives up itself if its own is among them. Each of Groma's bears a mark, so that others' are left alone. One
//! whose client is alive works, or is between two statements for moments only.
//!
//! Should it be ended all the same, its client must learn of it. A statement fails then. A commit does not: Neo4j 5.26.12
//! answers success to the commit of a transaction that it has undone with its connection. A client therefore believes a
//! commit only while nobody can have ended the transaction ([`BELIEVED_FOR`]).

use crate::{pool::Pool, transaction::collect};
use neo4rs::{Error, Query, Row};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// How long a statement may take before it looks. Ordinary ones take milliseconds.
pub(crate) const LOOK_AFTER: Duration = Duration::from_secs(10);
/// Looks in a row that have to find a transaction without progress.
const LOOKS: u32 = 6;
/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(3);
/// How long after a statement was sent a commit is believed. The statement is progress, so the transaction cannot have been
/// ended before `LOOKS - 1` pauses had passed, which are 15 seconds.
pub(crate) const BELIEVED_FOR: Duration = Duration::from_secs(12);
/// Limit of the whole search.
const LIMIT: Duration = Duration::from_mins(1);

/// Marks a transaction as Groma's, in its own beginning, with an id. Each user may call it (Neo4j operations manual,
/// "Procedures").
pub(crate) const MARK: &str = "CALL tx.setMetaData({app: 'groma', id: $id})";
/// The mark of the transaction that asks.
pub(crate) const ITS_MARK: &str = "CALL tx.getMetaData() YIELD metadata RETURN metadata.id AS mark";
/// This user's marked transactions; a user without further privileges sees its own only. `work` changes with every page that
/// is touched, lock that is taken and statement that begins. It stands still while nobody fetches a statement's rows (tried
/// on Neo4j 5.26.12).
const LIST: &str = "SHOW TRANSACTIONS YIELD transactionId, connectionId, metaData, currentQueryId, \
    currentQueryStatus, currentQueryAllocatedBytes, activeLockCount, pageHits, status WHERE metaData.app = 'groma' AND metaData.id IS NOT NULL \
    RETURN transactionId AS id, metaData.id AS mark, status, coalesce(currentQueryStatus = 'planning', false) AS planning, \
    connectionId AS connection, [currentQueryId, toString(currentQueryAllocatedBytes), toString(activeLockCount), toString(pageHits)] AS work";
/// Closes connections, each with its transaction. A user may close its own (Neo4j operations manual, "Procedures").
const CLOSE: &str = "UNWIND $ids AS id CALL dbms.killConnection(id) YIELD connectionId RETURN connectionId AS id";
/// For users that may not close connections. The transaction stays until its client is heard of, and others that touch its
/// nodes fail now and then as if they had been terminated themselves; they are repeated (tried on Neo4j 5.26.12).
const TERMINATE: &str = "TERMINATE TRANSACTIONS $ids YIELD transactionId RETURN transactionId AS id";

/// Marked transactions at one moment.
#[derive(Debug, Default)]
struct Look {
    /// Those that wait for no lock.
    running: BTreeMap<String, Standing>,
    /// Those that hold a lock for which others wait.
    blocking: BTreeSet<String>,
    /// Id of the own transaction. `None`: the server has none with this mark.
    own: Option<String>,
}

/// A transaction's connection, and its work so far.
#[derive(Debug, PartialEq, Eq)]
struct Standing {
    connection: String,
    work: Vec<Option<String>>,
}

/// Ends marked transactions that stand still and block others. Returns whether the transaction with this mark stands still
/// or is gone, that is, whether its client waits in vain. `None`: it has no mark.
pub(crate) async fn end(pool: &Pool, own: Option<&str>) -> bool {
    match timeout(LIMIT, search(pool, own)).await {
        Ok(Ok(is_lost)) => is_lost,
        Ok(Err(error)) => {
            tracing::debug!(%error, "cannot look for transactions whose client is gone");
            false
        }
        Err(_) => {
            tracing::debug!("looking for transactions whose client is gone takes too long");
            false
        }
    }
}

/// Whether the own one is lost.
async fn search(pool: &Pool, own: Option<&str>) -> Result<bool, Error> {
    let first = look(pool, own).await?;
    let (mut standing, mut blocking) = (first.running, first.blocking);
    let is_own = |id: &String| first.own.as_ref() == Some(id);
    let mut is_lost = own.is_some();
    for _ in 1..LOOKS {
        standing.retain(|id, _| blocking.contains(id) || is_own(id));
        is_lost &= first.own.is_none() || standing.keys().any(is_own);
        if standing.is_empty() && !is_lost {
            return Ok(false);
        }
        sleep(PAUSE).await;
        let now = look(pool, own).await?;
        is_lost &= now.own == first.own;
        standing.retain(|id, before| now.running.get(id) == Some(before));
        blocking = now.blocking;
    }
    is_lost &= first.own.is_none() || standing.keys().any(is_own);
    standing.retain(|id, _| blocking.contains(id));
    close(pool, &standing).await?;
    Ok(is_lost)
}

async fn close(pool: &Pool, standing: &BTreeMap<String, Standing>) -> Result<(), Error> {
    if standing.is_empty() {
        return Ok(());
    }
    let transactions = standing.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    tracing::warn!(transactions, "ending transactions whose client is gone: others wait for their locks");
    let connections: Vec<&str> = standing.values().map(|it| it.connection.as_str()).collect();
    let Err(error) = run(pool, Query::new(CLOSE.to_owned()).param("ids", connections)).await else { return Ok(()) };
    tracing::debug!(%error, "cannot close the connections of lost clients: terminating their transactions");
    let ids: Vec<&str> = standing.keys().map(String::as_str).collect();
    run(pool, Query::new(TERMINATE.to_owned()).param("ids", ids)).await.map(drop)
}

async fn look(pool: &Pool, own: Option<&str>) -> Result<Look, Error> {
    let mut look = Look::default();
    for row in run(pool, Query::new(LIST.to_owned())).await? {
        let (id, status): (String, String) = (row.get("id")?, row.get("status")?);
        look.blocking.extend(blockers(&status).map(str::to_owned));
        if own.is_some() && row.get::<Option<String>>("mark")?.as_deref() == own {
            look.own = Some(id.clone());
        }
        let is_free = status == "Running" && !row.get::<bool>("planning")?;
        if is_free || status.starts_with("Terminated") {
            look.running.insert(id, Standing { connection: row.get("connection")?, work: row.get("work")? });
        }
    }
    Ok(look)
}

/// `Blocked by: [neo4j-transaction-16]`.
fn blockers(status: &str) -> impl Iterator<Item = &str> {
    let listed = status.strip_prefix("Blocked by: [").and_then(|rest| rest.strip_suffix(']'));
    listed.into_iter().flat_map(|listed| listed.split(", "))
}

/// On a connection of its own: all others may be waiting.
async fn run(pool: &Pool, query: Query) -> Result<Vec<Row>, Error> {
    let (_graph, mut txn) = pool.aside().await?;
    let rows = collect(&mut txn, query).await?;
    txn.commit().await?;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::blockers;

    #[test]
    fn a_status_names_the_blockers() {
        let of = |status| blockers(status).collect::<Vec<_>>();
        assert_eq!(of("Blocked by: [neo4j-transaction-16]"), ["neo4j-transaction-16"]);
        assert_eq!(of("Blocked by: [neo4j-transaction-1, neo4j-transaction-2]").len(), 2);
        assert!(of("Running").is_empty());
    }
}
