//! Reading rows.

use graph::GraphError;
use neo4rs::{DeError, Row};

/// A number in the first row; none when there is no row.
pub(crate) fn count(rows: &[Row], column: &str) -> Result<u64, GraphError> {
    rows.first().map_or(Ok(0), |row| row.get::<u64>(column)).map_err(unreadable)
}

/// A row whose columns are not what the statement says they are.
pub(crate) fn unreadable(error: DeError) -> GraphError {
    error.into()
}
