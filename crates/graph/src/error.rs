//! What can go wrong with the graph, sorted by what helps.

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
        /// Why.
        source: neo4rs::Error,
    },
    /// The user lacks a privilege.
    #[error("Neo4j at {uri} does not let user {user} do this")]
    Forbidden {
        /// Bolt URI.
        uri: String,
        /// User.
        user: String,
        /// Which privilege is missing.
        source: neo4rs::Error,
    },
    /// Nothing answers, or the database keeps failing, whatever the statement says: a full disk and a panicked database
    /// included.
    #[error("Neo4j at {uri} is not available")]
    Unavailable {
        /// Bolt URI.
        uri: String,
        /// Why.
        source: neo4rs::Error,
    },
    /// The statements need a newer version.
    #[error("Neo4j at {uri} is {version}: Groma needs {OLDEST} or newer", OLDEST = crate::version::OLDEST)]
    TooOld {
        /// Bolt URI.
        uri: String,
        /// Its version.
        version: String,
    },
    /// Neo4j never takes this statement with these rows. Nothing else is reported as this, so that an outage is never
    /// blamed on a row.
    #[error("Neo4j rejects a statement")]
    Rejected(#[source] neo4rs::Error),
    /// The transaction needs more memory or more time than the database gives it: a smaller one may pass. See
    /// [`crate::Portion`].
    #[error("a transaction is too large for Neo4j")]
    TooLarge(#[source] neo4rs::Error),
    /// An answer has other columns or types than its statement returns.
    #[error("Neo4j's answer cannot be read")]
    Unreadable(#[source] neo4rs::Error),
}

impl GraphError {
    /// Whether the same statement fails again, however often it is repeated.
    pub fn is_lasting(&self) -> bool {
        matches!(self, Self::Rejected(_) | Self::TooLarge(_) | Self::Unreadable(_) | Self::Forbidden { .. })
    }

    /// Whether the transaction alone exceeded `db.memory.transaction.max`, whatever others did at the same time.
    pub fn exceeds_own_memory(&self) -> bool {
        matches!(self, Self::TooLarge(neo4rs::Error::Neo4j(answer)) if answer.message().contains("db.memory.transaction.max"))
    }
}

impl From<neo4rs::DeError> for GraphError {
    fn from(error: neo4rs::DeError) -> Self {
        Self::Unreadable(error.into())
    }
}
