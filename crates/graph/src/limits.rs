//! Time limits for each exchange with the database. The driver limits only the TCP connect and each read, not TLS, the
//! handshake or a write.

use std::time::Duration;

/// Time limits. When one has passed, the connection is closed, which rolls its transaction back.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Wait for a free connection.
    pub connection: Duration,
    /// Connect, authenticate and begin a transaction.
    pub begin: Duration,
    /// One statement with all its rows. A slower one counts as too large.
    pub statement: Duration,
    /// A commit. The server may still commit after this limit.
    pub commit: Duration,
    /// A rollback; closing the connection has the same effect.
    pub rollback: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connection: Duration::from_mins(5),
            begin: Duration::from_secs(30),
            statement: Duration::from_mins(2),
            commit: Duration::from_mins(2),
            rollback: Duration::from_secs(10),
        }
    }
}
