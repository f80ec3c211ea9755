//! Reads rows of query results.

use graph::GraphError;
use neo4rs::{DeError, Row};

/// Returns a number of the first row; 0 if there are no rows.
pub(crate) fn count(rows: &[Row], column: &str) -> Result<u64, GraphError> {
    rows.first().map_or(Ok(0), |row| row.get::<u64>(column)).map_err(unreadable)
}

/// Error for a row without the columns of its statement.
pub(crate) fn unreadable(error: DeError) -> GraphError {
    error.into()
}
