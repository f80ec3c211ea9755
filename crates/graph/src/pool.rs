//! Connections, each in a pool of the driver's of its own. So a connection can be closed: the driver takes one that was
//! dropped in the middle of an exchange back into its pool and looks at it only when it is needed again, and until then the
//! server keeps its transaction and its locks. Closing ends both at once (tried on Neo4j 5.26.12, idle and in the middle of a
//! statement).

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

/// A connection that its holder has to itself. Dropped, it is closed.
pub(crate) struct Lease {
    graph: Graph,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    /// At most `most` connections, none of them open yet.
    pub(crate) fn new(config: Config, most: usize) -> Arc<Self> {
        Arc::new(Self { config, idle: Mutex::default(), permits: Arc::new(Semaphore::new(most)) })
    }

    /// Begins a transaction on a connection that is free. Cancelling is harmless: the connection is closed.
    ///
    /// # Errors
    /// As the driver says, and [`Error::ServerUnavailableError`] when a limit has passed.
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
    /// Gives the connection back, open: its last exchange is complete.
    pub(crate) fn give_back(self) {
        let Self { graph, pool, _permit } = self;
        pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(graph);
    }
}

fn late(what: &str, limit: Duration) -> Error {
    Error::ServerUnavailableError(format!("{what} within {limit:?}"))
}
