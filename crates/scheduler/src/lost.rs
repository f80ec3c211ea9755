//! Lost scopes, as graph-writers report them: the first by name, the others by place.
//!
//! A message that would be too long names too many places instead: areas of all accounts, or everything. Only places in
//! which the sync has finished listings count.

use crate::{Scopes, place::Place};
use events::{LostGroup, LostPlaces, SyncFinished};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Places with lost scopes that `finished` does not name one by one. `scopes` are all that the sync reported.
pub fn unnamed_places(finished: &SyncFinished, scopes: &Scopes) -> BTreeSet<Place> {
    let Some(message) = &finished.lost_places else { return BTreeSet::new() };
    let lookup = Lookup::of(message);
    let finished = scopes.iter().filter(|report| report.failure.is_none());
    let seen: HashSet<[&str; 3]> = finished.map(|report| [report.account_id, report.region, report.service]).collect();
    let lost = seen.into_iter().filter(|[account, region, service]| lookup.has(account, region, service));
    lost.map(|[account, region, service]| Place::new(account, region, service)).collect()
}

/// A message, prepared for many questions. It takes no more memory than the message, because that comes from the bus.
struct Lookup<'a> {
    everything: bool,
    /// Numbers of each area: one, if a graph-writer made the message.
    areas: HashMap<(&'a str, &'a str), Vec<u32>>,
    /// Areas of each group.
    groups: Vec<HashSet<u32>>,
    /// Groups of each account.
    accounts: BTreeMap<&'a str, Vec<usize>>,
    /// Groups of all accounts.
    of_all: Vec<usize>,
}

impl<'a> Lookup<'a> {
    fn of(message: &'a LostPlaces) -> Self {
        let mut areas = HashMap::<_, Vec<u32>>::new();
        for (number, area) in (0..).zip(&message.areas) {
            areas.entry((area.region.as_str(), area.service.as_str())).or_default().push(number);
        }
        let (mut accounts, mut of_all) = (BTreeMap::<_, Vec<usize>>::new(), Vec::new());
        for (number, LostGroup { accounts: names, .. }) in message.groups.iter().enumerate() {
            of_all.extend(names.is_empty().then_some(number));
            for name in names {
                accounts.entry(name.as_str()).or_default().push(number);
            }
        }
        let groups = message.groups.iter().map(|group| group.areas.iter().copied().collect()).collect();
        Self { everything: message.everything, areas, groups, accounts, of_all }
    }

    fn has(&self, account: &str, region: &str, service: &str) -> bool {
        let Some(areas) = self.areas.get(&(region, service)) else { return self.everything };
        let own = self.accounts.get(account).into_iter().flatten();
        let mut groups = own.chain(&self.of_all).filter_map(|group| self.groups.get(*group));
        self.everything || groups.any(|group| areas.iter().any(|area| group.contains(area)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Failure, FailureClass, LostArea, Scope, ScopeReport};

    fn scopes() -> Scopes {
        let places = [("1", "r1", None), ("1", "r2", None), ("2", "r1", None), ("2", "r2", Some("denied"))];
        let report = |(account, region, failure): (&str, &str, Option<&str>)| ScopeReport {
            scope: Some(Scope {
                account_id: account.into(),
                region: region.into(),
                service: "ec2".into(),
                listing: "A".into(),
            }),
            failure: failure.map(|text| Failure::new(FailureClass::AccessDenied, text)),
            ..ScopeReport::default()
        };
        places.into_iter().map(report).collect()
    }

    fn area(region: &str) -> LostArea {
        LostArea { region: region.into(), service: "ec2".into() }
    }

    fn group(accounts: &[&str], areas: &[u32]) -> LostGroup {
        LostGroup { accounts: accounts.iter().map(|id| (*id).to_owned()).collect(), areas: areas.to_vec() }
    }

    fn check(groups: Vec<LostGroup>, everything: bool, expected: &[&str]) {
        let message = LostPlaces { areas: vec![area("r1"), area("r2"), area("r1")], groups, everything };
        let finished = SyncFinished { lost_places: Some(message), ..SyncFinished::default() };
        let places = unnamed_places(&finished, &scopes());
        let names: Vec<_> = places.iter().map(|place| format!("{} {}", place.account_id, place.region)).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn places_are_those_of_an_account_or_of_all_and_were_read() {
        check(vec![group(&["1"], &[0])], false, &["1 r1"]);
        check(vec![group(&["1"], &[2])], false, &["1 r1"]);
        check(vec![group(&["2"], &[0, 1])], false, &["2 r1"]);
        check(vec![group(&[], &[0])], false, &["1 r1", "2 r1"]);
        check(vec![group(&["1"], &[0]), group(&["1", "3"], &[1, 9])], false, &["1 r1", "1 r2"]);
        check(Vec::new(), true, &["1 r1", "1 r2", "2 r1"]);
        check(Vec::new(), false, &[]);
    }

    #[test]
    fn a_sync_that_lost_nothing_has_no_such_places() {
        assert!(unnamed_places(&SyncFinished::default(), &scopes()).is_empty());
    }
}
