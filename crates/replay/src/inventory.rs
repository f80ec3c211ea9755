//! Result of a first pass over a recording: whether the file is complete, its scopes, the attempt at each scope that
//! counts, and the reports. Contains no assets. A scope takes some 210 bytes, because names and failures are stored once.

use crate::{
    Event, Filter, FormatError, Reader,
    runs::{Run, Runs},
};
use events::{
    AssetEvent, Failure, Scope, ScopeName, SyncId, WorkItem, WorkReport, asset_event,
    scopes::{Reported, Row, Texts},
    sync_event,
};
use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    io::Read,
    sync::Arc,
};

/// Inventory of a recording, reduced by a filter.
#[derive(Debug, Default)]
pub struct Inventory {
    /// The recorded sync.
    pub sync: SyncId,
    /// Values in the recording by which it can be filtered, whatever the filter.
    pub offered: Filter,
    /// Whether the sync was collected completely.
    pub collected: bool,
    texts: Texts,
    /// Attempts at scopes that the filter keeps.
    runs: Runs,
    /// The last word on each work item that the filter keeps.
    reports: BTreeMap<ItemKey, Report>,
}

/// Numbers of account, region and service, and kind of a work item.
type ItemKey = ([u32; 3], i32);

/// A [`WorkReport`] in little memory.
#[derive(Debug, Default)]
struct Report {
    /// Without its sync and its listings.
    item: WorkItem,
    attempt: u32,
    scopes: Box<[Row]>,
    failure: Option<Failure>,
}

/// Failed scope of a work item: region, service, listing and failure.
pub type FailedScope = ([Arc<str>; 3], Arc<Failure>);

/// A listing that was reported as finished but is incomplete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Name of the scope.
    pub scope: String,
    /// Number of recorded batches.
    pub arrived: u32,
    /// Number of reported batches.
    pub batches: u32,
}

impl Inventory {
    /// Of nothing yet.
    pub(crate) fn of(sync: SyncId) -> Self {
        Self { sync, ..Self::default() }
    }

    /// Reads a recording to its end.
    ///
    /// # Errors
    /// Fails if the file is incomplete; then nothing of it should be played.
    pub fn read<R: Read>(mut reader: Reader<R>, filter: &Filter) -> Result<Self, FormatError> {
        let mut inventory = Self::of(reader.sync().clone());
        while let Some(event) = reader.next_event()? {
            match event {
                Event::Asset(event, _) => inventory.asset(&event, filter),
                Event::Sync(event, _) => inventory.progress(event.event, filter),
            }
        }
        Ok(inventory)
    }

    /// Adds an asset event.
    pub(crate) fn asset(&mut self, event: &AssetEvent, filter: &Filter) {
        let unknown = Scope::default();
        let scope = event.scope.as_ref().unwrap_or(&unknown);
        let Filter { accounts, regions, services, types } = &mut self.offered;
        for (names, name) in [(accounts, &scope.account_id), (regions, &scope.region), (services, &scope.service)] {
            if !names.contains(name) {
                names.insert(name.clone());
            }
        }
        if let Some(asset_event::Event::Batch(batch)) = &event.event {
            for label in batch.nodes.iter().map(|table| &table.label) {
                if !types.contains(label) {
                    types.insert(label.clone());
                }
            }
        }
        if filter.keeps(scope) {
            let names = [&scope.account_id, &scope.region, &scope.service, &scope.listing];
            let names = names.map(|name| self.texts.number(name));
            self.runs.enter(names, event.attempt, event.event.as_ref(), filter);
        }
    }

    /// Adds a progress event of the sync.
    pub(crate) fn progress(&mut self, event: Option<sync_event::Event>, filter: &Filter) {
        match event {
            Some(sync_event::Event::Reported(report)) => self.report(report, filter),
            Some(sync_event::Event::Collected(_)) => self.collected = true,
            _ => {}
        }
    }

    fn report(&mut self, report: WorkReport, filter: &Filter) {
        let WorkReport { item, attempt, scopes, failure, .. } = report;
        let item = WorkItem { sync: None, listings: Vec::new(), ..item.unwrap_or_default() };
        if !filter.keeps_place(&item.account_id, &item.region, &item.service) {
            return;
        }
        let place = [&item.account_id, &item.region, &item.service].map(|name| self.texts.number(name));
        let known = self.reports.entry((place, item.kind)).or_default();
        if attempt >= known.attempt {
            let scopes = scopes.into_iter().map(|scope| self.texts.row(scope)).collect();
            *known = Report { item, attempt, scopes, failure };
        }
    }

