//! Errors of the graph database, grouped by remedy.

/// The graph could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// Wrong user or password.
    #[error("Neo4j at {uri} refuses user {user}: check NEO4J_USER and NEO4J_PASSWORD")]
    Refused {
        /// Bolt URI.
        uri: String,
        /// User.
        user: String,
        /// Cause.
        source: neo4rs::Error,
    },
    /// The user lacks a privilege.
    #[error("Neo4j at {uri} does not let user {user} do this")]
    Forbidden {
        /// Bolt URI.
        uri: String,
        /// User.
        user: String,
        /// The server's message, with the missing privilege.
        source: neo4rs::Error,
    },
    /// No server answers, or the database keeps failing whatever the statement is. Includes a full disk and a panicked
    /// database.
    #[error("Neo4j at {uri} is not available")]
    Unavailable {
        /// Bolt URI.
        uri: String,
        /// Cause.
        source: neo4rs::Error,
    },
    /// The statements of Groma need a newer version of Neo4j.
    #[error("Neo4j at {uri} is {version}: Groma needs {OLDEST} or newer", OLDEST = crate::version::OLDEST)]
    TooOld {
        /// Bolt URI.
        uri: String,
        /// Its version.
        version: String,
    },
    /// Neo4j always rejects this statement with these rows. Used for nothing else, so that no row is blamed for an
    /// outage.
    #[error("Neo4j rejects a statement")]
    Rejected(#[source] neo4rs::Error),
    /// The transaction exceeds a memory or time limit of the database. A smaller one may succeed. See
    /// [`crate::Portion`].
    #[error("a transaction is too large for Neo4j")]
    TooLarge(#[source] neo4rs::Error),
    /// The answer's columns or types differ from those that the statement returns.
    #[error("Neo4j's answer cannot be read")]
    Unreadable(#[source] neo4rs::Error),
}

impl GraphError {
    /// Whether every repeat of the statement fails too.
    pub fn is_lasting(&self) -> bool {
        matches!(self, Self::Rejected(_) | Self::TooLarge(_) | Self::Unreadable(_) | Self::Forbidden { .. })
    }

    /// Whether the transaction alone exceeded `db.memory.transaction.max`, in a statement or in its commit, regardless of
    /// concurrent transactions. Neo4j 5.26 has one code for this limit and that of all transactions together, and names
    /// the limit in the message.
    pub fn exceeds_own_memory(&self) -> bool {
        let Self::TooLarge(neo4rs::Error::Neo4j(answer)) = self else { return false };
        answer.code().ends_with("TransactionOutOfMemoryError") || answer.message().contains("db.memory.transaction.max")
    }
}

impl From<neo4rs::DeError> for GraphError {
    fn from(error: neo4rs::DeError) -> Self {
        Self::Unreadable(error.into())
    }
}
