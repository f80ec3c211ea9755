//! Computes the labels and edges that a sync may clean up, each with the places where every listing that feeds it is
//! complete.
//!
//! A label is due in a place if every listing that feeds it there is complete in this sync. The graph knows these
//! listings from all syncs, because a collector of another version may know fewer than this sync's. A listing that
//! failed or did not run counts with the feeds that it last reported. A listing that no collector knows any more would
//! block its labels forever, so it is ignored after three whole syncs that ran others in its place and not it.
//!
//! There are as many places as combinations of account, region and service, and most are alike. So places are grouped
//! into classes with the same due kinds.

use crate::{
    areas::{self, Area, Areas, Known, RETIRED_AFTER, Standing},
    cut::Cut,
    feeds::{Catalog, Feeds},
    reports::Reports,
};
use events::{Failure, FailureClass, LostScope, Scope, SyncId};
use graph::{GraphError, GraphStore};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

/// Number of places in a group.
pub(crate) const GROUP: usize = 2_000;

/// Places where a label or an edge may be cleaned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ready {
    /// Places where every listing that feeds it is complete.
    pub places: Arc<BTreeSet<String>>,
    /// The subset that an earlier sync has seen too.
    pub seen_before: Arc<BTreeSet<String>>,
}

/// Due labels and edges of some of the places.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// By label.
    pub nodes: BTreeMap<String, Ready>,
    /// By type and ends (`From>To`).
    pub edges: BTreeMap<(String, String), Ready>,
    /// Whether a node is removed together with edges that are newer than the sync.
    pub with_newer_edges: bool,
}

/// Labels and edges that a sync may clean up, with their places.
#[derive(Debug, Default)]
pub struct Due {
    kinds: Vec<What>,
    numbers: HashMap<What, u32>,
    classes: BTreeMap<Class, Vec<String>>,
    with_newer_edges: bool,
}

/// A label or an edge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum What {
    Nodes(String),
    Edges(String, String),
}

/// Kinds due in a place, by index, each with whether an earlier sync has seen it there; sorted.
type Class = Vec<(u32, bool)>;

/// Places of one class.
type Part<'a> = (&'a [(u32, bool)], &'a [String]);

