//! Outcome of a sync.

mod accepted;
pub mod groups;

pub use accepted::{Accepted, AcceptedGap};

use crate::{Scopes, lost::unnamed_places, place::Place};
use events::{
    Account, Failure, FailureClass, LostScope, SkippedAccount, SyncFinished, SyncId, WorkItem, WorkKind, WorkReport,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Outcome of a sync.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Id and update tag of the sync.
    pub sync: SyncId,
    /// Surveyed accounts.
    pub accounts: Vec<Account>,
    /// All listings that finished or failed.
    pub scopes: Scopes,
    /// Requested parts that could not be seen. Their last known graph was kept.
    pub unseen: Vec<Unseen>,
    /// Requested parts that could not be seen, as the user has accepted.
    pub accepted: Accepted,
    /// Report of the graph-writer.
    pub graph: SyncFinished,
    /// Further syncs, because batches were lost on the way.
    pub repeats: Vec<Repeat>,
    /// Accounts that were skipped because they are not active.
    pub skipped: Skipped,
}

/// A sync that collected lost scopes again.
#[derive(Debug, Clone, PartialEq)]
pub struct Repeat {
    /// Id and update tag of the sync.
    pub sync: SyncId,
    /// Names of the scopes that had been lost. `<account>/<region>/<service>/*` stands for scopes that the graph-writer
    /// did not name one by one.
    pub lost: Vec<String>,
}

/// Accounts that are not surveyed because they are not active.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Skipped {
    /// Accounts named by the broker.
    pub named: Vec<SkippedAccount>,
    /// Number of all such accounts.
    pub total: u32,
}

/// A requested part that could not be seen. `*` stands for all regions, services or listings. A sync may have hundreds
/// of thousands of them, so they share their texts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unseen {
    /// Account id: 12 digits; empty if unknown.
    pub account_id: Arc<str>,
    /// Profile or organization name of the account.
    pub account_name: Arc<str>,
    /// Region, `global`, or `*`.
    pub region: Arc<str>,
    /// Service, or `*`.
    pub service: Arc<str>,
    /// API operation, or `*`.
    pub listing: Arc<str>,
    /// Reason.
    pub failure: Arc<Failure>,
}

/// Reason for a place with lost scopes that are not named one by one.
const UNNAMED: &str = "some of its batches may not have arrived: too many scopes were lost to name each";
/// Reason for a scope that a newer sync took over.
const SUPERSEDED: &str = "a newer sync took over; nothing of this one was written there";
/// Reason for a scope with rows that Neo4j cannot store.
const REJECTED: &str = "Neo4j rejected some of its rows; the others were written";

/// Reason for a scope that the sync's collectors do not know.
const NOT_RUN: &str = "no collector of this sync knows the listing";

/// Names of the steps on the whole graph, in [`Unseen`].
const ANALYSIS: &str = "analysis of the graph";
const CLEANUP: &str = "cleanup of the graph";

/// A service that is switched off in an account, so that it has nothing to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Off {
    /// Account id: 12 digits.
    pub account_id: String,
    /// Name of the account; may be empty.
    pub account_name: String,
    /// Name of the service.
    pub service: String,
    /// Sorted regions.
    pub regions: Vec<String>,
}

impl fmt::Display for Off {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account_id, account_name, service, regions } = self;
        write!(f, "{service} in {account_id} ({account_name}) {}", regions.join(", "))
    }
}

impl Outcome {
    /// Lists the services that are switched off, by account.
    pub fn switched_off(&self) -> Vec<Off> {
        let mut all = BTreeMap::<(&str, &str), BTreeSet<&str>>::new();
        for scope in self.scopes.iter().filter(|report| !report.service_off.is_empty()) {
            all.entry((scope.account_id, scope.service)).or_default().insert(scope.region);
        }
        let off = |((account_id, service), regions): ((&str, &str), BTreeSet<&str>)| Off {
            account_id: account_id.to_owned(),
            account_name: name_of(&self.accounts, account_id),
            service: service.to_owned(),
            regions: regions.into_iter().map(str::to_owned).collect(),
        };
        all.into_iter().map(off).collect()
    }

    /// Whether all requested parts were seen, except accepted gaps.
    pub fn is_complete(&self) -> bool {
        self.unseen.is_empty()
    }

    /// Largest update tag of the graph and of this survey's syncs.
    pub fn newest_tag(&self) -> i64 {
        let tags = self.repeats.iter().map(|repeat| repeat.sync.update_tag).chain([self.graph.newest_tag]);
        tags.fold(self.sync.update_tag, i64::max)
    }

    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.scopes.iter().all(|scope| scope.failure.is_some())
    }
}

