//! Connections, each in a driver pool of its own, so that Groma can close it. The driver takes back a connection that
//! was dropped in the middle of an exchange and checks it only on the next use. Until then the server keeps its
//! transaction and its locks. Closing the connection ends both at once (tried on Neo4j 5.26.12, idle and in the middle
//! of a statement).

use crate::{
    judge::{Judgement, judge},
    limits::Limits,
    orphans::MARK,
};
use neo4rs::{Config, Error, Graph, Query, Txn};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use ulid::Ulid;

/// Connections to one database.
pub(crate) struct Pool {
    config: Config,
    idle: Mutex<Vec<Graph>>,
    permits: Arc<Semaphore>,
    /// The user may not mark transactions.
    unmarked: AtomicBool,
}

/// A transaction that has begun.
pub(crate) struct Begun {
    /// The open transaction.
    pub(crate) txn: Txn,
    /// Its mark. `None`: the user may not mark transactions.
    pub(crate) mark: Option<String>,
    /// Before the first statement was sent.
    pub(crate) sent: Instant,
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
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let graph = idle.map_or_else(|| Graph::connect(self.config.clone()), Ok)?;
        let lease = Lease { graph, pool: self.clone(), _permit: permit };
        let sent = Instant::now();
        let Ok(begun) = timeout(limits.begin, self.start(&lease.graph)).await else {
            // The others may be as dead as this one.
            self.close_idle();
            return Err(late("no transaction could be begun", limits.begin));
        };
        let (txn, mark) = begun?;
        Ok(Begun { txn, mark, sent, lease })
    }

    /// A transaction on a new connection besides all others. Dropping the connection closes it.
    pub(crate) async fn aside(&self) -> Result<(Graph, Txn), Error> {
        let graph = Graph::connect(self.config.clone())?;
        let txn = start(&graph).await?;
        Ok((graph, txn))
    }

    /// Closes the connections that nobody uses.
    fn close_idle(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        drop(idle);
    }

    /// Begins a transaction and marks it as Groma's.
    async fn start(&self, graph: &Graph) -> Result<(Txn, Option<String>), Error> {
        let mut txn = start(graph).await?;
        if self.unmarked.load(Relaxed) {
            return Ok((txn, None));
        }
        let mark = Ulid::generate().to_string();
        match txn.run(Query::new(MARK.to_owned()).param("id", mark.as_str())).await {
            Err(error) if judge(&error) == Judgement::Forbidden => {
                tracing::debug!(%error, "transactions whose client is gone cannot be told from others'");
                self.unmarked.store(true, Relaxed);
                txn.rollback().await.ok();
                Ok((start(graph).await?, None))
            }
            marked => marked.map(|()| (txn, Some(mark))),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that begins transactions")]
async fn start(graph: &Graph) -> Result<Txn, Error> {
    graph.start_txn().await
}

impl Lease {
    /// The pool of the connection.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Returns the connection to the pool, still open. Its last exchange must be complete.
    pub(crate) fn give_back(self) {
        let Self { graph, pool, _permit } = self;
        pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(graph);
    }
}

fn late(what: &str, limit: Duration) -> Error {
    Error::ServerUnavailableError(format!("{what} within {limit:?}"))
}
