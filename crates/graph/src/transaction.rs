//! An open transaction. Dropping it, or a failed exchange, closes its connection, and the server rolls it back.
//! Cancelling is therefore always safe.

use crate::{
    Pulse,
    limits::Limits,
    orphans::{self, LOOK_AFTER},
    pool::{Lease, Pool},
};
use neo4rs::{Error, Query, Row, Txn};
use std::{
    pin::pin,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

/// An open transaction.
pub struct Transaction {
    txn: Txn,
    lease: Lease,
    limits: Limits,
    pulse: Option<Pulse>,
}

impl Transaction {
    pub(crate) fn new((txn, lease): (Txn, Lease), limits: Limits, pulse: Option<Pulse>) -> Self {
        let it = Self { txn, lease, limits, pulse };
        it.beat();
        it
    }

    /// Runs a statement and reads all its rows, because an error may come with any row.
    ///
    /// # Errors
    /// The database's error; [`Error::ConnectionTimedOut`] when the statement takes too long.
    pub async fn rows(&mut self, query: Query) -> Result<Vec<Row>, Error> {
        let watch = Watch::begin(&query);
        let rows = patiently(self.lease.pool(), self.limits.statement, collect(&mut self.txn, query)).await?;
        self.beat();
        watch.end();
        Ok(rows)
    }

    /// Runs a statement and discards its rows, in one round trip.
    ///
    /// # Errors
    /// As [`Transaction::rows`].
    pub async fn run(&mut self, query: Query) -> Result<(), Error> {
        let watch = Watch::begin(&query);
        patiently(self.lease.pool(), self.limits.statement, self.txn.run(query)).await?;
        self.beat();
        watch.end();
        Ok(())
    }

    /// Commits if `result` is `Ok`, else rolls back. Never leaves the transaction open.
    ///
    /// # Errors
    /// The error of `result` or of the commit.
    pub async fn end<T>(self, result: Result<T, Error>) -> Result<T, Error> {
        match result {
            Ok(value) => {
                timeout(self.limits.commit, self.txn.commit()).await.map_err(|_| Error::ConnectionTimedOut)??;
                self.pulse.iter().for_each(Pulse::beat);
                self.lease.give_back();
                Ok(value)
            }
            Err(error) => {
                self.undo().await;
                Err(error)
            }
        }
    }

    /// Rolls back. If the database does not confirm, closes the connection, which has the same effect. That happens
    /// after every failed statement, because the server then ignores everything but a reset.
    pub async fn undo(self) {
        match timeout(self.limits.rollback, self.txn.rollback()).await {
            Ok(Ok(())) => self.lease.give_back(),
            Ok(Err(error)) => tracing::debug!(%error, "closing a connection instead of rolling back"),
            Err(_) => tracing::debug!("closing a connection whose rollback takes too long"),
        }
    }

    fn beat(&self) {
        self.pulse.iter().for_each(Pulse::beat);
    }
}

/// Waits for an answer. While it takes long, the statement may wait for the locks of a transaction whose client is gone.
async fn patiently<T>(
    pool: &Pool,
    limit: Duration,
    exchange: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let mut exchange = pin!(timeout(limit, exchange));
    loop {
        let look = async {
            sleep(LOOK_AFTER).await;
            orphans::end(pool).await;
        };
        // An answer ends the search.
        tokio::select! {
            answer = &mut exchange => return answer.unwrap_or(Err(Error::ConnectionTimedOut)),
            () = look => {}
        }
    }
}

pub(crate) async fn collect(txn: &mut Txn, query: Query) -> Result<Vec<Row>, Error> {
    let mut stream = txn.execute(query).await?;
    let mut rows = Vec::new();
    while let Some(row) = stream.next(txn.handle()).await? {
        rows.push(row);
    }
    Ok(rows)
}

/// Traces the duration of each statement, never its parameters.
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