/// Formats the age of a Unix time in seconds: `12 days ago`.
pub fn seen_ago(second: i64) -> String {
    let second = Duration::from_secs(u64::try_from(second).unwrap_or(0));
    let ago = UNIX_EPOCH.checked_add(second).and_then(|then| SystemTime::now().duration_since(then).ok());
    match ago.unwrap_or_default().as_secs() {
        seconds if seconds < 2 * 3_600 => format!("{} minutes ago", seconds / 60),
        seconds if seconds < 2 * 86_400 => format!("{} hours ago", seconds / 3_600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

impl Unseen {
    /// Lists the parts that a work item's report could not see.
    pub fn of_report(item: &WorkItem, report: &WorkReport, regional: &[&str]) -> Vec<Self> {
        if let Some(failure) = &report.failure {
            return Self::of_item(item, failure, regional);
        }
        let failed = report.scopes.iter().filter_map(|it| Some((it.scope.as_ref()?, it.failure.as_ref()?)));
        let shared = failed.map(|(it, failure)| {
            let names = [&it.region, &it.service, &it.listing].map(|name| name.as_str().into());
            (names, Arc::new(failure.clone()))
        });
        Self::of_scopes(item, shared).collect()
    }

    /// Converts a work item that failed as a whole. If region discovery failed, returns each of these services in all
    /// regions.
    pub fn of_item(item: &WorkItem, failure: &Failure, regional: &[&str]) -> Vec<Self> {
        let failure = Arc::new(failure.clone());
        let unseen = |region: &str, service: &str| ([region.into(), service.into(), "*".into()], Arc::clone(&failure));
        let all: Vec<_> = match item.kind() {
            WorkKind::DiscoverRegions => regional.iter().map(|service| unseen("*", service)).collect(),
            _ => vec![unseen(&item.region, &item.service)],
        };
        Self::of_scopes(item, all.into_iter()).collect()
    }

    /// Converts failed scopes of a work item: region, service, listing and failure of each.
    pub fn of_scopes(
        item: &WorkItem,
        failed: impl Iterator<Item = ([Arc<str>; 3], Arc<Failure>)>,
    ) -> impl Iterator<Item = Self> {
        let (account_id, account_name) = (Arc::from(item.account_id.as_str()), Arc::from(item.account_name.as_str()));
        failed.map(move |([region, service, listing], failure)| Self {
            account_id: Arc::clone(&account_id),
            account_name: Arc::clone(&account_name),
            region,
            service,
            listing,
            failure,
        })
    }

    /// Lists the parts that the graph-writers report as missing in the graph. Names of accounts come from `accounts`;
    /// `scopes` are all that the sync reported.
    pub fn of_graph(graph: &SyncFinished, accounts: &[Account], scopes: &Scopes) -> Vec<Self> {
        let names: HashMap<&str, &str> =
            accounts.iter().map(|account| (account.id.as_str(), account.name.as_str())).collect();
        let places = unnamed_places(graph, scopes);
        let lost_total = if places.is_empty() { graph.lost_total } else { 0 };
        let groups = [
            (&graph.lost, lost_total, "some of its batches did not arrive"),
            (&graph.rejected, graph.rejected_total, REJECTED),
            (&graph.superseded, graph.superseded_total, SUPERSEDED),
            (&graph.not_run, graph.not_run_total, NOT_RUN),
        ];
        let failure = Arc::new(Failure::new(FailureClass::Lost, UNNAMED));
        let mut unseen: Vec<_> = places.iter().map(|place| Self::of_place(place, &names, &failure)).collect();
        for (scopes, total, reason) in groups {
            unseen.extend(scopes.iter().map(|scope| Self::of_scope(scope, reason, &names)));
            let more = total.saturating_sub(scopes.len() as u64);
            unseen.extend((more > 0).then(|| Self::more(more, reason)));
        }
        unseen.extend(graph.cleanup.clone().map(Self::cleanup));
        unseen.extend(graph.analysis.clone().map(Self::analysis));
        unseen
    }

    /// Converts a scope that was collected, but that the graph does not hold completely.
    fn of_scope(scope: &LostScope, reason: &str, names: &HashMap<&str, &str>) -> Self {
        let failure = scope.failure.clone().unwrap_or_else(|| Failure::new(FailureClass::Lost, reason));
        let scope = scope.scope.clone().unwrap_or_default();
        Self {
            account_name: names.get(&*scope.account_id).copied().unwrap_or_default().into(),
            account_id: scope.account_id.into(),
            region: scope.region.into(),
            service: scope.service.into(),
            listing: scope.listing.into(),
            failure: failure.into(),
        }
    }

    /// Converts a place with lost scopes that are not named one by one.
    fn of_place(place: &Place, names: &HashMap<&str, &str>, failure: &Arc<Failure>) -> Self {
        Self {
            account_id: place.account_id.as_str().into(),
            account_name: names.get(&*place.account_id).copied().unwrap_or_default().into(),
            region: place.region.as_str().into(),
            service: place.service.as_str().into(),
            listing: "*".into(),
            failure: Arc::clone(failure),
        }
    }

    /// Stands for the scopes beyond the limit of named ones.
    fn more(count: u64, reason: &str) -> Self {
        let failure = Failure::new(FailureClass::Lost, format!("{reason}; too many to list"));
        Self { account_name: format!("{count} more scope(s)").into(), ..Self::everything(failure) }
    }

    /// The graph holds everything seen, but not all of its analysis.
    pub fn analysis(failure: Failure) -> Self {
        Self { account_name: ANALYSIS.into(), ..Self::everything(failure) }
    }

    /// The graph still holds assets that no longer exist.
    pub fn cleanup(failure: Failure) -> Self {
        Self { account_name: CLEANUP.into(), ..Self::everything(failure) }
    }

    /// Converts a failure to all scopes of an unknown account.
    pub(crate) fn everything(failure: Failure) -> Self {
        let all = || Arc::from("*");
        let (account_id, account_name) = (Arc::default(), Arc::default());
        Self { account_id, account_name, region: all(), service: all(), listing: all(), failure: failure.into() }
    }

    /// Whether this is [`Unseen::analysis`].
    pub fn is_of_analysis(&self) -> bool {
        self.account_id.is_empty() && &*self.account_name == ANALYSIS
    }
}

fn name_of(accounts: &[Account], id: &str) -> String {
    accounts.iter().find(|account| account.id == id).map(|account| account.name.clone()).unwrap_or_default()
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account_id, account_name, region, service, listing, failure } = self;
        match (account_id.is_empty(), account_name.is_empty()) {
            (true, _) => write!(f, "{account_name}")?,
            (false, true) => write!(f, "{account_id}")?,
            (false, false) => write!(f, "{account_id} ({account_name})")?,
        }
        if account_id.is_empty() && [region, service, listing].iter().all(|name| &***name == "*") {
            return write!(f, ": {failure}");
        }
        write!(f, " {region} {service} {listing}: {failure}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Scope, ScopeReport};

    fn scope(region: &str) -> LostScope {
        let scope = Scope { account_id: "1".into(), region: region.into(), service: "ec2".into(), listing: "L".into() };
        LostScope { scope: Some(scope), failure: None }
    }

    #[test]
    fn a_service_that_is_switched_off_is_no_failure() {
        let report = |region: &str, service_off: &str| ScopeReport {
            scope: scope(region).scope,
            service_off: service_off.into(),
            ..ScopeReport::default()
        };
        let accounts = vec![Account { id: "1".into(), name: "alpha".into(), ..Account::default() }];
        let scopes = [report("b", "off"), report("a", "off"), report("c", "")].into_iter().collect();
        let outcome = Outcome { accounts, scopes, ..Outcome::default() };
        let off: Vec<_> = outcome.switched_off().iter().map(ToString::to_string).collect();
        assert_eq!((off, outcome.is_complete()), (vec!["ec2 in 1 (alpha) a, b".to_owned()], true));
    }

    #[test]
    fn all_that_the_graph_does_not_hold_is_unseen() {
        let graph = SyncFinished {
            lost: vec![scope("a")],
            lost_total: 12_000,
            rejected: vec![scope("b")],
            rejected_total: 1,
            superseded: vec![scope("c")],
            superseded_total: 1,
            analysis: Some(Failure::new(FailureClass::Internal, "no")),
            cleanup: Some(Failure::new(FailureClass::Internal, "a node is too large")),
            ..SyncFinished::default()
        };
        let accounts = [Account { id: "1".into(), name: "alpha".into(), ..Account::default() }];
        let said: Vec<_> =
            Unseen::of_graph(&graph, &accounts, &Scopes::default()).iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "1 (alpha) a ec2 L: batches lost: some of its batches did not arrive",
                "11999 more scope(s): batches lost: some of its batches did not arrive; too many to list",
                "1 (alpha) b ec2 L: batches lost: Neo4j rejected some of its rows; the others were written",
                "1 (alpha) c ec2 L: batches lost: a newer sync took over; nothing of this one was written there",
                "cleanup of the graph: internal error: a node is too large",
                "analysis of the graph: internal error: no",
            ]
        );
    }
}
