//! Transactions with Neo4j.

use crate::{
    labels::{NoLabels, Outcome},
    registrar::{Buckets, Counters, Histograms, Registrar},
};
use std::time::Duration;

/// Metrics of transactions.
#[derive(Debug)]
pub struct GraphMetrics {
    transactions: Counters<Outcome>,
    durations: Histograms<NoLabels>,
    retries: Counters<Outcome>,
}

/// End of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Committed, after this time.
    Committed(Duration),
    /// Rolled back.
    RolledBack,
    /// The commit failed, or its outcome is unknown.
    Failed,
}

/// Reason for the repeat of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retried {
    /// Another transaction had its locks.
    Conflict,
    /// Another transaction created the same node first.
    Race,
    /// Too large for the database.
    TooLarge,
    /// The database does not answer, or answers that it cannot work now.
    Unavailable,
    /// Another error, from a change of the schema.
    Other,
}

impl GraphMetrics {
    pub(crate) fn new(registrar: &mut Registrar) -> Self {
        Self {
            transactions: registrar.counter(
                "transactions",
                "Transactions with Neo4j: committed, rolled_back, failed (at the commit).",
            ),
            durations: registrar.histogram("transaction", Buckets::SHORT, "Time from the beginning to the commit."),
            retries: registrar.counter(
                "transaction_retries",
                "Repeats of transactions after an error: conflict (locks), race (the same node), too_large, unavailable, other.",
            ),
        }
    }

    /// Records the end of a transaction.
    pub fn ended(&self, ending: Ending) {
        let outcome = match ending {
            Ending::Committed(took) => {
                self.durations.get_or_create(&NoLabels).observe(took.as_secs_f64());
                "committed"
            }
            Ending::RolledBack => "rolled_back",
            Ending::Failed => "failed",
        };
        self.transactions.get_or_create(&Outcome::of(outcome)).inc();
    }

    /// Records that a transaction is repeated.
    pub fn retried(&self, reason: Retried) {
        let outcome = match reason {
            Retried::Conflict => "conflict",
            Retried::Race => "race",
            Retried::TooLarge => "too_large",
            Retried::Unavailable => "unavailable",
            Retried::Other => "other",
        };
        self.retries.get_or_create(&Outcome::of(outcome)).inc();
    }
}
