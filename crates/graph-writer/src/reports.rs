//! Reports of a sync's collectors, read from the syncs stream. Keeps a few bytes for each scope and the name of each
//! place.

use bus::{Bus, LookupError};
use events::{Scope, ScopeReport, SyncEvent, SyncId, WorkItem, WorkKind, WorkReport, subjects, sync_event::Event};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, SystemTime},
};

/// The scopes of a sync.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    /// Names of listings, each stored once.
    listings: Vec<String>,
    known: HashMap<String, u32>,
    /// Scopes by place (`account/region/service`).
    places: BTreeMap<String, Vec<Reported>>,
    /// Accounts whose regions are unknown.
    undiscovered: BTreeSet<String>,
    /// Places with an item that a collector could not carry out.
    failed: BTreeSet<String>,
    /// Accounts and places that the scheduler could not reach.
    out_of_reach: BTreeSet<String>,
    /// Whether the sync covered everything that it found.
    pub(crate) whole: bool,
    /// Number of scopes whose reports the stream has lost.
    pub(crate) missing: u64,
}

/// Time in which a scheduler publishes lost reports again, from the event `collected`.
const RESTORED: Duration = Duration::from_mins(10);

/// A scope that a collector has finished.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reported {
    listing: u32,
    pub(crate) attempt: u32,
    pub(crate) batches: u32,
    failed: bool,
    settled: bool,
}

impl Reports {
    /// Reads every report. `None` if the stream has no `collected`, or has had fewer scopes than `collected` announces
    /// for less than ten minutes: it has lost some, and the scheduler will publish them again, before or after
    /// `collected`. Later, the scheduler is considered dead, and the scopes count as missing. Calls `beat` after each
    /// message.
    ///
    /// # Errors
    /// The stream cannot be read.
    pub(crate) async fn of(bus: &Bus, sync: &SyncId, beat: impl Fn()) -> Result<Option<Self>, LookupError> {
        let filter = subjects::sync_of(&sync.id);
        let mut reports = Self::default();
        let (mut place, mut announced, mut stored) = (0, None, SystemTime::now());
        while let Some(found) = bus.next_on(bus::SYNCS, &filter, place).await? {
            place = found.sequence;
            beat();
            let event = events::read::<SyncEvent>(&found.payload).ok();
            match event.filter(|event| subjects::carries_sync(&found.subject, event)).and_then(|event| event.event) {
                Some(Event::Reported(report)) => reports.note(report),
                Some(Event::Collected(collected)) => {
                    (announced, stored) = (Some(collected.scopes), found.stored);
                    reports.whole = collected.whole;
                    reports.out_of_reach = collected.out_of_reach.into_iter().collect();
                }
                _ => {}
            }
        }
        let Some(announced) = announced else { return Ok(None) };
        reports.missing = announced.saturating_sub(reports.count());
        if reports.missing == 0 {
            return Ok(Some(reports));
        }
        // An unknown scope is not stale.
        reports.whole = false;
        let is_over = stored.elapsed().is_ok_and(|age| age >= RESTORED);
        Ok(is_over.then_some(reports))
    }

    /// Returns the number of scopes.
    fn count(&self) -> u64 {
        self.places.values().map(|scopes| scopes.len() as u64).sum()
    }

    /// Keeps the newest attempt's report of each scope.
    fn note(&mut self, report: WorkReport) {
        let WorkReport { item, attempt, scopes, failure, .. } = report;
        if let Some(item) = item {
            self.note_item(item, failure.is_some());
        }
        for ScopeReport { scope, batches, failure, .. } in scopes {
            let Some(scope) = scope else { continue };
            let listing = self.listing(&scope.listing);
            let reported = Reported { listing, attempt, batches, failed: failure.is_some(), settled: false };
            let place = self.places.entry(scope.place()).or_default();
            match place.iter_mut().find(|known| known.listing == listing) {
                Some(known) if attempt >= known.attempt => *known = reported,
                Some(_) => {}
                None => place.push(reported),
            }
        }
    }

    /// Records the item's place even if nothing could be listed there.
    fn note_item(&mut self, item: WorkItem, failed: bool) {
        if item.kind() != WorkKind::DiscoverRegions {
            let place = format!("{}/{}/{}", item.account_id, item.region, item.service);
            if failed {
                self.failed.insert(place.clone());
            } else {
                self.failed.remove(&place);
            }
            self.places.entry(place).or_default();
        } else if failed {
            self.undiscovered.insert(item.account_id);
        } else {
            self.undiscovered.remove(&item.account_id);
        }
    }

    fn listing(&mut self, name: &str) -> u32 {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        let number = u32::try_from(self.listings.len()).unwrap_or(u32::MAX);
        self.listings.push(name.to_owned());
        self.known.insert(name.to_owned(), number);
        number
    }

    /// Returns places with scopes that the graph must receive.
    pub(crate) fn awaited(&self) -> impl Iterator<Item = &String> {
        self.places.iter().filter(|(_, scopes)| scopes.iter().any(|scope| !scope.failed)).map(|(place, _)| place)
    }

    /// Whether the sync surveyed this place, or could not know that it exists.
    pub(crate) fn covers(&self, place: &str) -> bool {
        let account = place.split('/').next().unwrap_or_default();
        self.places.contains_key(place)
            || self.undiscovered.contains(account)
            || [account, place].iter().any(|name| self.out_of_reach.contains(*name))
    }

    /// Whether a collector ran this listing in this place, or could not carry out the place's item.
    pub(crate) fn knows(&self, place: &str, listing: &str) -> bool {
        self.failed.contains(place)
            || self.places.get(place).into_iter().flatten().any(|scope| self.name(*scope) == listing)
    }

    /// Returns a listing's name.
    pub(crate) fn name(&self, scope: Reported) -> &str {
        self.listings.get(scope.listing as usize).map_or("", String::as_str)
    }

    /// Returns the scopes of a place that a collector has read completely.
    pub(crate) fn read(&self, place: &str) -> impl Iterator<Item = Reported> + '_ {
        self.places.get(place).into_iter().flatten().copied().filter(|scope| !scope.failed)
    }

    /// Whether a place has an unsettled scope.
    pub(crate) fn is_open(&self, place: &str) -> bool {
        self.read(place).any(|scope| !scope.settled)
    }

    /// Marks the scopes of a place as settled for which `settled` returns true.
    pub(crate) fn settle(&mut self, place: &str, mut settled: impl FnMut(&str, Reported) -> bool) {
        let listings = &self.listings;
        for scope in self.places.get_mut(place).into_iter().flatten().filter(|scope| !scope.failed && !scope.settled) {
            let name = listings.get(scope.listing as usize).map_or("", String::as_str);
            scope.settled = settled(name, *scope);
        }
    }

    /// Returns the full name of a scope.
    pub(crate) fn scope(&self, place: &str, reported: Reported) -> Scope {
        let mut words = place.splitn(3, '/').map(str::to_owned);
        let mut word = || words.next().unwrap_or_default();
        Scope { account_id: word(), region: word(), service: word(), listing: self.name(reported).to_owned() }
    }
}
