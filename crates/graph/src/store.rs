//! The database: explicit transactions, always committed or rolled back, repeated on errors that a repeat can heal.
//!
//! `neo4rs::Graph::run` is not used: it retries what no retry heals and discards the result, so that a failing row passes
//! as success. A dropped `Txn` keeps its locks, so nothing here may be cancelled while it holds one.

use crate::{
    GraphConfig,
    version::{OLDEST, Version},
};
use neo4rs::{ConfigBuilder, Graph, Neo4jClientErrorKind, Neo4jErrorKind, Query, Row, Txn};
use rand::RngExt;
use std::time::{Duration, Instant};

/// Also neo4rs' read timeout: a statement may take this long.
const TIMEOUT: Duration = Duration::from_mins(2);
/// How long errors that may pass are repeated before the caller hears of them.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long [`GraphStore::connect`] tries: whoever gives a wrong address wants to hear of it.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// A server that is going down answers with errors of its own; so does one that cannot take a row. The second stays.
const DOUBTS: u32 = 3;
/// Rows fetched at once; the driver reserves memory for so many with every statement.
const FETCH: usize = 1_000;
/// Connections besides those that lanes write with: for ending syncs, and for the schema.
const SPARE_CONNECTIONS: usize = 2;

/// The graph could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// Wrong user or password, or no right to do this.
    #[error("Neo4j at {uri} refuses user {user}: check NEO4J_USER and NEO4J_PASSWORD")]
    Refused {
        /// Bolt URI.
        uri: String,
        /// User.
        user: String,
        /// Why.
        source: neo4rs::Error,
    },
    /// Nothing answers, or it goes on failing.
    #[error("Neo4j at {uri} is not available")]
    Unavailable {
        /// Bolt URI.
        uri: String,
        /// Why.
        source: neo4rs::Error,
    },
    /// The statements need a newer one.
    #[error("Neo4j at {uri} is {version}: Groma needs {OLDEST} or newer")]
    TooOld {
        /// Bolt URI.
        uri: String,
        /// What it is.
        version: String,
    },
    /// Neo4j will never take this statement.
    #[error("Neo4j rejects a statement")]
    Rejected(#[source] neo4rs::Error),
}

/// A pool of connections to one database; cheap to clone.
#[derive(Clone)]
pub struct GraphStore {
    graph: Graph,
    uri: String,
    user: String,
}

impl GraphStore {
    /// Connects, and makes sure that the database answers.
    ///
    /// # Errors
    /// When it does not answer within 5 s, refuses the user or is too old.
    pub async fn connect(config: &GraphConfig) -> Result<Self, GraphError> {
        let unavailable = |source| GraphError::Unavailable { uri: config.uri.clone(), source };
        let builder = ConfigBuilder::default()
            .uri(config.uri.as_str())
            .user(config.user.as_str())
            .password(config.password.expose())
            .connection_timeout(TIMEOUT)
            .fetch_size(FETCH)
            .max_connections(config.connections + SPARE_CONNECTIONS);
        let builder = match &config.database {
            Some(database) => builder.db(database.as_str()),
            None => builder,
        };
        let builder = match &config.ca_file {
            // The driver calls the authority so; no certificate of a client is meant.
            Some(file) => builder.with_client_certificate(file),
            None => builder,
        };
        let graph = Graph::connect(builder.build().map_err(unavailable)?).map_err(unavailable)?;
        let store = Self { graph, uri: config.uri.clone(), user: config.user.clone() };
        let backoff = Backoff { store: &store, deadline: Instant::now() + CONNECT_PATIENCE, doubts: 0 };
        let text =
            "CALL dbms.components() YIELD name, versions WHERE name = 'Neo4j Kernel' RETURN versions[0] AS version";
        // Cancelling is harmless here: nothing is written.
        let asked = store.read(Query::new(text.to_owned()), backoff);
        let rows = tokio::time::timeout(CONNECT_PATIENCE * 2, asked).await;
        let rows = rows.map_err(|_| unavailable(neo4rs::Error::ConnectionTimedOut))??;
        let version = rows.first().and_then(|row| row.get::<String>("version").ok()).unwrap_or_default();
        match Version::of(&version) {
            Some(known) if known < OLDEST => Err(GraphError::TooOld { uri: config.uri.clone(), version }),
            // Who hides its version is let in: it may well be new enough.
            _ => Ok(store),
        }
    }

