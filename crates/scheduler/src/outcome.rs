//! What came of a sync.

use crate::repeat::Repeat;
use events::{Account, Failure, ScopeReport, Sync, SyncFinished};
use std::fmt;

/// A sync at its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The sync.
    pub sync: Sync,
    /// Accounts that were surveyed.
    pub accounts: Vec<Account>,
    /// Every listing that finished or failed.
    pub scopes: Vec<ScopeReport>,
    /// All that was asked for and could not be seen; its last known graph was kept.
    pub unseen: Vec<Unseen>,
    /// What the graph-writer says of the graph.
    pub graph: SyncFinished,
    /// Syncs that followed because batches were lost on the way.
    pub repeats: Vec<Repeat>,
}

/// Something that was asked for and could not be seen. `*` stands for all: all regions, services or listings.
#[derive(Debug, Clone, PartialEq)]
pub struct Unseen {
    /// The 12 digits; empty where not even they are known.
    pub account_id: String,
    /// Profile or organization name of the account.
    pub account_name: String,
    /// Region, `global`, or `*`.
    pub region: String,
    /// Service, or `*`.
    pub service: String,
    /// API operation, or `*`.
    pub listing: String,
    /// Why.
    pub failure: Failure,
}

/// What [`Unseen`] calls what follows from the whole graph.
const ANALYSIS: &str = "analysis of the graph";

impl Outcome {
    /// Whether everything that was asked for was seen.
    pub fn is_complete(&self) -> bool {
        self.unseen.is_empty()
    }

    /// Whether nothing at all was seen.
    pub fn is_empty(&self) -> bool {
        self.scopes.iter().all(|scope| scope.failure.is_some())
    }
}

impl Unseen {
    /// The graph holds all that was seen, but not all that follows from it.
    pub fn analysis(failure: Failure) -> Self {
        let all = || "*".to_owned();
        Self {
            account_id: String::new(),
            account_name: ANALYSIS.to_owned(),
            region: all(),
            service: all(),
            listing: all(),
            failure,
        }
    }

    /// Whether it is [`Unseen::analysis`].
    pub fn is_of_analysis(&self) -> bool {
        self.account_id.is_empty() && self.account_name == ANALYSIS
    }
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account_id, account_name, region, service, listing, failure } = self;
        match (account_id.is_empty(), account_name.is_empty()) {
            (true, _) => write!(f, "{account_name}")?,
            (false, true) => write!(f, "{account_id}")?,
            (false, false) => write!(f, "{account_id} ({account_name})")?,
        }
        write!(f, " {region} {service} {listing}: {failure}")
    }
}
