//! Repeats: syncs that recollect scopes lost on the way to the graph, and the merge of their outcomes. A repeat covers
//! only the places of lost scopes. Its message ids, update tag and counts are new, so nothing of the first sync must be
//! undone.
//!
//! It collects the whole service there, not only the lost listings: a label is cleaned up only after every listing that
//! feeds it was seen in one sync.

use crate::{Outcome, Scopes, Unseen, lost::unnamed_places, outcome::Repeat, place::Place};
use events::{ScopeName, SyncFinished};
use std::collections::{BTreeSet, HashSet};

/// Maximum number of repeats. If a stream loses scopes three times in a row, a fourth attempt will not help.
pub const MOST: usize = 2;

/// Names of the scopes that a sync lost. Scopes that the graph-writer did not name appear as `<place>/*`, only for
/// `places`. `scopes` are all that the sync reported.
pub fn names(graph: &SyncFinished, scopes: &Scopes, places: &BTreeSet<Place>) -> Vec<String> {
    let named = graph.lost.iter().filter_map(|lost| lost.scope.as_ref()).map(|scope| ScopeName(scope).to_string());
    let unnamed = unnamed_places(graph, scopes).into_iter().filter(|place| places.contains(place));
    named.chain(unnamed.map(|place| format!("{place}/*"))).collect()
}

/// Places of the scopes that a sync lost. `scopes` are all that it reported.
pub fn places(graph: &SyncFinished, scopes: &Scopes) -> BTreeSet<Place> {
    let named = graph.lost.iter().filter_map(|lost| lost.scope.as_ref()).map(Place::of);
    named.chain(unnamed_places(graph, scopes)).collect()
}

impl Outcome {
    /// Replaces the outcome of scopes in these places with the outcome of the repeat. Scopes that the repeat does not
    /// report keep theirs. The repeat's analysis replaces the first one.
    pub fn merge(&mut self, repeat: Self, places: &BTreeSet<Place>) {
        let lost = names(&self.graph, &self.scopes, places);
        let reported: HashSet<[&str; 4]> = repeat.scopes.iter().map(|report| report.names()).collect();
        // Places in which the repeat reports every scope that the first sync read.
        let mut complete: BTreeSet<Place> = repeat.scopes.iter().map(|report| Place::of_report(&report)).collect();
        let read = self.scopes.iter().filter(|report| report.failure.is_none());
        read.filter(|report| !reported.contains(&report.names())).for_each(|report| {
            complete.remove(&Place::of_report(&report));
        });
        let is_replaced = |names: [&str; 4]| {
            let [account, region, service, listing] = names;
            let place = Place::new(account, region, service);
            let is_reported = if listing == "*" { complete.contains(&place) } else { reported.contains(&names) };
            is_reported && places.contains(&place)
        };
        self.scopes.retain(|report| !is_replaced(report.names()));
        self.unseen.retain(|unseen| !unseen.is_of_analysis() && !is_replaced(unseen.names()));
        let mut known: HashSet<Unseen> = self.unseen.iter().cloned().collect();
        self.unseen.extend(repeat.unseen.into_iter().filter(|unseen| known.insert(unseen.clone())));
        self.scopes.extend(repeat.scopes.iter().map(|report| report.message()));
        self.graph = sum_of(std::mem::take(&mut self.graph), repeat.graph);
        self.repeats.push(Repeat { sync: repeat.sync, lost });
        self.repeats.extend(repeat.repeats);
    }
}

impl Unseen {
    fn names(&self) -> [&str; 4] {
        [&self.account_id, &self.region, &self.service, &self.listing]
    }
}

