//! Turns accounts and a request into work items, and follows their reports. Pure: no bus, no clock.

use crate::{Request, Scopes, Unseen, place::Place};
use events::{
    Account, Failure, FailureClass, GLOBAL, SyncId, WorkItem, WorkKind, WorkReport,
    scopes::{Row, Texts},
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A sync in progress.
#[derive(Debug)]
pub struct Plan {
    sync: SyncId,
    request: Request,
    accounts: Vec<Account>,
    items: BTreeMap<Key, Progress>,
    /// Names and failures of the reports.
    texts: Texts,
    /// Items without a report.
    open: usize,
    /// Reported assets.
    assets: u64,
}

/// Identity of an item within a sync.
type Key = (String, String, String, i32);

#[derive(Debug)]
struct Progress {
    item: WorkItem,
    report: Option<Report>,
}

/// A [`WorkReport`] in less memory.
#[derive(Debug, Default)]
struct Report {
    attempt: u32,
    /// Boxed, because a vector would keep the capacity of the message.
    scopes: Box<[Row]>,
    regions: Vec<String>,
    failure: Option<Failure>,
    took_milliseconds: u64,
}

impl Report {
    fn assets(&self) -> u64 {
        self.scopes.iter().fold(0, |sum, scope| sum.saturating_add(scope.assets()))
    }
}

impl Plan {
    fn empty(sync: SyncId, request: Request, accounts: Vec<Account>) -> Self {
        Self { sync, request, accounts, items: BTreeMap::new(), texts: Texts::default(), open: 0, assets: 0 }
    }

    /// Plans a sync. Returns its first work items: those of global services, and for each account either those of its
    /// regions or region discovery.
    pub fn new(sync: SyncId, accounts: Vec<Account>, request: Request) -> (Self, Vec<WorkItem>) {
        let mut plan = Self::empty(sync, request, accounts);
        let mut first = Vec::new();
        for account in plan.accounts.clone() {
            first.extend(plan.items_of(&account));
        }
        plan.expect(&first);
        (plan, first)
    }

    /// Plans a sync of only these places. Returns its work items.
    pub fn of(
        sync: SyncId,
        accounts: Vec<Account>,
        request: Request,
        places: &BTreeSet<Place>,
    ) -> (Self, Vec<WorkItem>) {
        let wanted: HashSet<&str> = places.iter().map(|place| place.account_id.as_str()).collect();
        let accounts: Vec<_> = accounts.into_iter().filter(|account| wanted.contains(&*account.id)).collect();
        let mut plan = Self::empty(sync, request, accounts);
        let known: HashMap<&str, &Account> =
            plan.accounts.iter().map(|account| (account.id.as_str(), account)).collect();
        let item = |place: &Place| {
            let account = known.get(&*place.account_id)?;
            Some(plan.item(account, WorkKind::Collect, &place.region, &place.service))
        };
        let items: Vec<_> = places.iter().filter_map(item).collect();
        plan.expect(&items);
        (plan, items)
    }

    fn items_of(&self, account: &Account) -> Vec<WorkItem> {
        let collect = WorkKind::Collect;
        let mut items: Vec<_> = self
            .request
            .services
            .iter()
            .filter(|service| service.global)
            .map(|service| self.item(account, collect, GLOBAL, &service.name))
            .collect();
        match &self.request.regions {
            Some(regions) => items.extend(self.regional_items(account, regions)),
            None if self.regional_services().next().is_some() => {
                items.push(self.item(account, WorkKind::DiscoverRegions, GLOBAL, &catalog::region_discovery().name));
            }
            None => {}
        }
        items
    }

    fn regional_items(&self, account: &Account, regions: &[String]) -> Vec<WorkItem> {
        let in_region = |region: &String| {
            let item = |name| self.item(account, WorkKind::Collect, region, name);
            let offered = self.regional_services().filter(|name| regions::is_offered(name, region));
            offered.map(item).collect::<Vec<_>>()
        };
        let is_wanted = |region: &&String| !self.request.except_regions.contains(*region);
        regions.iter().filter(is_wanted).flat_map(in_region).collect()
    }

    fn regional_services(&self) -> impl Iterator<Item = &'static str> {
        self.request.services.iter().filter(|service| !service.global).map(|service| service.name.as_str())
    }

    fn item(&self, account: &Account, kind: WorkKind, region: &str, service: &str) -> WorkItem {
        WorkItem {
            sync: Some(self.sync.clone()),
            kind: kind.into(),
            account_id: account.id.clone(),
            account_name: account.name.clone(),
            partition: account.partition.clone(),
            region: region.to_owned(),
            service: service.to_owned(),
            home_region: account.home_region.clone(),
            listings: match kind {
                WorkKind::Collect => self.request.listings_of(service),
                _ => Vec::new(),
            },
        }
    }

    fn expect(&mut self, items: &[WorkItem]) {
        for item in items {
            self.items.entry(key(item)).or_insert_with(|| {
                self.open += 1;
                Progress { item: item.clone(), report: None }
            });
        }
    }

    /// Records a report and returns the work that follows from it. A later attempt replaces an earlier one. Reports of
    /// other syncs and of unknown work are ignored.
    pub fn report(&mut self, report: WorkReport) -> Vec<WorkItem> {
        let WorkReport { item: Some(item), attempt, scopes, regions, failure, took_milliseconds } = report else {
            return Vec::new();
        };
        let Some(progress) = self.items.get_mut(&key(&item)) else { return Vec::new() };
        if progress.report.as_ref().is_some_and(|known| known.attempt >= attempt) {
            return Vec::new();
        }
        let scopes = scopes.into_iter().map(|scope| self.texts.row(scope)).collect();
        let report = Report { attempt, scopes, regions: regions.clone(), failure, took_milliseconds };
        let discovered = progress.item.kind() == WorkKind::DiscoverRegions && report.failure.is_none();
        let account_id = progress.item.account_id.clone();
        let before = progress.report.as_ref().map_or(0, Report::assets);
        self.assets = self.assets.saturating_sub(before).saturating_add(report.assets());
        self.open -= usize::from(progress.report.is_none());
        progress.report = Some(report);
        let account = self.accounts.iter().find(|account| account.id == account_id).filter(|_| discovered);
        let follow_up = account.map_or_else(Vec::new, |account| self.regional_items(account, &regions));
        self.expect(&follow_up);
        follow_up
    }

    /// Services of work items without a report.
    pub fn awaited(&self) -> BTreeSet<&str> {
        let waiting = self.items.values().filter(|progress| progress.report.is_none());
        waiting.map(|progress| progress.item.service.as_str()).collect()
    }

    /// Fails every item without a report.
    pub fn give_up(&mut self, reason: &str) {
        for progress in self.items.values_mut().filter(|progress| progress.report.is_none()) {
            let failure = Some(Failure::new(FailureClass::Timeout, reason));
            progress.report = Some(Report { failure, ..Report::default() });
        }
        self.open = 0;
    }

    /// Whether every item has a report.
    pub fn is_done(&self) -> bool {
        self.open == 0
    }

    /// Number of items with a report, and of all items.
    pub fn counts(&self) -> (usize, usize) {
        (self.items.len() - self.open, self.items.len())
    }

    /// Id and update tag of the sync.
    pub fn sync(&self) -> &SyncId {
        &self.sync
    }

    /// Items without a collector's report (`<account>/<region>/<service>`), and accounts whose regions no collector
    /// reported (`<account>`).
    pub fn given_up(&self) -> impl Iterator<Item = String> {
        // Attempts of collectors are greater than zero.
        let given_up = |progress: &&Progress| progress.report.as_ref().is_some_and(|report| report.attempt == 0);
        self.items.values().filter(given_up).map(|Progress { item, .. }| match item.kind() {
            WorkKind::DiscoverRegions => item.account_id.clone(),
            _ => format!("{}/{}/{}", item.account_id, item.region, item.service),
        })
    }

    /// Number of reported assets.
    pub fn assets(&self) -> u64 {
        self.assets
    }

    /// Surveyed accounts.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    fn reported(&self) -> impl Iterator<Item = (&WorkItem, &Report)> {
        self.items.values().filter_map(|it| Some((&it.item, it.report.as_ref()?)))
    }

    /// Converts the reports to messages, one at a time.
    pub fn reports(&self) -> impl Iterator<Item = WorkReport> {
        self.reported().map(|(item, report)| WorkReport {
            item: Some(item.clone()),
            attempt: report.attempt,
            scopes: report.scopes.iter().map(|row| self.texts.reported(*row).message()).collect(),
            regions: report.regions.clone(),
            failure: report.failure.clone(),
            took_milliseconds: report.took_milliseconds,
        })
    }

    /// Number of items with a collector's report.
    pub fn count_collectors_reports(&self) -> usize {
        self.reported().filter(|(_, report)| report.attempt > 0).count()
    }

    /// Reports that collectors published.
    pub fn collectors_reports(&self) -> impl Iterator<Item = WorkReport> {
        self.reports().filter(|report| report.attempt > 0)
    }

    /// Collection times in milliseconds of successful work.
    pub fn took(&self) -> impl Iterator<Item = (Place, u64)> {
        let collected = self.reported().filter(|(item, report)| {
            item.kind() == WorkKind::Collect && report.attempt > 0 && report.failure.is_none()
        });
        collected.map(|(item, report)| (Place::of_item(item), report.took_milliseconds))
    }

    /// Number of reported listings.
    pub fn count_scopes(&self) -> u64 {
        self.reported().map(|(_, report)| report.scopes.len() as u64).sum()
    }

    /// Returns the accounts and all reported listings.
    pub fn into_accounts_and_scopes(self) -> (Vec<Account>, Scopes) {
        let count = self.reported().map(|(_, report)| report.scopes.len()).sum();
        let mut rows = Vec::with_capacity(count);
        for report in self.items.into_values().filter_map(|progress| progress.report) {
            rows.extend_from_slice(&report.scopes);
        }
        (self.accounts, Scopes::of(self.texts, rows))
    }

    /// Lists the parts that could not be seen so far.
    pub fn unseen(&self) -> Vec<Unseen> {
        let regional: Vec<_> = self.regional_services().collect();
        let failed = |report: &Report| report.scopes.iter().filter(|row| row.has_failed()).count();
        let mut unseen = Vec::with_capacity(self.reported().map(|(_, report)| failed(report)).sum());
        for (item, report) in self.reported() {
            if let Some(failure) = &report.failure {
                unseen.extend(Unseen::of_item(item, failure, &regional));
            } else {
                let failed = report.scopes.iter().filter_map(|row| self.texts.failed(*row));
                unseen.extend(Unseen::of_scopes(item, failed));
            }
        }
        unseen
    }
}

