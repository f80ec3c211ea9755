//! Constraints and indexes of the nodes. Two processes that remember the same finding make one node only because of the
//! constraint.

use graph::{Backoff, GraphError, GraphStore, await_indexes, list_indexes};
use neo4rs::Query;

/// Names and statements.
const SCHEMA: [(&str, &str); 5] = [
    (
        "groma_question_id",
        "CREATE CONSTRAINT groma_question_id IF NOT EXISTS FOR (q:GromaQuestion) REQUIRE q.id IS UNIQUE",
    ),
    (
        "groma_finding_id",
        "CREATE CONSTRAINT groma_finding_id IF NOT EXISTS FOR (f:GromaFinding) REQUIRE f.id IS UNIQUE",
    ),
    (
        "groma_finding_asked",
        "CREATE INDEX groma_finding_asked IF NOT EXISTS FOR (f:GromaFinding) ON (f.asked, f.last_seen)",
    ),
    ("groma_finding_account", "CREATE INDEX groma_finding_account IF NOT EXISTS FOR (f:GromaFinding) ON (f.account)"),
    ("groma_finding_gone", "CREATE INDEX groma_finding_gone IF NOT EXISTS FOR (f:GromaFinding) ON (f.gone_seen)"),
];

/// Creates missing constraints and indexes, and waits a minute at most until they are online. Returns their number.
///
/// # Errors
/// The graph is unavailable, or this user may not change the schema.
pub async fn prepare(store: &GraphStore) -> Result<usize, GraphError> {
    let rows = list_indexes(store, "SHOW INDEXES YIELD name").await?;
    let present = rows.iter().map(|row| row.get::<String>("name")).collect::<Result<Vec<_>, _>>()?;
    for (name, text) in SCHEMA {
        if !present.iter().any(|known| known == name) {
            create(store, text, store.backoff()).await?;
        }
    }
    await_indexes(
        store,
        &[
            ("GromaQuestion", vec!["id"]),
            ("GromaFinding", vec!["id"]),
            ("GromaFinding", vec!["asked", "last_seen"]),
            ("GromaFinding", vec!["account"]),
            ("GromaFinding", vec!["gone_seen"]),
        ],
    )
    .await?;
    Ok(SCHEMA.len())
}

/// Creates one of them. Another process that creates it at the same time may make the statement fail.
async fn create(store: &GraphStore, text: &str, mut backoff: Backoff<'_>) -> Result<(), GraphError> {
    loop {
        match store.rows(Query::new(text.to_owned())).await {
            Err(GraphError::Rejected(error)) => backoff.insist(error).await?,
            answer => return answer.map(drop),
        }
    }
}
