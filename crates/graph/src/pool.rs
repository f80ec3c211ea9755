//! Connections, each in its own driver pool, so that Groma can close it. The driver takes back a connection that
//! was dropped in the middle of an exchange and checks it only on the next use. Until then the server keeps its
//! transaction and its locks. Closing the connection immediately ends both (tried on Neo4j 5.26.12, idle and in the
//! middle of a statement).

use crate::{
    judge::{Judgement, judge},
    limits::Limits,
    sent::Sent,
};
use neo4rs::{Config, Error, Graph, Query, Txn};
use parking_lot::Mutex;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use ulid::Ulid;

/// Limit of tasks that concurrently search for transactions whose client is gone.
const LOOKING: usize = 4;

/// Marks a transaction as Groma's, with an id, in its first statement. Every user may call it (Neo4j operations manual,
/// "Procedures").
const MARK: &str = "CALL tx.setMetaData({app: 'groma', id: $id})";

/// Connections to one database.
pub(crate) struct Pool {
    config: Config,
    idle: Mutex<Vec<Graph>>,
    permits: Arc<Semaphore>,
    /// The user may not mark transactions.
    unmarked: AtomicBool,
    looking: Semaphore,
}

/// A transaction that has begun.
pub(crate) struct Begun {
    /// The open transaction.
    pub(crate) txn: Txn,
    /// Its mark. `None`: the user may not mark transactions.
    pub(crate) mark: Option<String>,
    /// Time at which its first statement was sent.
    pub(crate) sent: Sent,
    /// Its connection.
    pub(crate) lease: Lease,
}

/// A connection with one exclusive user. Dropping it closes the connection.
pub(crate) struct Lease {
    graph: Graph,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    /// A pool of at most `most` connections, none of them open yet.
    pub(crate) fn new(config: Config, most: usize) -> Arc<Self> {
        Arc::new(Self {
            config,
            idle: Mutex::default(),
            permits: Arc::new(Semaphore::new(most)),
            unmarked: AtomicBool::new(false),
            looking: Semaphore::new(LOOKING),
        })
    }

    /// Begins a transaction on a free connection. Cancelling is safe: it closes the connection.
    ///
    /// # Errors
    /// The driver's error, or [`Error::ServerUnavailableError`] when a limit has passed.
    pub(crate) async fn begin(self: &Arc<Self>, limits: &Limits) -> Result<Begun, Error> {
        let permit = timeout(limits.connection, self.permits.clone().acquire_owned()).await;
        let permit = permit.map_err(|_| late("all connections were busy", limits.connection))?;
        let permit = permit.map_err(|_| Error::ConnectionError)?;
        let idle = self.idle.lock().pop();
        let graph = idle.map_or_else(|| Graph::connect(self.config.clone()), Ok)?;
        let lease = Lease { graph, pool: self.clone(), _permit: permit };
        let sent = Sent::now();
        let Ok(begun) = timeout(limits.begin, self.start(&lease.graph)).await else {
            // The other connections may be dead too.
            self.close_idle();
            return Err(late("no transaction could be begun", limits.begin));
        };
        let (txn, mark) = begun?;
        Ok(Begun { txn, mark, sent, lease })
    }

    /// Opens a connection outside the pool, whose connections may all be waiting. Dropping it closes it.
    pub(crate) fn aside(&self) -> Result<Graph, Error> {
        Graph::connect(self.config.clone())
    }

    /// Permits to search for transactions whose client is gone.
    pub(crate) fn looking(&self) -> &Semaphore {
        &self.looking
    }

    /// Closes the idle connections.
    fn close_idle(&self) {
        self.idle.lock().clear();
    }

    /// Begins a transaction and marks it as Groma's.
    async fn start(&self, graph: &Graph) -> Result<(Txn, Option<String>), Error> {
        let mut txn = begin(graph).await?;
        if self.unmarked.load(Relaxed) {
            return Ok((txn, None));
        }
        let mark = Ulid::generate().to_string();
        match txn.run(Query::new(MARK.to_owned()).param("id", mark.as_str())).await {
            Err(error) if judge(&error) == Judgement::Forbidden || is_unknown_procedure(&error) => {
                tracing::debug!(%error, "transactions whose client is gone cannot be told from others'");
                self.unmarked.store(true, Relaxed);
                txn.rollback().await.ok();
                Ok((begin(graph).await?, None))
            }
            marked => marked.map(|()| (txn, Some(mark))),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that begins transactions")]
pub(crate) async fn begin(graph: &Graph) -> Result<Txn, Error> {
    graph.start_txn().await
}

impl Lease {
    /// The pool of the connection.
    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Returns the connection to the pool, still open. Its last exchange must be complete.
    pub(crate) fn give_back(self) {
        let Self { graph, pool, _permit } = self;
        pool.idle.lock().push(graph);
    }
}

/// Whether the database lacks a procedure. Databases compatible with Neo4j may lack the one of [`MARK`].
fn is_unknown_procedure(error: &Error) -> bool {
    matches!(error, Error::Neo4j(answer) if answer.code().ends_with("ProcedureNotFound"))
}

fn late(what: &str, limit: Duration) -> Error {
    Error::ServerUnavailableError(format!("{what} within {limit:?}"))
}
