//! What came of a sync.

use crate::repeat::Repeat;
use events::{
    Account, Failure, FailureClass, LostScope, ScopeReport, Sync, SyncFinished, WorkItem, WorkKind, WorkReport,
};
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
    /// What the report of a work item could not see. When the regions of its account could not be found out, that is each
    /// of these services in all of them.
    pub fn of_report(item: &WorkItem, report: &WorkReport, regional: &[&str]) -> Vec<Self> {
        let unseen = |region: &str, service: &str, listing: &str, failure: &Failure| Self {
            account_id: item.account_id.clone(),
            account_name: item.account_name.clone(),
            region: region.to_owned(),
            service: service.to_owned(),
            listing: listing.to_owned(),
            failure: failure.clone(),
        };
        match &report.failure {
            Some(failure) if item.kind() == WorkKind::DiscoverRegions => {
                regional.iter().map(|service| unseen("*", service, "*", failure)).collect()
            }
            Some(failure) => vec![unseen(&item.region, &item.service, "*", failure)],
            None => {
                let failed = report.scopes.iter().filter_map(|it| Some((it.scope.as_ref()?, it.failure.as_ref()?)));
                failed.map(|(it, failure)| unseen(&it.region, &it.service, &it.listing, failure)).collect()
            }
        }
    }

    /// A scope that a collector finished and the graph never got whole; its account by the name that these give it.
    pub fn lost(lost: &LostScope, accounts: &[Account]) -> Self {
        let scope = lost.scope.clone().unwrap_or_default();
        let account = accounts.iter().find(|account| account.id == scope.account_id);
        Self {
            account_name: account.map(|account| account.name.clone()).unwrap_or_default(),
            account_id: scope.account_id,
            region: scope.region,
            service: scope.service,
            listing: scope.listing,
            failure: lost.failure.clone().unwrap_or_else(|| Failure::new(FailureClass::Lost, "not all of it arrived")),
        }
    }

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
