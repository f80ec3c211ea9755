//! An open transaction. Dropping it, or a failed exchange, closes its connection, and the server rolls it back.
//! Cancelling is therefore always safe.

use crate::{
    Pulse,
    limits::Limits,
    orphans::{self, BELIEVED_FOR, LOOK_AFTER},
    pool::{Begun, Lease},
    rows::collect,
    sent::Sent,
};
use neo4rs::{Error, Query, Row, Txn};
use observe::{Ending, metrics};
use std::{
    pin::pin,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

/// If the last statement is older than this, another one precedes the commit, to check the transaction.
const STALE: Duration = Duration::from_secs(2);

/// An open transaction.
pub struct Transaction {
    txn: Txn,
    mark: Option<String>,
    began: Instant,
    /// Time at which the last statement was sent.
    sent: Sent,
    lease: Lease,
    limits: Limits,
    pulse: Option<Pulse>,
}

impl Transaction {
    pub(crate) fn new(begun: Begun, limits: Limits, pulse: Option<Pulse>) -> Self {
        let Begun { txn, mark, sent, lease } = begun;
        let it = Self { txn, mark, began: Instant::now(), sent, lease, limits, pulse };
        it.beat();
        it
    }

    /// Runs a statement and reads all its rows, because an error may come with any row.
    ///
    /// # Errors
    /// The database's error; [`Error::ConnectionTimedOut`] if the statement takes too long;
    /// [`Error::ServerUnavailableError`] if the connection is dead.
    pub async fn rows(&mut self, query: Query) -> Result<Vec<Row>, Error> {
        let watch = Watch::begin(&query);
        self.sent = Sent::now();
        let rows =
            patiently(&self.lease, self.mark.as_deref(), self.limits.statement, collect(&mut self.txn, query)).await?;
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
        self.sent = Sent::now();
        patiently(&self.lease, self.mark.as_deref(), self.limits.statement, self.txn.run(query)).await?;
        self.beat();
        watch.end();
        Ok(())
    }

    /// Commits if `result` is `Ok`, else rolls back. Never leaves the transaction open.
    ///
    /// # Errors
    /// The error of `result` or of the commit. [`Error::ConnectionTimedOut`] if the commit took so long that its outcome is
    /// unknown.
    pub async fn end<T>(self, result: Result<T, Error>) -> Result<T, Error> {
        match result {
            Ok(value) => {
                let began = self.began;
                let committed = self.commit().await;
                let took = began.elapsed();
                metrics().graph.ended(committed.as_ref().map_or(Ending::Failed, |()| Ending::Committed(took)));
                committed.map(|()| value)
            }
            Err(error) => {
                self.undo().await;
                Err(error)
            }
        }
    }

    async fn commit(mut self) -> Result<(), Error> {
        self.reassure().await?;
        patiently(&self.lease, self.mark.as_deref(), self.limits.commit, self.txn.commit()).await?;
        if self.mark.is_some() && self.sent.elapsed() > BELIEVED_FOR {
            return Err(Error::ConnectionTimedOut);
        }
        self.pulse.iter().for_each(Pulse::beat);
        self.lease.give_back();
        Ok(())
    }

    /// Fails if the transaction was terminated. See [`BELIEVED_FOR`].
    async fn reassure(&mut self) -> Result<(), Error> {
        if self.mark.is_none() || self.sent.elapsed() < STALE {
            return Ok(());
        }
        self.run(Query::new("RETURN 1".to_owned())).await
    }

    /// Rolls back. If the database does not confirm, closes the connection, which has the same effect. That happens
    /// after every failed statement, because the server then ignores everything but a reset.
    pub async fn undo(self) {
        metrics().graph.ended(Ending::RolledBack);
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

/// Waits for an answer of the transaction with this connection and mark. During a long wait, searches for transactions whose
/// client is gone: the statement may wait for their locks, or the answer may be lost.
async fn patiently<T>(
    lease: &Lease,
    mark: Option<&str>,
    limit: Duration,
    exchange: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let mut exchange = pin!(timeout(limit, exchange));
    loop {
        let look = async {
            sleep(LOOK_AFTER).await;
            orphans::end(lease.pool(), mark).await
        };
        // An answer ends the search.
        tokio::select! {
            answer = &mut exchange => return answer.unwrap_or(Err(Error::ConnectionTimedOut)),
            is_lost = look => {
                if is_lost {
                    let words = "the connection is dead: Neo4j has nothing to do for it, and no answer arrives";
                    return Err(Error::ServerUnavailableError(words.to_owned()));
                }
            }
        }
    }
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
