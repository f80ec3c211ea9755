//! Removes findings of accounts, gone findings, and questions without a new answer, both after 90 days. Questions that no
//! longer exist get no answer. A question that only this version lacks stays for that time, so an older program on the same
//! graph takes nothing from a newer one.

use graph::{GraphError, GraphStore, Portion, parameters};
use neo4rs::BoltType;

/// Time for which both are kept, in milliseconds: 90 days.
pub const KEPT: i64 = 90 * 24 * 3_600 * 1_000;

/// Number of nodes removed in one transaction.
static REMOVED: Portion = Portion::new(5_000);

const GONE: &str = "MATCH (f:GromaFinding) WHERE f.gone_seen < timestamp() - $kept WITH f LIMIT $most DELETE f \
    RETURN count(*) AS removed";
/// Findings of old questions. Their question goes last, so that an interrupted run is completed by the next one. Without a
/// condition on `last_seen`, Neo4j would not use the index.
const FINDINGS: &str = "MATCH (q:GromaQuestion) WHERE q.touched < timestamp() - $kept \
    MATCH (f:GromaFinding) WHERE f.asked = q.id AND f.last_seen IS NOT NULL WITH f LIMIT $most DELETE f \
    RETURN count(*) AS removed";
const QUESTIONS: &str = "MATCH (q:GromaQuestion) WHERE q.touched < timestamp() - $kept \
    AND NOT EXISTS { MATCH (f:GromaFinding) WHERE f.asked = q.id AND f.last_seen IS NOT NULL } \
    WITH q LIMIT $most DELETE q RETURN count(*) AS removed";
const OF_ACCOUNTS: &str = "MATCH (f:GromaFinding) WHERE f.account IN $accounts WITH f LIMIT $most DELETE f \
    RETURN count(*) AS removed";

/// Removes findings that are gone for 90 days, and everything of questions that no process has remembered for 90 days.
/// Returns the number of removed findings and questions.
///
/// # Errors
/// The graph cannot be written. Earlier removals stay.
pub async fn forget(store: &GraphStore) -> Result<u64, GraphError> {
    let mut removed = 0;
    for text in [GONE, FINDINGS, QUESTIONS] {
        removed += remove(store, text, ("kept", KEPT.into())).await?;
    }
    Ok(removed)
}

/// Returns the number of remembered findings of accounts, also of those that are gone.
///
/// # Errors
/// The graph cannot be read.
pub async fn count_of_accounts(store: &GraphStore, accounts: &[String]) -> Result<u64, GraphError> {
    let text = "MATCH (f:GromaFinding) WHERE f.account IN $accounts RETURN count(*) AS count";
    let rows = store.rows(parameters::query(text, [("accounts", parameters::texts(accounts))])).await?;
    let count: i64 = rows.first().map_or(Ok(0), |row| row.get("count"))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Removes the remembered findings of accounts. A finding of them that is there later is new. Returns the number of removed
/// findings.
///
/// # Errors
/// The graph cannot be written. Earlier removals stay.
pub async fn forget_accounts(store: &GraphStore, accounts: &[String]) -> Result<u64, GraphError> {
    remove(store, OF_ACCOUNTS, ("accounts", parameters::texts(accounts))).await
}

/// Runs a statement until it removes nothing more. Returns the number of removed nodes.
async fn remove(store: &GraphStore, text: &str, given: (&str, BoltType)) -> Result<u64, GraphError> {
    let mut removed = 0;
    loop {
        let query = |size: usize| {
            let most = i64::try_from(size).unwrap_or(i64::MAX);
            parameters::planned_once(text, [given.clone(), ("most", most.into())])
        };
        let (size, rows) = store.in_portion(&REMOVED, usize::MAX, query).await?;
        let found: i64 = rows.first().map_or(Ok(0), |row| row.get("removed"))?;
        let found = u64::try_from(found).unwrap_or(0);
        removed += found;
        if found < size as u64 {
            return Ok(removed);
        }
    }
}
