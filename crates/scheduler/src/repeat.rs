//! Collects scopes again that a sync lost on the way to the graph. This is a new sync of only those accounts, regions
//! and services. Its message ids, update tag and counts are new, so nothing of the first sync must be undone.
//!
//! It collects the whole service there, not only the lost listings: a label is cleaned up only after every listing that
//! feeds it was seen in one sync.

use crate::{Outcome, Unseen};
use events::{LostScope, Scope, ScopeName, Sync, SyncFinished, WorkItem};
use std::collections::{BTreeSet, HashSet};

/// Limit of syncs that follow because of lost scopes. If a stream loses them three times in a row, a fourth attempt
/// will not help.
pub const MOST: usize = 2;

/// Account, region and service of a work item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Account id: 12 digits.
    pub account_id: String,
    /// Region or `global`.
    pub region: String,
    /// Name of the service.
    pub service: String,
}

/// A sync that collected lost scopes again.
#[derive(Debug, Clone, PartialEq)]
pub struct Repeat {
    /// Id and update tag of the sync.
    pub sync: Sync,
    /// Names of the lost scopes.
    pub lost: Vec<String>,
}

/// Names of the lost scopes.
pub fn names(lost: &[LostScope]) -> Vec<String> {
    lost.iter().filter_map(|lost| lost.scope.as_ref()).map(|scope| ScopeName(scope).to_string()).collect()
}

/// Places of the lost scopes.
pub fn places(lost: &[LostScope]) -> BTreeSet<Place> {
    lost.iter().filter_map(|lost| lost.scope.as_ref()).map(Place::of).collect()
}

impl Place {
    /// Place of a work item.
    pub fn of_item(item: &WorkItem) -> Self {
        Self { account_id: item.account_id.clone(), region: item.region.clone(), service: item.service.clone() }
    }

    fn of(scope: &Scope) -> Self {
        Self { account_id: scope.account_id.clone(), region: scope.region.clone(), service: scope.service.clone() }
    }
}

impl Outcome {
    /// Replaces the outcome of these places by the outcome of the repeat. Places that the repeat does not mention keep
    /// their outcome.
    pub fn take_in(&mut self, repeat: Self, places: &BTreeSet<Place>) {
        let lost = names(&self.graph.lost);
        let told: HashSet<String> = repeat.scopes.iter().map(|it| ScopeName(&it.scope()).to_string()).collect();
        let is_told_anew =
            |scope: &Scope| places.contains(&Place::of(scope)) && told.contains(&ScopeName(scope).to_string());
        self.scopes.retain(|report| !is_told_anew(&report.scope()));
        self.unseen.retain(|unseen| !unseen.is_of_analysis() && !is_told_anew(&unseen.scope()));
        let mut known: HashSet<Unseen> = self.unseen.iter().cloned().collect();
        self.unseen.extend(repeat.unseen.into_iter().filter(|unseen| known.insert(unseen.clone())));
        self.scopes.extend(repeat.scopes.iter().map(|report| report.message()));
        self.graph = added(std::mem::take(&mut self.graph), repeat.graph);
        self.repeats.push(Repeat { sync: repeat.sync, lost });
        self.repeats.extend(repeat.repeats);
    }
}

impl Unseen {
    fn scope(&self) -> Scope {
        let [account_id, region, service, listing] =
            [&self.account_id, &self.region, &self.service, &self.listing].map(|name| name.to_string());
        Scope { account_id, region, service, listing }
    }
}