fn key(item: &WorkItem) -> Key {
    (item.account_id.clone(), item.region.clone(), item.service.clone(), item.kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RequestArgs;
    use events::{Scope, ScopeReport};

    fn request(services: &[&str], regions: &[&str]) -> Request {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let (account, types) = (Vec::new(), Vec::new());
        let args = RequestArgs {
            account,
            services: owned(services),
            types,
            regions: owned(regions),
            patience: 1,
            ..RequestArgs::default()
        };
        args.validate().unwrap()
    }

    fn account(id: &str) -> Account {
        Account { id: id.into(), name: "alpha".into(), partition: "aws".into(), home_region: "eu-west-1".into() }
    }

    fn names(items: &[WorkItem]) -> Vec<String> {
        items.iter().map(|item| format!("{} {} {:?}", item.region, item.service, item.kind())).collect()
    }

    fn plan(services: &[&str], regions: &[&str]) -> (Plan, Vec<WorkItem>) {
        Plan::new(SyncId { id: "s".into(), update_tag: 1 }, vec![account("1")], request(services, regions))
    }

    fn done(item: &WorkItem) -> WorkReport {
        WorkReport { item: Some(item.clone()), attempt: 1, ..WorkReport::default() }
    }

    #[test]
    fn without_regions_the_account_is_asked_and_its_answer_becomes_work() {
        let (mut plan, first) = plan(&["ec2", "iam"], &[]);
        assert_eq!(names(&first), ["global sts Collect", "global iam Collect", "global ec2 DiscoverRegions"]);
        let regions = vec!["eu-west-1".to_owned(), "us-east-1".to_owned()];
        let next = plan.report(WorkReport { regions, ..done(&first[2]) });
        assert_eq!(names(&next), ["eu-west-1 ec2 Collect", "us-east-1 ec2 Collect"]);
        assert_eq!(plan.counts(), (1, 5));
        for item in first.iter().chain(&next) {
            plan.report(done(item));
        }
        assert!(plan.is_done());
    }

    #[test]
    fn a_service_is_not_called_in_a_region_without_it() {
        let (_, first) = plan(&["ec2", "inspector2"], &["ap-southeast-6", "eu-west-1"]);
        let regional: Vec<_> = names(&first).into_iter().filter(|name| !name.starts_with("global")).collect();
        assert_eq!(regional, ["ap-southeast-6 ec2 Collect", "eu-west-1 ec2 Collect", "eu-west-1 inspector2 Collect"]);
    }

    #[test]
    fn named_regions_need_no_question() {
        let (_, first) = plan(&["inspector2"], &["eu-west-1"]);
        assert_eq!(names(&first), ["global sts Collect", "eu-west-1 inspector2 Collect"]);
    }

    #[test]
    fn services_are_awaited_until_all_their_items_have_reports() {
        let (mut plan, first) = plan(&["inspector2"], &["eu-west-1", "us-east-1"]);
        assert_eq!(plan.awaited(), ["inspector2", "sts"].into());
        plan.report(done(&first[0]));
        plan.report(done(&first[1]));
        assert_eq!(plan.awaited(), ["inspector2"].into());
        plan.report(done(&first[2]));
        assert_eq!(plan.awaited(), BTreeSet::new());
    }

    #[test]
    fn an_account_without_regions_leaves_its_regional_services_unseen() {
        let (mut plan, first) = plan(&["ec2", "inspector2"], &[]);
        let failure = Failure::new(FailureClass::AccessDenied, "no");
        plan.report(WorkReport { failure: Some(failure), ..done(&first[1]) });
        let unseen: Vec<_> = plan.unseen().iter().map(ToString::to_string).collect();
        assert_eq!(unseen, ["1 (alpha) * ec2 *: access denied: no", "1 (alpha) * inspector2 *: access denied: no"]);
    }

    #[test]
    fn a_later_attempt_replaces_an_earlier_one_and_a_repeat_changes_nothing() {
        let (mut plan, first) = plan(&["iam"], &[]);
        let scope = Scope { listing: "ListUsers".into(), ..Scope::default() };
        let report = |attempt, assets| WorkReport {
            attempt,
            scopes: vec![ScopeReport { scope: Some(scope.clone()), assets, ..ScopeReport::default() }],
            ..done(&first[1])
        };
        plan.report(report(2, 7));
        plan.report(report(2, 8));
        plan.report(report(1, 9));
        assert_eq!((plan.count_scopes(), plan.assets(), plan.counts()), (1, 7, (1, 2)));
        let (_, scopes) = plan.into_accounts_and_scopes();
        assert_eq!(scopes.iter().map(|scope| scope.assets).collect::<Vec<_>>(), [7]);
    }

    #[test]
    fn reports_are_those_of_collectors_and_their_times_those_of_what_they_collected() {
        let (mut plan, first) = plan(&["ec2", "iam"], &[]);
        let failure = Failure::new(FailureClass::AccessDenied, "no");
        let scopes = vec![ScopeReport {
            scope: Some(Scope { listing: "L".into(), ..Scope::default() }),
            ..ScopeReport::default()
        }];
        let sts = WorkReport { scopes, took_milliseconds: 7, ..done(&first[0]) };
        let iam = WorkReport { failure: Some(failure), took_milliseconds: 8, ..done(&first[1]) };
        plan.report(sts.clone());
        plan.report(iam.clone());
        plan.give_up("nothing was heard");
        let reports: Vec<_> = plan.collectors_reports().collect();
        assert!(reports.len() == 2 && reports.contains(&sts) && reports.contains(&iam), "{reports:?}");
        let took: Vec<_> = plan.took().map(|(place, took)| (place.service, took)).collect();
        assert_eq!(took, [("sts".to_owned(), 7)]);
    }

    #[test]
    fn places_alone_are_collected_without_a_question() {
        let place = |account: &str, region: &str| Place {
            account_id: account.into(),
            region: region.into(),
            service: "ec2".into(),
        };
        let places = [place("1", "eu-west-1"), place("3", "eu-west-1")].into();
        let accounts = vec![account("1"), account("2")];
        let sync = SyncId { id: "s".into(), update_tag: 1 };
        let (plan, items) = Plan::of(sync, accounts, request(&["ec2"], &[]), &places);
        assert_eq!(names(&items), ["eu-west-1 ec2 Collect"]);
        assert_eq!((plan.accounts().len(), plan.counts()), (1, (0, 1)));
    }

    #[test]
    fn what_nobody_took_is_given_up_by_name() {
        let (mut plan, first) = plan(&["iam"], &[]);
        plan.report(done(&first[0]));
        plan.give_up("nothing was heard");
        assert!(plan.is_done());
        assert_eq!(plan.unseen()[0].to_string(), "1 (alpha) global iam *: timed out: nothing was heard");
    }
}
