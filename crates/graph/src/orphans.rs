//! Finds connections that broke unnoticed by either side: a host crashed, or a firewall dropped the connection.
//!
//! Neo4j keeps an open transaction and its locks until it notices that the connection is broken; by default it may never
//! notice (`db.transaction.timeout` is 0). Other transactions then wait for these locks in vain. The client waits for a lost
//! answer.
//!
//! A slow statement therefore checks, on a new connection, which transactions do no work. It terminates those that block
//! others, and fails if its own transaction does no work either. Groma marks its transactions, so that it terminates no
//! others.
//!
//! Termination takes two steps. A terminated transaction drops its locks, and all its statements and its commit fail. It stays
//! open until its connection closes. Until then, other transactions on the same nodes sometimes fail with
//! `Transaction.Terminated`; Groma repeats them. Once the connection is closed, Neo4j confirms the transaction's commit
//! although nothing is stored. So the connection is closed [`GRACE`] after the termination, and a client counts a commit as
//! done only if its answer arrives within [`BELIEVED_FOR`] of sending a successful statement: the transaction was not
//! terminated before that. (All tried on Neo4j 5.26.12.)

use crate::{
    pool::{Pool, begin},
    rows::collect,
};
use neo4rs::{Error, Graph, Query, Row};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// Duration of a statement before it checks. Ordinary ones take milliseconds.
pub(crate) const LOOK_AFTER: Duration = Duration::from_secs(10);
/// Consecutive checks that must find a transaction without progress.
const LOOKS: u32 = 6;
/// Pause between two checks.
const PAUSE: Duration = Duration::from_secs(3);
/// Limit of the whole search.
const LIMIT: Duration = Duration::from_mins(1);
/// Minimum time from a transaction's termination until its connection is closed.
const GRACE: Duration = Duration::from_secs(20);
/// Longest time from sending the last statement to the commit's answer; see above. Less than [`GRACE`].
pub(crate) const BELIEVED_FOR: Duration = Duration::from_secs(12);

/// This user's marked transactions; a user without further privileges sees only its own. `work` changes with each page
/// access, lock and statement. It does not change while a client fetches no rows, or while a statement waits for a plan or
/// an index (`planned`).
const LIST: &str = "SHOW TRANSACTIONS YIELD transactionId, connectionId, metaData, currentQueryId, currentQueryStatus, \
    currentQueryAllocatedBytes, activeLockCount, pageHits, pageFaults, status \
    WHERE metaData.app = 'groma' AND metaData.id IS NOT NULL \
    RETURN transactionId AS id, connectionId AS connection, metaData.id AS mark, status, \
    coalesce(currentQueryStatus IN ['planning', 'planned'], false) AS planning, [currentQueryId, \
    toString(currentQueryAllocatedBytes), toString(activeLockCount), toString(pageHits), toString(pageFaults)] AS work";
const TERMINATE: &str = "TERMINATE TRANSACTIONS $ids YIELD transactionId RETURN transactionId AS id";
/// A user may close its own connections (Neo4j operations manual, "Procedures").
const CLOSE: &str = "CALL dbms.killConnection($id) YIELD connectionId RETURN connectionId AS id";

/// Snapshot of the marked transactions.
#[derive(Debug, Default)]
struct Look {
    /// Transactions that wait for no lock and no plan, each with its work so far.
    running: BTreeMap<String, Vec<Option<String>>>,
    /// Transactions that hold a lock for which others wait.
    blocking: BTreeSet<String>,
    /// Terminated transactions that are still open, each with its connection.
    terminated: BTreeMap<String, String>,
    /// Id of the caller's transaction. `None`: the server has none with this mark.
    own: Option<String>,
}

/// Terminates marked transactions that make no progress and block others. Returns true if the transaction with the mark `own`
/// makes none either, so that no answer will come. Pass `None` if it has no mark. Does nothing while enough other tasks of
/// this process check.
pub(crate) async fn end(pool: &Arc<Pool>, own: Option<&str>) -> bool {
    let Ok(_turn) = pool.looking().try_acquire() else { return false };
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

/// Returns whether the caller's transaction is lost.
async fn search(pool: &Arc<Pool>, own: Option<&str>) -> Result<bool, Error> {
    let graph = pool.aside()?;
    let first = look(&graph, own).await?;
    let (mut standing, mut blocking) = (first.running, first.blocking);
    let is_own = |id: &String| first.own.as_ref() == Some(id);
    for _ in 1..LOOKS {
        standing.retain(|id, _| blocking.contains(id) || is_own(id));
        if standing.is_empty() {
            return Ok(false);
        }
        sleep(PAUSE).await;
        let now = look(&graph, own).await?;
        standing.retain(|id, before| now.running.get(id) == Some(before));
        blocking = now.blocking;
    }
    let is_lost = standing.keys().any(is_own);
    let ids: Vec<String> = standing.into_keys().filter(|id| blocking.contains(id)).collect();
    if !ids.is_empty() {
        tracing::warn!(
            transactions = ids.join(", "),
            "ending transactions whose client is gone: others wait for their locks"
        );
        run(&graph, Query::new(TERMINATE.to_owned()).param("ids", ids.clone())).await?;
        // The caller cancels this search as soon as its statement gets the lock.
        let pool = pool.clone();
        tokio::spawn(async move {
            match timeout(GRACE + LIMIT, close(&pool, ids)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "cannot close the connections of clients that are gone"),
                Err(_) => tracing::debug!("closing the connections of clients that are gone takes too long"),
            }
        });
    }
    Ok(is_lost)
}

/// Closes the connections of these transactions if they are terminated and still open.
async fn close(pool: &Pool, ids: Vec<String>) -> Result<(), Error> {
    sleep(GRACE).await;
    let graph = pool.aside()?;
    let open = look(&graph, None).await?.terminated;
    for connection in ids.iter().filter_map(|id| open.get(id)) {
        run(&graph, Query::new(CLOSE.to_owned()).param("id", connection.as_str())).await?;
    }
    Ok(())
}

async fn look(graph: &Graph, own: Option<&str>) -> Result<Look, Error> {
    let mut look = Look::default();
    for row in run(graph, Query::new(LIST.to_owned())).await? {
        let (id, status): (String, String) = (row.get("id")?, row.get("status")?);
        look.blocking.extend(blockers(&status).map(str::to_owned));
        if own.is_some() && row.get::<Option<String>>("mark")?.as_deref() == own {
            look.own = Some(id.clone());
        }
        if status.starts_with("Terminated") {
            look.terminated.insert(id, row.get("connection")?);
        } else if status == "Running" && !row.get::<bool>("planning")? {
            look.running.insert(id, row.get("work")?);
        }
    }
    Ok(look)
}

/// Ids in a status such as `Blocked by: [neo4j-transaction-16]`.
fn blockers(status: &str) -> impl Iterator<Item = &str> {
    let listed = status.strip_prefix("Blocked by: [").and_then(|rest| rest.strip_suffix(']'));
    listed.into_iter().flat_map(|listed| listed.split(", "))
}

pub(crate) async fn run(graph: &Graph, query: Query) -> Result<Vec<Row>, Error> {
    let mut txn = begin(graph).await?;
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