/// Sums the counts of both syncs. Takes the lost scopes and the failed analysis from the later one, and the stale
/// places from the first one.
fn added(first: SyncFinished, later: SyncFinished) -> SyncFinished {
    let mut shortened = first.shortened;
    shortened.extend(later.shortened);
    SyncFinished {
        // Saturating, because the numbers come from the bus.
        nodes: first.nodes.saturating_add(later.nodes),
        edges: first.edges.saturating_add(later.edges),
        nodes_removed: first.nodes_removed.saturating_add(later.nodes_removed),
        edges_removed: first.edges_removed.saturating_add(later.edges_removed),
        targets_missing: first.targets_missing.saturating_add(later.targets_missing),
        newest_tag: first.newest_tag.max(later.newest_tag),
        stale: first.stale,
        stale_total: first.stale_total,
        shortened,
        ..later
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Failure, FailureClass, ScopeReport};

    fn scope(region: &str, listing: &str) -> Scope {
        Scope { account_id: "1".into(), region: region.into(), service: "ec2".into(), listing: listing.into() }
    }

    fn outcome(id: &str, scopes: &[(Scope, u64)], lost: &[Scope]) -> Outcome {
        let report = |(scope, assets): &(Scope, u64)| ScopeReport {
            scope: Some(scope.clone()),
            assets: *assets,
            ..ScopeReport::default()
        };
        let unseen = |scope: &Scope| Unseen {
            account_id: scope.account_id.as_str().into(),
            account_name: "alpha".into(),
            region: scope.region.as_str().into(),
            service: scope.service.as_str().into(),
            listing: scope.listing.as_str().into(),
            failure: Failure::new(FailureClass::Lost, "gone").into(),
        };
        Outcome {
            sync: Sync { id: id.into(), update_tag: 1 },
            accounts: Vec::new(),
            scopes: scopes.iter().map(report).collect(),
            unseen: lost.iter().map(unseen).collect(),
            graph: SyncFinished {
                nodes: scopes.iter().map(|(_, assets)| assets).sum(),
                lost: lost.iter().map(|scope| LostScope { scope: Some(scope.clone()), failure: None }).collect(),
                ..SyncFinished::default()
            },
            ..Outcome::default()
        }
    }

    #[test]
    fn what_was_collected_again_replaces_what_was_lost_and_nothing_else() {
        let (here, there) = (scope("r1", "DescribeVpcs"), scope("r2", "DescribeVpcs"));
        let mut first = outcome("a", &[(here.clone(), 1), (there.clone(), 2)], std::slice::from_ref(&here));
        let places = places(&first.graph.lost);
        assert_eq!(places.len(), 1);
        first.take_in(outcome("b", &[(here.clone(), 7)], &[]), &places);
        assert!(first.is_complete());
        assert_eq!(first.scopes.iter().map(|scope| scope.assets).collect::<Vec<_>>(), [2, 7]);
        assert_eq!(first.repeats[0].lost, ["1/r1/ec2/DescribeVpcs"]);
        assert_eq!((first.repeats[0].sync.id.as_str(), first.sync.id.as_str()), ("b", "a"));
        assert_eq!(first.graph.nodes, 10);
    }

    #[test]
    fn numbers_that_cannot_be_added_up_are_the_largest_one() {
        let mut first = outcome("a", &[(scope("r1", "DescribeVpcs"), u64::MAX)], &[]);
        first.take_in(outcome("b", &[(scope("r2", "DescribeVpcs"), 7)], &[]), &BTreeSet::new());
        assert_eq!(first.graph.nodes, u64::MAX);
    }

    #[test]
    fn a_loss_that_the_repeat_does_not_speak_of_stays() {
        let (here, other) = (scope("r1", "DescribeVpcs"), scope("r1", "DescribeSubnets"));
        let mut first = outcome("a", &[(here.clone(), 1)], &[here.clone(), other.clone()]);
        let places = places(&first.graph.lost);
        first.take_in(outcome("b", &[(here, 7)], &[]), &places);
        assert_eq!(first.unseen.iter().map(|unseen| &*unseen.listing).collect::<Vec<_>>(), ["DescribeSubnets"]);
    }

    #[test]
    fn a_repeat_that_a_newer_sync_overtook_clears_no_loss() {
        let here = scope("r1", "DescribeVpcs");
        let mut first = outcome("a", &[], std::slice::from_ref(&here));
        let places = places(&first.graph.lost);
        let mut again = outcome("b", &[(here.clone(), 7)], &[]);
        again.graph.superseded = vec![LostScope { scope: Some(here), failure: None }];
        again.graph.superseded_total = 1;
        again.unseen = Unseen::of_graph(&again.graph, &[]);
        first.take_in(again, &places);
        assert!(first.unseen[0].to_string().contains("a newer sync took over"), "{:?}", first.unseen);
        assert_eq!(first.unseen.len(), 1);
    }

    #[test]
    fn what_is_lost_once_more_stays_named() {
        let here = scope("r1", "DescribeVpcs");
        let mut first = outcome("a", &[], std::slice::from_ref(&here));
        let places = places(&first.graph.lost);
        first.take_in(outcome("b", &[], std::slice::from_ref(&here)), &places);
        assert_eq!((first.unseen.len(), first.graph.lost.len()), (1, 1));
    }
}
