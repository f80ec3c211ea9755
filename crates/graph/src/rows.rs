//! Reads the answer of a statement.

use neo4rs::{Error, Query, Row, Txn};

/// Runs a statement and reads all its rows.
///
/// # Errors
/// The driver's error, which may come with any row.
pub(crate) async fn collect(txn: &mut Txn, query: Query) -> Result<Vec<Row>, Error> {
    let mut stream = txn.execute(query).await?;
    let mut rows = Vec::new();
    while let Some(row) = stream.next(txn.handle()).await? {
        rows.push(row);
    }
    Ok(rows)
}
