//! Transactions whose client is gone. When a host is lost or a middlebox drops a connection in silence, Neo4j keeps the open
//! transaction and its locks for as long as it takes the connection for alive: by default for ever
//! (`db.transaction.timeout` is 0). Everything else that needs one of these locks then waits in vain.
//!
//! A statement that takes long therefore looks for such transactions and ends them. Each of Groma's bears a mark, so that
//! others' are left alone. One that is alive is between two statements for moments only; should it be ended all the same, it
//! is repeated.

use crate::{pool::Pool, transaction::collect};
use neo4rs::{Error, Query, Row};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::{sleep, timeout};

/// How long a statement may take before it looks. Ordinary ones take milliseconds.
pub(crate) const LOOK_AFTER: Duration = Duration::from_secs(10);
/// Looks in a row in which a transaction has to be without a statement.
const LOOKS: u32 = 3;
/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(2);
/// Limit of the whole search.
const LIMIT: Duration = Duration::from_secs(30);

/// Marks a transaction as Groma's, in its own beginning. Each user may call it (Neo4j operations manual, "Procedures").
pub(crate) const MARK: &str = "CALL tx.setMetaData({app: 'groma'})";
/// This user's marked transactions; a user without further privileges sees its own only. One is idle without a statement, or
/// when its statement is older than any client waits ([`crate::Limits::statement`]): its rows are not fetched any more.
const LIST: &str = "SHOW TRANSACTIONS YIELD transactionId, metaData, currentQuery, currentQueryElapsedTime, status \
    WHERE metaData.app = 'groma' RETURN transactionId AS id, status, \
    currentQuery = '' OR coalesce(currentQueryElapsedTime.milliseconds > 130000, false) AS idle";
const TERMINATE: &str = "TERMINATE TRANSACTIONS $ids YIELD transactionId RETURN transactionId AS id";

/// Ends marked transactions that are idle and block others. Does nothing while another task of this process looks.
pub(crate) async fn end(pool: &Pool) {
    let Ok(_turn) = pool.looking().try_lock() else { return };
    match timeout(LIMIT, search(pool)).await {
        Ok(Ok(ended)) if ended.is_empty() => {}
        Ok(Ok(ended)) => tracing::warn!(
            transactions = ended.into_iter().collect::<Vec<_>>().join(", "),
            "ended transactions whose client is gone: others waited for their locks"
        ),
        Ok(Err(error)) => tracing::debug!(%error, "cannot look for transactions whose client is gone"),
        Err(_) => tracing::debug!("looking for transactions whose client is gone takes too long"),
    }
}

async fn search(pool: &Pool) -> Result<BTreeSet<String>, Error> {
    let mut in_the_way: Option<BTreeSet<String>> = None;
    for look in 0..LOOKS {
        if look > 0 {
            sleep(PAUSE).await;
        }
        let rows = run(pool, Query::new(LIST.to_owned())).await?;
        let found = idle_and_blocking(&rows)?;
        let still = in_the_way.map_or(found.clone(), |before| &before & &found);
        if still.is_empty() {
            return Ok(still);
        }
        in_the_way = Some(still);
    }
    let ids: Vec<String> = in_the_way.unwrap_or_default().into_iter().collect();
    let ended = run(pool, Query::new(TERMINATE.to_owned()).param("ids", ids)).await?;
    ended.iter().map(|row| Ok(row.get("id")?)).collect()
}

/// Transactions without a statement for which others wait: `Blocked by: [neo4j-transaction-16]`.
fn idle_and_blocking(rows: &[Row]) -> Result<BTreeSet<String>, Error> {
    let (mut idle, mut blocking) = (BTreeSet::new(), BTreeSet::new());
    for row in rows {
        if row.get::<bool>("idle")? {
            idle.insert(row.get::<String>("id")?);
        }
        let status: String = row.get("status")?;
        blocking.extend(blockers(&status).map(str::to_owned));
    }
    Ok(&idle & &blocking)
}

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
