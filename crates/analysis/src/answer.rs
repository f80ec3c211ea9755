//! Reading rows.

use graph::GraphError;
use neo4rs::{BoltList, BoltType, DeError, Row};

/// A number in the first row; none when there is no row.
pub(crate) fn count(rows: &[Row], column: &str) -> Result<u64, GraphError> {
    rows.first().map_or(Ok(0), |row| row.get::<u64>(column)).map_err(unreadable)
}

/// A row whose columns are not what the statement says they are.
pub(crate) fn unreadable(error: DeError) -> GraphError {
    GraphError::Rejected(error.into())
}

pub(crate) fn list(items: impl IntoIterator<Item = BoltType>) -> BoltType {
    BoltType::List(BoltList::from(items.into_iter().collect::<Vec<_>>()))
}

pub(crate) fn texts<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> BoltType {
    list(items.into_iter().map(|text| text.as_ref().into()))
}
