//! The database: explicit transactions, always committed or rolled back, and repeated after transient errors.
//!
//! `neo4rs::Graph::run` is not used: it retries permanent errors and discards the result, so a failing row looks like a
//! success.

use crate::{
    GraphConfig, GraphError, Portion, Pulse, Transaction,
    judge::{Judgement, judge},
    limits::Limits,
    orphans,
    pool::Pool,
    version::{OLDEST, Version},
};
use neo4rs::{ConfigBuilder, Query, Row};
use observe::{Retried, metrics};
use rand::RngExt;
use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

/// Time for which a transaction is repeated after transient errors, before the caller receives the error.
const PATIENCE: Duration = Duration::from_secs(20);
/// Time for which [`GraphStore::connect`] tries. Short, so that a wrong address is reported soon.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// Limit of repeats after constraint violations: each may be due to a node that another transaction created first.
const RACES: u32 = 8;
/// Rows per fetch. The driver reserves memory for this many with every statement.
const FETCH: usize = 1_000;
/// Connections besides those of the writing lanes: for ending syncs, and for the schema.
const SPARE_CONNECTIONS: usize = 2;

/// Connections to one database; cheap to clone.
#[derive(Clone)]
pub struct GraphStore {
    pool: Arc<Pool>,
    limits: Limits,
    pulse: Option<Pulse>,
    uri: Arc<str>,
    user: Arc<str>,
}

impl GraphStore {
    /// Connects, and checks that the database answers. For commands; roles use [`GraphStore::connect_within`].
    ///
    /// # Errors
    /// The database does not answer within 5 to 10 s, refuses the user or is too old.
    pub async fn connect(config: &GraphConfig) -> Result<Self, GraphError> {
        Self::connect_within(config, CONNECT_PATIENCE).await
    }

    /// Like [`GraphStore::connect`], but tries for `patience`, and waits for the last answer for five seconds more.
    ///
    /// # Errors
    /// As [`GraphStore::connect`].
    pub async fn connect_within(config: &GraphConfig, patience: Duration) -> Result<Self, GraphError> {
        let unavailable = |source| GraphError::Unavailable { uri: config.uri.clone(), source };
        let limits = Limits::default();
        let pool = Pool::new(driver(config, &limits).map_err(unavailable)?, config.connections + SPARE_CONNECTIONS);
        let (uri, user) = (config.uri.as_str().into(), config.user.as_str().into());
        let store = Self { pool, limits, pulse: None, uri, user };
        let backoff = Backoff { store: &store, deadline: Instant::now() + patience, races: 0 };
        let text =
            "CALL dbms.components() YIELD name, versions WHERE name = 'Neo4j Kernel' RETURN versions[0] AS version";
        let asked = store.read(Query::new(text.to_owned()), backoff);
        let rows = tokio::time::timeout(patience + CONNECT_PATIENCE, asked).await;
        let rows = rows.map_err(|_| unavailable(neo4rs::Error::ConnectionTimedOut))??;
        let version = rows.first().and_then(|row| row.get::<String>("version").ok()).unwrap_or_default();
        match Version::of(&version) {
            Some(known) if known < OLDEST => Err(GraphError::TooOld { uri: config.uri.clone(), version }),
            // A database that hides its version may be new enough.
            _ => Ok(store),
        }
    }

    /// The same store with other time limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same connections with a pulse that beats with every answered statement and commit.
    #[must_use]
    pub fn watched(&self, pulse: Pulse) -> Self {
        Self { pulse: Some(pulse), ..self.clone() }
    }

    /// The same connections without a pulse, for statements that prove no progress, such as polls.
    #[must_use]
    pub fn unwatched(&self) -> Self {
        Self { pulse: None, ..self.clone() }
    }

    /// Records progress that is not Neo4j's.
    pub fn beat(&self) {
        self.pulse.iter().for_each(Pulse::beat);
    }

    /// Checks that the database answers. Opens a separate connection, because the pool may be in full use. The caller limits
    /// the time.
    ///
    /// # Errors
    /// Returns the driver's error.
    pub async fn ping(&self) -> Result<(), neo4rs::Error> {
        orphans::run(&self.pool.aside()?, Query::new("RETURN 1".to_owned())).await.map(drop)
    }

    /// Runs one statement in a separate transaction.
    ///
    /// # Errors
    /// [`GraphError`].
    pub async fn rows(&self, query: Query) -> Result<Vec<Row>, GraphError> {
        self.read(query, self.backoff()).await
    }

    /// Runs a statement for a portion of at most `most` rows in a separate transaction, and halves the portion while it is too
    /// large. Returns the number of rows with the answer.
    ///
    /// # Errors
    /// [`GraphError`]; [`GraphError::TooLarge`] if even one row is too large.
    pub async fn in_portion(
        &self,
        portion: &Portion,
        most: usize,
        query: impl Fn(usize) -> Query,
    ) -> Result<(usize, Vec<Row>), GraphError> {
        let mut backoff = self.backoff();
        loop {
            let size = portion.size().min(most);
            match self.attempt(query(size)).await {
                Ok(rows) => {
                    portion.passed(size);
                    return Ok((size, rows));
                }
                Err(error) => backoff.shrink(error, portion, size).await?,
            }
        }
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

    /// Begins a transaction. End it with [`Transaction::end`]; dropping it rolls it back.
    ///
    /// # Errors
    /// The driver's error; no connection is free in time, or the server does not answer.
    pub async fn begin(&self) -> Result<Transaction, neo4rs::Error> {
        Ok(Transaction::new(self.pool.begin(&self.limits).await?, self.limits, self.pulse.clone()))
    }

    /// Repeats a whole transaction while its errors are transient.
    pub fn backoff(&self) -> Backoff<'_> {
        Backoff { store: self, deadline: Instant::now() + PATIENCE, races: 0 }
    }