/// Sums the counts of both syncs and joins their `shortened` lists. Takes the stale places from the first sync, and the
/// rest, such as the lost scopes and the failed analysis, from the later one.
fn sum_of(first: SyncFinished, later: SyncFinished) -> SyncFinished {
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
    use events::{Failure, FailureClass, LostArea, LostGroup, LostPlaces, LostScope, Scope, ScopeReport, SyncId};

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
            sync: SyncId { id: id.into(), update_tag: 1 },
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
        let places = places(&first.graph, &first.scopes);
        assert_eq!(places.len(), 1);
        first.merge(outcome("b", &[(here.clone(), 7)], &[]), &places);
        assert!(first.is_complete());
        assert_eq!(first.scopes.iter().map(|scope| scope.assets).collect::<Vec<_>>(), [2, 7]);
        assert_eq!(first.repeats[0].lost, ["1/r1/ec2/DescribeVpcs"]);
        assert_eq!((first.repeats[0].sync.id.as_str(), first.sync.id.as_str()), ("b", "a"));
        assert_eq!(first.graph.nodes, 10);
    }

    #[test]
    fn numbers_that_cannot_be_added_up_are_the_largest_one() {
        let mut first = outcome("a", &[(scope("r1", "DescribeVpcs"), u64::MAX)], &[]);
        first.merge(outcome("b", &[(scope("r2", "DescribeVpcs"), 7)], &[]), &BTreeSet::new());
        assert_eq!(first.graph.nodes, u64::MAX);
    }

    #[test]
    fn a_loss_that_the_repeat_does_not_speak_of_stays() {
        let (here, other) = (scope("r1", "DescribeVpcs"), scope("r1", "DescribeSubnets"));
        let mut first = outcome("a", &[(here.clone(), 1)], &[here.clone(), other.clone()]);
        let places = places(&first.graph, &first.scopes);
        first.merge(outcome("b", &[(here, 7)], &[]), &places);
        assert_eq!(first.unseen.iter().map(|unseen| &*unseen.listing).collect::<Vec<_>>(), ["DescribeSubnets"]);
    }

    #[test]
    fn places_of_scopes_without_names_are_collected_again_and_named_until_all_of_their_scopes_were() {
        let scope = |region: &str, listing: &str| (scope(region, listing), 1);
        let (volumes, vpcs, other) =
            (scope("r1", "DescribeVolumes"), scope("r1", "DescribeVpcs"), scope("r2", "DescribeVpcs"));
        let again = |reported: &[(Scope, u64)]| {
            let mut first = outcome("a", &[volumes.clone(), vpcs.clone(), other.clone()], &[]);
            let areas = vec![LostArea { region: "r1".into(), service: "ec2".into() }];
            let groups = vec![LostGroup { accounts: vec!["1".into()], areas: vec![0] }];
            first.graph.lost_places = Some(LostPlaces { areas, groups, everything: false });
            first.graph.lost_total = 2;
            first.unseen = Unseen::of_graph(&first.graph, &[], &first.scopes);
            let places = places(&first.graph, &first.scopes);
            assert_eq!(places, [Place::new("1", "r1", "ec2")].into());
            first.merge(outcome("b", reported, &[]), &places);
            first
        };
        let merged = again(&[volumes.clone(), vpcs.clone()]);
        assert!(merged.is_complete() && merged.graph.lost_places.is_none(), "{:?}", merged.unseen);
        assert_eq!((merged.repeats[0].lost.as_slice(), merged.scopes.len()), (["1/r1/ec2/*".to_owned()].as_slice(), 3));
        let unseen = again(std::slice::from_ref(&vpcs)).unseen;
        assert_eq!(unseen.iter().map(|unseen| unseen.names()).collect::<Vec<_>>(), [["1", "r1", "ec2", "*"]]);
    }

    #[test]
    fn a_repeat_that_a_newer_sync_overtook_clears_no_loss() {
        let here = scope("r1", "DescribeVpcs");
        let mut first = outcome("a", &[], std::slice::from_ref(&here));
        let places = places(&first.graph, &first.scopes);
        let mut again = outcome("b", &[(here.clone(), 7)], &[]);
        again.graph.superseded = vec![LostScope { scope: Some(here), failure: None }];
        again.graph.superseded_total = 1;
        again.unseen = Unseen::of_graph(&again.graph, &[], &again.scopes);
        first.merge(again, &places);
        assert!(first.unseen[0].to_string().contains("a newer sync took over"), "{:?}", first.unseen);
        assert_eq!(first.unseen.len(), 1);
    }

    #[test]
    fn what_is_lost_once_more_stays_named() {
        let here = scope("r1", "DescribeVpcs");
        let mut first = outcome("a", &[], std::slice::from_ref(&here));
        let places = places(&first.graph, &first.scopes);
        first.merge(outcome("b", &[], std::slice::from_ref(&here)), &places);
        assert_eq!((first.unseen.len(), first.graph.lost.len()), (1, 1));
    }
}
