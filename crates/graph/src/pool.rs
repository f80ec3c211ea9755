//! Connections, each in a driver pool of its own, so that Groma can close it. The driver takes back a connection that
//! was dropped in the middle of an exchange and checks it only on the next use. Until then the server keeps its
//! transaction and its locks. Closing the connection ends both at once (tried on Neo4j 5.26.12, idle and in the middle
//! of a statement).

use crate::limits::Limits;
use neo4rs::{Config, Error, Graph, Txn};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Connections to one database.
pub(crate) struct Pool {
    config: Config,
    idle: Mutex<Vec<Graph>>,
    permits: Arc<Semaphore>,
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
        Arc::new(Self { config, idle: Mutex::default(), permits: Arc::new(Semaphore::new(most)) })
    }

    /// Begins a transaction on a free connection. Cancelling is safe: it closes the connection.
    ///
    /// # Errors
    /// The driver's error, or [`Error::ServerUnavailableError`] when a limit has passed.
    pub(crate) async fn begin(self: &Arc<Self>, limits: &Limits) -> Result<(Txn, Lease), Error> {
        let permit = timeout(limits.connection, self.permits.clone().acquire_owned()).await;
        let permit = permit.map_err(|_| late("all connections were busy", limits.connection))?;
        let permit = permit.map_err(|_| Error::ConnectionError)?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let graph = idle.map_or_else(|| Graph::connect(self.config.clone()), Ok)?;
        let lease = Lease { graph, pool: self.clone(), _permit: permit };
        let begun = timeout(limits.begin, lease.graph.start_txn()).await;
        let txn = begun.map_err(|_| late("no transaction could be begun", limits.begin))??;
        Ok((txn, lease))
    }
}

impl Lease {
    /// Returns the connection to the pool, still open. Its last exchange must be complete.
    pub(crate) fn give_back(self) {
        let Self { graph, pool, _permit } = self;
        pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(graph);
    }
}

fn late(what: &str, limit: Duration) -> Error {
    Error::ServerUnavailableError(format!("{what} within {limit:?}"))
}