    /// Work items, each with its failure as a whole, and its failed scopes.
    pub fn items(&self) -> impl Iterator<Item = (&WorkItem, Option<&Failure>, impl Iterator<Item = FailedScope> + '_)> {
        self.reports.values().map(|Report { item, scopes, failure, .. }| {
            (item, failure.as_ref(), scopes.iter().filter_map(|row| self.texts.failed(*row)))
        })
    }

    /// Every reported scope.
    pub fn reported(&self) -> impl Iterator<Item = Reported<'_>> {
        self.reports.values().flat_map(|report| &report.scopes).map(|row| self.texts.reported(*row))
    }

    /// Scopes with events, once for each attempt.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> + '_ {
        self.runs.iter().map(|(names, _)| self.texts.scope(names))
    }

    /// An attempt at a scope.
    pub fn run(&self, scope: &Scope, attempt: u32) -> Option<&Run> {
        self.runs.get(self.names(scope)?, attempt)
    }

    /// Returns the newest attempt at a scope. Only this attempt counts.
    pub fn newest(&self, scope: &Scope) -> Option<(u32, &Run)> {
        self.runs.newest(self.names(scope)?)
    }

    fn names(&self, scope: &Scope) -> Option<[u32; 4]> {
        let number = |name: &str| self.texts.find(name);
        Some([number(&scope.account_id)?, number(&scope.region)?, number(&scope.service)?, number(&scope.listing)?])
    }

    /// Whether an event belongs to the attempt that counts.
    pub fn counts(&self, event: &AssetEvent) -> bool {
        let newest = event.scope.as_ref().and_then(|scope| self.newest(scope));
        newest.is_some_and(|(attempt, _)| attempt == event.attempt)
    }

    /// Whether all batches and the end of a scope were recorded, in the attempt that counts.
    pub fn is_complete(&self, scope: &Scope) -> bool {
        self.newest(scope).is_some_and(|(_, run)| run.is_complete())
    }

    /// Scopes that are complete.
    pub fn complete(&self) -> impl Iterator<Item = Scope> + '_ {
        self.runs.newest_of_each().filter(|(_, run)| run.is_complete()).map(|(names, _)| self.texts.scope(names))
    }

    /// Scopes that were tried but not completely seen.
    pub fn failed(&self) -> Failed<'_> {
        let mut failed = Failed { inventory: self, places: HashSet::new(), scopes: HashSet::new() };
        for (([account, region, service], _), report) in &self.reports {
            if report.failure.is_some() {
                failed.places.insert([*account, *region, *service]);
            }
            failed.scopes.extend(report.scopes.iter().filter(|row| row.has_failed()).map(|row| row.names()));
        }
        failed
    }

    /// Listings that a collector finished but the recording does not completely contain.
    pub fn gaps(&self) -> impl Iterator<Item = Gap> + '_ {
        self.reports.values().flat_map(|report| &report.scopes).filter_map(|row| {
            let Reported { listing, batches, failure, .. } = self.texts.reported(*row);
            let run = self.runs.newest(row.names()).map(|(_, run)| run);
            let whole = listing.is_empty() || failure.is_some() || run.is_some_and(Run::is_complete);
            let scope = || ScopeName(&self.texts.scope(row.names())).to_string();
            let arrived = run.map_or(0, |run| run.batches.below(batches));
            (!whole).then(|| Gap { scope: scope(), arrived, batches })
        })
    }
}

/// Scopes that were tried but not completely seen, prepared for many lookups.
pub struct Failed<'a> {
    inventory: &'a Inventory,
    /// Account, region and service of work items that failed as a whole.
    places: HashSet<[u32; 3]>,
    /// Listings reported as failed.
    scopes: HashSet<[u32; 4]>,
}

impl Failed<'_> {
    /// Whether this scope failed.
    pub fn contains(&self, scope: &Scope) -> bool {
        let place = [&scope.account_id, &scope.region, &scope.service].map(|name| self.inventory.texts.find(name));
        let [Some(account), Some(region), Some(service)] = place else { return false };
        let names = self.inventory.names(scope);
        self.places.contains(&[account, region, service])
            || names.is_some_and(|names| self.scopes.contains(&names))
            || self.inventory.newest(scope).is_some_and(|(_, run)| !run.is_complete())
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, arrived, batches } = self;
        write!(f, "{scope}: {arrived} of {batches} batches")?;
        if arrived >= batches { write!(f, ", and no `finished` event") } else { Ok(()) }
    }
}
