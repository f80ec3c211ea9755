//! How long each exchange with the database may take. The driver limits the TCP connect and each read; neither TLS, the
//! handshake nor a write.

use std::time::Duration;

/// Time limits. After a limit has passed the connection is closed, which rolls its transaction back.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Waiting for one of the connections to be free.
    pub connection: Duration,
    /// Connecting, authenticating and beginning a transaction.
    pub begin: Duration,
    /// A statement and all its rows; what takes longer counts as too large.
    pub statement: Duration,
    /// A commit. When it passes, the server may commit nevertheless.
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