    /// Bolt URI of the database.
    pub fn uri(&self) -> &str {
        &self.uri
    }
}

fn driver(config: &GraphConfig, limits: &Limits) -> Result<neo4rs::Config, neo4rs::Error> {
    let builder = ConfigBuilder::default()
        .uri(config.uri.as_str())
        .user(config.user.as_str())
        .password(config.password.expose())
        // The driver uses it as its read timeout too.
        .connection_timeout(limits.statement)
        .fetch_size(FETCH)
        .max_connections(1);
    let builder = match &config.database {
        Some(database) => builder.db(database.as_str()),
        None => builder,
    };
    let builder = match &config.ca_file {
        // Despite its name, the driver's method takes the certificate authority, not a client certificate.
        Some(file) => builder.with_client_certificate(file),
        None => builder,
    };
    builder.build()
}

fn reason(judgement: Judgement) -> Retried {
    match judgement {
        Judgement::Conflict => Retried::Conflict,
        Judgement::Race => Retried::Race,
        Judgement::Strain => Retried::TooLarge,
        Judgement::Outage => Retried::Unavailable,
        Judgement::Refusal | Judgement::Forbidden | Judgement::Unreadable | Judgement::Permanent => Retried::Other,
    }
}

/// Whether a smaller transaction may succeed, for callers that reduce the size themselves.
pub fn is_too_large(error: &neo4rs::Error) -> bool {
    judge(error) == Judgement::Strain
}

/// Whether the database ran out of memory. Other transactions that are too large took too long.
pub fn is_out_of_memory(error: &neo4rs::Error) -> bool {
    let names = ["OutOfMemoryError", "TransactionMemoryLimit"];
    matches!(error, neo4rs::Error::Neo4j(answer) if names.iter().any(|name| answer.code().ends_with(name)))
}

/// Decides after each error whether a transaction is repeated: `Err(error) => backoff.pause(error).await?`.
pub struct Backoff<'a> {
    store: &'a GraphStore,
    deadline: Instant,
    races: u32,
}

impl Backoff<'_> {
    /// Waits for the pause that the error requires.
    ///
    /// # Errors
    /// The error is permanent, or has persisted for 20 s.
    pub async fn pause(&mut self, error: neo4rs::Error) -> Result<(), GraphError> {
        let judgement = judge(&error);
        self.races += u32::from(judgement == Judgement::Race);
        match self.wait(judgement) {
            Some(wait) if Instant::now() < self.deadline => {
                tracing::debug!(%error, "repeating a transaction");
                metrics().graph.retried(reason(judgement));
                let wait = rand::rng().random_range(wait);
                tokio::time::sleep(Duration::from_millis(wait)).await;
                Ok(())
            }
            _ => Err(self.give_up(judgement, error)),
        }
    }

    /// Waits although the error looks permanent: for schema changes, where another process may be the cause.
    ///
    /// # Errors
    /// The error has persisted for 20 s.
    pub async fn insist(&mut self, error: neo4rs::Error) -> Result<(), GraphError> {
        if Instant::now() >= self.deadline {
            return Err(self.give_up(judge(&error), error));
        }
        tracing::debug!(%error, "repeating a schema change");
        metrics().graph.retried(reason(judge(&error)));
        let wait = rand::rng().random_range(100..400);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        Ok(())
    }

    /// Like [`Backoff::pause`], for a transaction of `tried` rows: if it was too large, halves `portion` instead of
    /// waiting.
    ///
    /// # Errors
    /// As [`Backoff::pause`]; [`GraphError::TooLarge`] if even one row is too large.
    pub async fn shrink(&mut self, error: neo4rs::Error, portion: &Portion, tried: usize) -> Result<(), GraphError> {
        if judge(&error) != Judgement::Strain || !portion.halve(tried) {
            return self.pause(error).await;
        }
        tracing::info!(%error, tried, next = portion.size(), "a transaction is too large for Neo4j; splitting it");
        metrics().graph.retried(Retried::TooLarge);
        self.deadline = Instant::now() + PATIENCE;
        Ok(())
    }

    /// Range of the pause in milliseconds. `None`: the error is permanent.
    fn wait(&self, judgement: Judgement) -> Option<Range<u64>> {
        match judgement {
            Judgement::Conflict => Some(5..50),
            Judgement::Race => (self.races < RACES).then_some(5..50),
            Judgement::Outage | Judgement::Strain => Some(100..400),
            Judgement::Refusal | Judgement::Forbidden | Judgement::Unreadable | Judgement::Permanent => None,
        }
    }

    fn give_up(&self, judgement: Judgement, source: neo4rs::Error) -> GraphError {
        let GraphStore { uri, user, .. } = self.store;
        let (uri, user) = (uri.to_string(), user.to_string());
        match judgement {
            Judgement::Conflict | Judgement::Outage => GraphError::Unavailable { uri, source },
            Judgement::Refusal => GraphError::Refused { uri, user, source },
            Judgement::Forbidden => GraphError::Forbidden { uri, user, source },
            Judgement::Strain => GraphError::TooLarge(source),
            Judgement::Unreadable => GraphError::Unreadable(source),
            Judgement::Race | Judgement::Permanent => GraphError::Rejected(source),
        }
    }
}