    /// Runs one statement in a transaction of its own.
    ///
    /// # Errors
    /// [`GraphError`].
    pub async fn rows(&self, query: Query) -> Result<Vec<Row>, GraphError> {
        self.read(query, self.backoff()).await
    }

    async fn read(&self, query: Query, mut backoff: Backoff<'_>) -> Result<Vec<Row>, GraphError> {
        loop {
            match self.attempt(query.clone()).await {
                Ok(rows) => return Ok(rows),
                Err(error) => backoff.pause(error).await?,
            }
        }
    }

    async fn attempt(&self, query: Query) -> Result<Vec<Row>, neo4rs::Error> {
        let mut transaction = self.begin().await?;
        let rows = transaction.rows(query).await;
        transaction.end(rows).await
    }

    /// Begins a transaction; end it with [`Transaction::end`].
    ///
    /// # Errors
    /// As the driver says.
    pub async fn begin(&self) -> Result<Transaction, neo4rs::Error> {
        Ok(Transaction(self.graph.start_txn().await?))
    }

    /// For repeating a whole transaction while its errors may pass.
    pub fn backoff(&self) -> Backoff<'_> {
        Backoff { store: self, deadline: Instant::now() + PATIENCE, doubts: 0 }
    }
}

/// Decides after each error whether a transaction is repeated: `Err(error) => backoff.pause(error).await?`.
pub struct Backoff<'a> {
    store: &'a GraphStore,
    deadline: Instant,
    doubts: u32,
}

impl Backoff<'_> {
    /// Waits as long as the error asks for.
    ///
    /// # Errors
    /// When the error will not pass, or has not passed for too long.
    pub async fn pause(&mut self, error: neo4rs::Error) -> Result<(), GraphError> {
        let judgement = judge(&error);
        self.doubts += u32::from(matches!(judgement, Judgement::Doubt | Judgement::Race));
        let wait = match judgement {
            Judgement::Conflict => 5..50,
            Judgement::Race if self.doubts < DOUBTS => 5..50,
            Judgement::Outage => 100..400,
            Judgement::Doubt if self.doubts < DOUBTS => 200..400,
            _ => return Err(self.give_up(judgement, error)),
        };
        if Instant::now() >= self.deadline {
            return Err(self.give_up(judgement, error));
        }
        tracing::debug!(%error, "repeating a transaction");
        let wait = rand::rng().random_range(wait);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        Ok(())
    }

    fn give_up(&self, judgement: Judgement, source: neo4rs::Error) -> GraphError {
        let GraphStore { uri, user, .. } = self.store;
        match judgement {
            Judgement::Conflict | Judgement::Outage => GraphError::Unavailable { uri: uri.clone(), source },
            Judgement::Refusal => GraphError::Refused { uri: uri.clone(), user: user.clone(), source },
            Judgement::Race | Judgement::Doubt | Judgement::Permanent => GraphError::Rejected(source),
        }
    }
}

/// Says how long each statement took to whoever traces this module; its parameters are never told.
struct Watch(Option<(String, Instant)>);

impl Watch {
    fn begin(query: &Query) -> Self {
        Self(tracing::enabled!(tracing::Level::TRACE).then(|| (query.query().to_owned(), Instant::now())))
    }

    fn end(self) {
        if let Some((statement, began)) = self.0 {
            tracing::trace!(took = ?began.elapsed(), statement);
        }
    }
}

/// An open transaction.
pub struct Transaction(Txn);

impl Transaction {
    /// Runs a statement and reads all its rows, so that an error in any row is seen.
    ///
    /// # Errors
    /// As the database says.
    pub async fn rows(&mut self, query: Query) -> Result<Vec<Row>, neo4rs::Error> {
        let watch = Watch::begin(&query);
        let mut stream = self.0.execute(query).await?;
        let mut rows = Vec::new();
        while let Some(row) = stream.next(self.0.handle()).await? {
            rows.push(row);
        }
        watch.end();
        Ok(rows)
    }

    /// Runs a statement whose rows nobody needs, in one round trip.
    ///
    /// # Errors
    /// As the database says.
    pub async fn run(&mut self, query: Query) -> Result<(), neo4rs::Error> {
        let watch = Watch::begin(&query);
        self.0.run(query).await?;
        watch.end();
        Ok(())
    }