impl Due {
    /// Computes everything that the complete scopes of a sync permit to clean. After a whole sync, records and returns
    /// scopes that the graph knows and no collector of the sync ran.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub(crate) async fn of_sync(
        store: &GraphStore,
        sync: &SyncId,
        catalog: &Catalog,
        reports: &Reports,
    ) -> Result<(Self, Cut<LostScope>), GraphError> {
        let (mut due, mut not_run) = (Self::default(), Cut::default());
        let mut areas = Areas::of(store, sync);
        loop {
            let next = areas.next().await?;
            if next.is_empty() {
                return Ok((due, not_run));
            }
            let mut missed = Vec::new();
            for area in &next {
                due.add(area, catalog);
                let unknown = unknown(area, catalog).filter(|known| !is_reported(reports, area, known));
                missed.extend(unknown.map(|known| format!("{}/{}", area.name, known.name)));
            }
            if reports.whole && !missed.is_empty() {
                for id in &missed {
                    not_run.push(left_out(id));
                }
                areas::miss(store, sync, &missed).await?;
            }
        }
    }

    /// Makes all these labels and edges (type and ends) due in all these places.
    pub(crate) fn everything(
        places: Vec<String>,
        labels: impl IntoIterator<Item = String>,
        edges: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let mut due = Self { with_newer_edges: true, ..Self::default() };
        let edges = edges.into_iter().map(|(kind, ends)| What::Edges(kind, ends));
        let class = labels.into_iter().map(What::Nodes).chain(edges).map(|what| (due.number(what), true)).collect();
        due.classes.insert(class, places);
        due
    }

    /// Adds the due kinds of an area's places.
    pub(crate) fn add(&mut self, area: &Area, catalog: &Catalog) {
        let complete: HashMap<&str, Standing> = area
            .scopes
            .iter()
            .filter(|known| matches!(known.standing, Standing::Complete | Standing::First))
            .map(|known| (&*known.name, known.standing))
            .collect();
        for (service, scopes) in by_service(area) {
            let mut class = Class::new();
            for (what, listings) in feeding(&scopes, catalog).unwrap_or_default() {
                let standings = listings.iter().map(|listing| complete.get(&**listing).copied());
                if let Some(standings) = standings.collect::<Option<Vec<_>>>() {
                    class.push((self.number(what), standings.contains(&Standing::Complete)));
                }
            }
            if !class.is_empty() {
                class.sort_unstable();
                self.classes.entry(class).or_default().push(format!("{}/{service}", area.name));
            }
        }
    }

    fn number(&mut self, what: What) -> u32 {
        if let Some(number) = self.numbers.get(&what) {
            return *number;
        }
        let number = u32::try_from(self.kinds.len()).unwrap_or(u32::MAX);
        self.kinds.push(what.clone());
        self.numbers.insert(what, number);
        number
    }

    /// Returns everything in one group, for callers with enough memory.
    pub fn whole(&self) -> Group {
        let parts: Vec<_> = self.classes.iter().map(|(class, places)| (&**class, &**places)).collect();
        self.group(&parts)
    }

    /// Returns everything in groups of two thousand places.
    pub fn groups(&self) -> impl Iterator<Item = Group> + '_ {
        let mut classes = self.classes.iter();
        let mut rest: Part<'_> = (&[], &[]);
        std::iter::from_fn(move || {
            let (mut parts, mut room) = (Vec::new(), GROUP);
            while room > 0 {
                if rest.1.is_empty() {
                    let Some((class, places)) = classes.next() else { break };
                    rest = (class.as_slice(), places.as_slice());
                }
                let (now, later) = rest.1.split_at(room.min(rest.1.len()));
                room -= now.len();
                parts.push((rest.0, now));
                rest.1 = later;
            }
            (!parts.is_empty()).then(|| self.group(&parts))
        })
    }

    fn group(&self, parts: &[Part<'_>]) -> Group {
        // For each kind: the parts in which it is due, and those in which an earlier sync has seen it.
        let mut kinds = BTreeMap::<u32, (Vec<usize>, Vec<usize>)>::new();
        for (part, (class, _)) in parts.iter().enumerate() {
            for (kind, seen_before) in *class {
                let (places, before) = kinds.entry(*kind).or_default();
                places.push(part);
                before.extend(seen_before.then_some(part));
            }
        }
        let mut sets = HashMap::<Vec<usize>, Arc<BTreeSet<String>>>::new();
        let mut set = |of: Vec<usize>| {
            let places = || of.iter().flat_map(|part| parts[*part].1).cloned().collect();
            sets.get(&of).cloned().unwrap_or_else(|| {
                let made = Arc::new(places());
                sets.insert(of.clone(), Arc::clone(&made));
                made
            })
        };
        let mut group = Group { with_newer_edges: self.with_newer_edges, ..Group::default() };
        for (kind, (places, before)) in kinds {
            let ready = Ready { places: set(places), seen_before: set(before) };
            match self.kinds[kind as usize].clone() {
                What::Nodes(label) => drop(group.nodes.insert(label, ready)),
                What::Edges(kind, ends) => drop(group.edges.insert((kind, ends), ready)),
            }
        }
        group
    }
}

fn by_service(area: &Area) -> BTreeMap<&str, Vec<&Known>> {
    let mut services = BTreeMap::<&str, Vec<&Known>>::new();
    for known in &area.scopes {
        services.entry(known.service()).or_default().push(known);
    }
    services
}

