//! Transactions whose client is gone. When a host is lost or a middlebox drops a connection in silence, Neo4j keeps the open
//! transaction and its locks for as long as it takes the connection for alive: by default for ever
//! (`db.transaction.timeout` is 0). Everything else that needs one of these locks then waits in vain.
//!
//! A statement that takes long therefore looks for transactions that block others and do no work, and ends them. Each of
//! Groma's bears a mark, so that others' are left alone. One whose client is alive works, or is between two statements for
//! moments only; should it be ended all the same, it is repeated.

use crate::{pool::Pool, transaction::collect};
use neo4rs::{Error, Query, Row};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{sleep, timeout};

/// How long a statement may take before it looks. Ordinary ones take milliseconds.
pub(crate) const LOOK_AFTER: Duration = Duration::from_secs(10);
/// Looks in a row that have to find a transaction without progress.
const LOOKS: u32 = 6;
/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(3);
/// Limit of the whole search.
const LIMIT: Duration = Duration::from_mins(1);

/// Marks a transaction as Groma's, in its own beginning. Each user may call it (Neo4j operations manual, "Procedures").
pub(crate) const MARK: &str = "CALL tx.setMetaData({app: 'groma'})";
/// This user's marked transactions; a user without further privileges sees its own only. `work` changes with every page that
/// is touched, lock that is taken and statement that begins. It stands still while nobody fetches a statement's rows (tried
/// on Neo4j 5.26.12).
const LIST: &str = "SHOW TRANSACTIONS YIELD transactionId, metaData, currentQueryId, currentQueryAllocatedBytes, \
    activeLockCount, pageHits, status WHERE metaData.app = 'groma' RETURN transactionId AS id, status, \
    [currentQueryId, toString(currentQueryAllocatedBytes), toString(activeLockCount), toString(pageHits)] AS work";
const TERMINATE: &str = "TERMINATE TRANSACTIONS $ids YIELD transactionId RETURN transactionId AS id";

/// Ends marked transactions that stand still and block others. Does nothing while another task of this process looks.
pub(crate) async fn end(pool: &Pool) {
    let Ok(_turn) = pool.looking().try_lock() else { return };
    match timeout(LIMIT, search(pool)).await {
        Ok(Ok(ended)) if ended.is_empty() => {}
        Ok(Ok(ended)) => tracing::warn!(
            transactions = ended.join(", "),
            "ended transactions whose client is gone: others waited for their locks"
        ),
        Ok(Err(error)) => tracing::debug!(%error, "cannot look for transactions whose client is gone"),
        Err(_) => tracing::debug!("looking for transactions whose client is gone takes too long"),
    }
}

/// The transactions that were ended.
async fn search(pool: &Pool) -> Result<Vec<String>, Error> {
    let mut standing = in_the_way(pool).await?;
    for _ in 1..LOOKS {
        if standing.is_empty() {
            return Ok(Vec::new());
        }
        sleep(PAUSE).await;
        let now = in_the_way(pool).await?;
        standing.retain(|id, work| now.get(id) == Some(work));
    }
    let ids: Vec<String> = standing.into_keys().collect();
    let ended = run(pool, Query::new(TERMINATE.to_owned()).param("ids", ids)).await?;
    ended.iter().map(|row| Ok(row.get("id")?)).collect()
}

/// Transactions that wait for no lock and hold one for which others wait, each with its work so far.
async fn in_the_way(pool: &Pool) -> Result<BTreeMap<String, Vec<Option<String>>>, Error> {
    let (mut running, mut blocking) = (BTreeMap::new(), Vec::new());
    for row in run(pool, Query::new(LIST.to_owned())).await? {
        let status: String = row.get("status")?;
        if status == "Running" {
            running.insert(row.get("id")?, row.get("work")?);
        }
        blocking.extend(blockers(&status).map(str::to_owned));
    }
    running.retain(|id, _| blocking.contains(id));
    Ok(running)
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