    /// Commits when `result` is good, else rolls back; never leaves the transaction open.
    ///
    /// # Errors
    /// That of `result`, or the commit's.
    pub async fn end<T>(self, result: Result<T, neo4rs::Error>) -> Result<T, neo4rs::Error> {
        match result {
            Ok(value) => self.0.commit().await.map(|()| value),
            Err(error) => {
                self.undo().await;
                Err(error)
            }
        }
    }

    /// Rolls back. Should that fail, the database does it when the connection is closed.
    pub async fn undo(self) {
        if let Err(error) = self.0.rollback().await {
            tracing::debug!(%error, "rollback failed");
        }
    }
}

/// Whether an error may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judgement {
    /// A deadlock, a lock that was lost, or a node that somebody else deleted in the meantime: soon.
    Conflict,
    /// Somebody else made a node with the same id since it was looked for: soon, or never if it is not that.
    Race,
    /// No connection, a restart, memory pressure: after a while.
    Outage,
    /// Not with these credentials.
    Refusal,
    /// An error of the server itself: perhaps on its way down, perhaps for ever.
    Doubt,
    /// Never.
    Permanent,
}

fn judge(error: &neo4rs::Error) -> Judgement {
    use neo4rs::Error as E;
    match error {
        E::Neo4j(neo4j) => judge_answer(neo4j.kind(), neo4j.code()),
        // Whatever fails a login comes as this, a database that is still starting included.
        E::AuthenticationError(message) => {
            let words = message.to_lowercase();
            let refused = ["authenti", "unauthorized", "credential", "permission"].iter().any(|w| words.contains(w));
            if refused { Judgement::Refusal } else { Judgement::Outage }
        }
        E::IOError { .. }
        | E::ConnectionError
        | E::IncompleteBoltExchange
        | E::ConnectionTimedOut
        | E::ServerUnavailableError(_)
        | E::RequestIgnoredError
        | E::Ignored(_)
        | E::UnexpectedMessage(_) => Judgement::Outage,
        _ => Judgement::Permanent,
    }
}

/// The driver files `LockClientStopped` under client errors, and Neo4j itself `EntityNotFound`; a repeat heals both.
fn judge_answer(kind: Neo4jErrorKind, code: &str) -> Judgement {
    let is = |names: &[&str]| names.iter().any(|name| code.ends_with(name));
    match kind {
        _ if is(&["DeadlockDetected", "LockClientStopped", "EntityNotFound"]) => Judgement::Conflict,
        _ if is(&["ConstraintValidationFailed"]) => Judgement::Race,
        _ if is(&["DatabaseUnavailable", "TransactionTimedOut", "TransactionTimedOutClientConfiguration"]) => {
            Judgement::Outage
        }
        Neo4jErrorKind::Transient
        | Neo4jErrorKind::Client(Neo4jClientErrorKind::SessionExpired | Neo4jClientErrorKind::TransactionTerminated) => {
            Judgement::Outage
        }
        Neo4jErrorKind::Client(Neo4jClientErrorKind::Security(_)) => Judgement::Refusal,
        Neo4jErrorKind::Database | Neo4jErrorKind::Unknown => Judgement::Doubt,
        Neo4jErrorKind::Client(_) => Judgement::Permanent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_repeat_heals_is_told_from_what_it_does_not() {
        for (code, judgement) in [
            ("Neo.TransientError.Transaction.DeadlockDetected", Judgement::Conflict),
            ("Neo.TransientError.Transaction.LockClientStopped", Judgement::Conflict),
            ("Neo.ClientError.Statement.EntityNotFound", Judgement::Conflict),
            ("Neo.TransientError.General.DatabaseUnavailable", Judgement::Outage),
            ("Neo.TransientError.General.MemoryPoolOutOfMemoryError", Judgement::Outage),
            ("Neo.ClientError.Security.Unauthorized", Judgement::Refusal),
            ("Neo.DatabaseError.General.UnknownError", Judgement::Doubt),
            ("Neo.ClientError.Schema.ConstraintValidationFailed", Judgement::Race),
            ("Neo.ClientError.Statement.SyntaxError", Judgement::Permanent),
        ] {
            assert_eq!(judge_answer(Neo4jErrorKind::from(code), code), judgement, "{code}");
        }
    }

    #[test]
    fn a_login_that_fails_because_the_database_is_starting_is_an_outage() {
        let login = |message: &str| judge(&neo4rs::Error::AuthenticationError(message.to_owned()));
        assert_eq!(login("The client is unauthorized due to authentication failure."), Judgement::Refusal);
        assert_eq!(login("The database is not available"), Judgement::Outage);
    }
}