/// Returns the kinds that the scopes of a place feed, each with all its listings. `None` if the catalog lacks the feeds
/// of one: they were reported after the catalog was read, and may be any.
fn feeding(scopes: &[&Known], catalog: &Catalog) -> Option<BTreeMap<What, BTreeSet<String>>> {
    let mut feeding = BTreeMap::<What, BTreeSet<String>>::new();
    for known in scopes.iter().filter(|known| known.standing != Standing::Retired) {
        if known.feeds.as_deref().is_some_and(|id| catalog.get(id).is_none()) {
            return None;
        }
        for feeds in known.feeds(catalog) {
            let nodes = feeds.nodes().map(|feed| (What::Nodes(feed.label), feed.listings));
            let edges = feeds.edges().map(|feed| {
                (What::Edges(feed.r#type, format!("{}>{}", feed.from_label, feed.to_label)), feed.listings)
            });
            for (what, listings) in nodes.chain(edges) {
                let all = feeding.entry(what).or_default();
                all.extend(listings);
                all.insert(known.name.clone());
            }
        }
    }
    Some(feeding)
}

/// Whether the sync's collectors know a scope, or may know it.
fn is_reported(reports: &Reports, area: &Area, known: &Known) -> bool {
    let (service, listing) = known.name.split_once('/').unwrap_or((&known.name, ""));
    reports.knows(&format!("{}/{service}", area.name), listing)
}

/// Describes a scope that no collector of the sync knows.
fn left_out(id: &str) -> LostScope {
    let mut words = id.splitn(4, '/').map(str::to_owned);
    let mut word = || words.next().unwrap_or_default();
    let scope = Scope { account_id: word(), region: word(), service: word(), listing: word() };
    let reason = format!(
        "no collector of this sync knows this listing, which an earlier sync ran: after a downgrade, update the collectors; \
         after an upgrade, its assets stay until {RETIRED_AFTER} whole syncs have run without it"
    );
    LostScope { scope: Some(scope), failure: Some(Failure::new(FailureClass::NotRun, reason)) }
}

/// Returns scopes of older syncs, of services that ran in this sync, whose listings no scope of this sync mentions.
fn unknown<'a>(area: &'a Area, catalog: &'a Catalog) -> impl Iterator<Item = &'a Known> {
    let is_own = |known: &&Known| !matches!(known.standing, Standing::Others | Standing::Retired);
    let services: HashSet<&str> = area.scopes.iter().filter(is_own).map(Known::service).collect();
    let spoken: HashSet<String> = area
        .scopes
        .iter()
        .filter(is_own)
        .flat_map(|known| known.feeds(catalog))
        .flat_map(|feeds| {
            let nodes = feeds.nodes().flat_map(|feed| feed.listings);
            nodes.chain(feeds.edges().flat_map(|feed| feed.listings)).collect::<Vec<_>>()
        })
        .collect();
    let others = area.scopes.iter().filter(|known| known.standing == Standing::Others);
    others.filter(move |known| services.contains(known.service()) && !spoken.contains(&known.name))
}

impl Known {
    fn service(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }

    /// Returns the feeds of its last finished run, and of the batches written since then.
    fn feeds<'a>(&'a self, catalog: &'a Catalog) -> impl Iterator<Item = &'a Feeds> {
        self.feeds.as_deref().and_then(|id| catalog.get(id)).into_iter().chain([&self.brought])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{NodeFeed, ScopeFinished};

    fn feeds(label: &str, listings: &[&str]) -> Feeds {
        let listings = listings.iter().map(|listing| (*listing).to_owned()).collect();
        let feed = NodeFeed { label: label.into(), listings };
        Feeds::of(&ScopeFinished { nodes: vec![feed], ..ScopeFinished::default() })
    }

    fn known(name: &str, standing: Standing, feeds: &Feeds) -> Known {
        Known { name: name.into(), standing, feeds: Some(feeds.id()), brought: Feeds::default() }
    }

    fn due(areas: &[(&str, Vec<Known>)], sets: &[&Feeds]) -> Due {
        let mut catalog = Catalog::default();
        for feeds in sets {
            catalog.add((*feeds).clone());
        }
        let mut due = Due::default();
        for (name, scopes) in areas {
            due.add(&Area { name: (*name).to_owned(), scopes: scopes.clone() }, &catalog);
        }
        due
    }

    fn places(due: &Due, label: &str) -> (Vec<String>, Vec<String>) {
        let ready = due.groups().filter_map(|mut group| group.nodes.remove(label));
        ready.fold((Vec::new(), Vec::new()), |(mut all, mut before), ready| {
            all.extend(ready.places.iter().cloned());
            before.extend(ready.seen_before.iter().cloned());
            (all, before)
        })
    }

    fn owned(places: &[&str]) -> Vec<String> {
        places.iter().map(|place| (*place).to_owned()).collect()
    }

    #[test]
    fn a_label_is_due_where_all_its_listings_are_complete() {
        let volume = feeds("Volume", &["ec2/A", "ec2/B"]);
        let both = |a, b| vec![known("ec2/A", a, &volume), known("ec2/B", b, &volume)];
        let areas = [
            ("1/x", both(Standing::Complete, Standing::Complete)),
            ("1/y", both(Standing::Complete, Standing::Unseen)),
            ("1/z", both(Standing::First, Standing::First)),
            ("1/w", both(Standing::Complete, Standing::Others)),
            ("1/v", vec![known("ec2/A", Standing::Complete, &volume)]),
        ];
        let due = due(&areas, &[&volume]);
        assert_eq!(places(&due, "Volume"), (owned(&["1/x/ec2", "1/z/ec2"]), owned(&["1/x/ec2"])));
    }

    #[test]
    fn a_listing_that_only_the_graph_knows_of_holds_its_label_back_until_it_is_retired() {
        let (new, old) = (feeds("Volume", &["ec2/A"]), feeds("Volume", &["ec2/A", "ec2/B"]));
        let with = |standing| vec![known("ec2/A", Standing::Complete, &new), known("ec2/B", standing, &old)];
        let due = due(&[("1/x", with(Standing::Others)), ("1/y", with(Standing::Retired))], &[&new, &old]);
        assert_eq!(places(&due, "Volume").0, owned(&["1/y/ec2"]));
    }

    #[test]
    fn a_listing_that_brought_rows_and_never_finished_holds_its_label_back() {
        let (volume, brought) = (feeds("Volume", &["ec2/A"]), feeds("Volume", &[]));
        let died = Known { feeds: None, brought, ..known("ec2/B", Standing::Others, &volume) };
        let scopes = vec![known("ec2/A", Standing::Complete, &volume), died];
        assert_eq!(places(&due(&[("1/x", scopes)], &[&volume]), "Volume").0, owned(&[]));
    }

    #[test]
    fn a_listing_whose_feeds_are_unknown_holds_every_label_of_its_place_back() {
        let (volume, unknown) = (feeds("Volume", &["ec2/A"]), feeds("Volume", &["ec2/A", "ec2/B"]));
        let scopes = vec![known("ec2/A", Standing::Complete, &volume), known("ec2/B", Standing::Others, &unknown)];
        let alone = vec![known("ec2/A", Standing::Complete, &volume)];
        let due = due(&[("1/x", scopes), ("1/y", alone)], &[&volume]);
        assert_eq!(places(&due, "Volume").0, owned(&["1/y/ec2"]));
    }

    #[test]
    fn a_label_that_only_a_retired_listing_feeds_is_not_due() {
        let (new, old) = (feeds("Volume", &["ec2/A"]), feeds("Snapshot", &["ec2/B"]));
        let scopes = vec![known("ec2/A", Standing::Complete, &new), known("ec2/B", Standing::Retired, &old)];
        assert_eq!(places(&due(&[("1/x", scopes)], &[&new, &old]), "Snapshot").0, owned(&[]));
    }

    #[test]
    fn groups_hold_every_place_once_and_share_their_sets() {
        let (a, b) = (feeds("A", &["ec2/A"]), feeds("B", &["ec2/B"]));
        let scopes = vec![known("ec2/A", Standing::Complete, &a), known("ec2/B", Standing::Complete, &b)];
        let names: Vec<String> = (0..GROUP * 2 + 10).map(|n| format!("{n:05}/x")).collect();
        let areas: Vec<_> = names.iter().map(|name| (&**name, scopes.clone())).collect();
        let due = due(&areas, &[&a, &b]);
        let groups: Vec<Group> = due.groups().collect();
        assert_eq!(groups.iter().map(|group| group.nodes["A"].places.len()).collect::<Vec<_>>(), [GROUP, GROUP, 10]);
        for group in &groups {
            let (a, b) = (&group.nodes["A"], &group.nodes["B"]);
            assert!([&a.seen_before, &b.places, &b.seen_before].iter().all(|set| Arc::ptr_eq(set, &a.places)));
        }
        assert_eq!(places(&due, "A").0.len(), names.len());
    }
}
