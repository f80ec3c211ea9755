//! Cuts rows into requests of a size that travels fast.
//!
//! The driver leaves Nagle's algorithm on and writes in pieces of 8 KiB, so the tail of a request of about 9 to 64 KiB
//! waits some 44 ms for a delayed acknowledgement. A smaller request leaves in one piece, and only some of the larger
//! ones are affected. Rows that would make a request of that awkward size are therefore sent as several small ones, and
//! larger sets in few large requests. Measured on one machine, median of a statement that only receives its rows: 10 KB
//! 50 ms whole and 4 ms in pieces, 60 KB 48 and 7 ms, 90 and 120 KB 2 ms whole and 10 to 12 in pieces.

use crate::bolt;
use graph::Transaction;
use neo4rs::{BoltType, Query, Row};

/// A request of at most this many bytes leaves in one piece; the driver's buffer is 8 KiB and takes the framing as
/// well.
const SMALL: usize = 7_600;
/// From this size on, a request in one piece is faster than many small ones.
const LARGE: usize = 96 * 1024;
/// Limit of rows in one request, however small.
pub(crate) const MOST_ROWS: usize = 10_000;
/// Limit of bytes in one request: Neo4j holds it in memory as a whole, for each connection.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Returns the statement with these rows as `$rows`, as several requests if that is faster.
pub(crate) fn of(text: &str, rows: Vec<BoltType>) -> Vec<Query> {
    let query = |rows| bolt::planned_once(text, [("rows", bolt::list(rows))]);
    cut(rows, text.len()).into_iter().map(query).collect()
}

/// Runs the statement for these rows, and returns its answers.
pub(crate) async fn rows(
    transaction: &mut Transaction,
    text: &str,
    rows: Vec<BoltType>,
) -> Result<Vec<Row>, neo4rs::Error> {
    let mut answers = Vec::new();
    for query in of(text, rows) {
        answers.extend(transaction.rows(query).await?);
    }
    Ok(answers)
}

/// Like [`rows`], without answers.
pub(crate) async fn run(transaction: &mut Transaction, text: &str, rows: Vec<BoltType>) -> Result<(), neo4rs::Error> {
    for query in of(text, rows) {
        transaction.run(query).await?;
    }
    Ok(())
}

/// Returns the limit of bytes in a request, if all requests together have `total`.
pub(crate) fn most_bytes(total: usize) -> usize {
    if (SMALL..LARGE).contains(&total) { SMALL } else { MOST_BYTES }
}

/// Cuts `rows` into requests. Each also carries `overhead` bytes: the statement and its other parameters.
fn cut(rows: Vec<BoltType>, overhead: usize) -> Vec<Vec<BoltType>> {
    let sizes: Vec<usize> = rows.iter().map(bolt::size).collect();
    let most = most_bytes(overhead + sizes.iter().sum::<usize>());
    let mut requests: Vec<Vec<BoltType>> = Vec::new();
    let mut bytes = 0;
    for (row, size) in rows.into_iter().zip(sizes) {
        match requests.last_mut() {
            Some(request) if bytes + size <= most && request.len() < MOST_ROWS => {
                request.push(row);
                bytes += size;
            }
            _ => {
                requests.push(vec![row]);
                bytes = overhead + size;
            }
        }
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(rows: usize, text: usize) -> Vec<usize> {
        let row = || bolt::list([BoltType::from("x".repeat(text))]);
        cut((0..rows).map(|_| row()).collect(), 500)
            .iter()
            .map(|request| request.iter().map(bolt::size).sum())
            .collect()
    }

    #[test]
    fn small_stays_whole_awkward_is_cut_and_large_stays_whole() {
        assert_eq!(sizes(10, 100).len(), 1);
        let awkward = sizes(300, 100);
        assert!(awkward.len() > 1 && awkward.iter().all(|bytes| bytes + 500 <= SMALL), "{awkward:?}");
        assert_eq!(sizes(3_000, 100).len(), 1);
    }

    #[test]
    fn a_row_that_alone_is_awkward_is_sent_and_no_rows_are_no_request() {
        assert_eq!(sizes(1, 20_000).len(), 1);
        assert_eq!(sizes(0, 0).len(), 0);
    }
}
