//! Result of a first pass over a recording: whether the file is complete, its scopes, the attempt at each scope that
//! counts, and the reports. Contains no assets.

use crate::{Event, Filter, FormatError, Reader};
use events::{AssetEvent, Scope, ScopeName, ScopeReport, Sync, WorkItem, WorkReport, asset_event, sync_event};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt,
    io::Read,
};

/// Inventory of a recording, reduced by a filter.
#[derive(Debug, Default)]
pub struct Inventory {
    /// The recorded sync.
    pub sync: Sync,
    /// Attempts at scopes kept by the filter, by scope and attempt.
    pub runs: BTreeMap<(String, u32), Run>,
    /// Newest report of each work item kept by the filter.
    pub reports: BTreeMap<ItemKey, WorkReport>,
    /// Values in the recording by which it can be filtered, whatever the filter.
    pub offered: Filter,
    /// Whether the sync was collected completely.
    pub collected: bool,
}

/// Account, region, service and kind of a work item.
pub type ItemKey = (String, String, String, i32);

/// An attempt at a scope.
#[derive(Debug, Default)]
pub struct Run {
    /// The scope.
    pub scope: Scope,
    /// Indexes of the recorded batches.
    pub batches: BTreeSet<u32>,
    /// Number of batches, if the listing finished.
    pub finished: Option<u32>,
    /// Whether the listing failed.
    pub failed: bool,
    /// Number of node rows kept by the filter.
    pub nodes: u64,
    /// Number of edge rows kept by the filter.
    pub edges: u64,
}

/// A listing that was reported as finished but is incomplete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Name of the scope.
    pub scope: String,
    /// Number of recorded batches.
    pub arrived: usize,
    /// Number of reported batches.
    pub batches: u32,
}

impl Inventory {
    /// Reads a recording to its end.
    ///
    /// # Errors
    /// Fails if the file is incomplete; then nothing of it should be played.
    pub fn read<R: Read>(mut reader: Reader<R>, filter: &Filter) -> Result<Self, FormatError> {
        let mut inventory = Self { sync: reader.sync().clone(), ..Self::default() };
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
        let scope = event.scope.clone().unwrap_or_default();
        self.offered.accounts.insert(scope.account_id.clone());
        self.offered.regions.insert(scope.region.clone());
        self.offered.services.insert(scope.service.clone());
        if let Some(asset_event::Event::Batch(batch)) = &event.event {
            let new = batch.nodes.iter().filter(|table| !self.offered.types.contains(&table.label));
            let new: Vec<String> = new.map(|table| table.label.clone()).collect();
            self.offered.types.extend(new);
        }
        if filter.keeps(&scope) {
            let name = ScopeName(&scope).to_string();
            let run = self.runs.entry((name, event.attempt)).or_insert_with(|| Run { scope, ..Run::default() });
            run.enter(event.event.as_ref(), filter);
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
        let WorkItem { account_id, region, service, kind, .. } = report.item.clone().unwrap_or_default();
        if !filter.keeps_place(&account_id, &region, &service) {
            return;
        }
        let known = self.reports.entry((account_id, region, service, kind)).or_default();
        if report.attempt >= known.attempt {
            *known = report;
        }
    }

    /// Returns the newest attempt at a scope. Only this attempt counts.
    pub fn newest(&self, scope: &str) -> Option<(u32, &Run)> {
        let range = (scope.to_owned(), 0)..=(scope.to_owned(), u32::MAX);
        self.runs.range(range).next_back().map(|((_, attempt), run)| (*attempt, run))
    }

    /// Whether an event belongs to the attempt that counts.
    pub fn counts(&self, event: &AssetEvent) -> bool {
        let name = event.scope.as_ref().map(|scope| ScopeName(scope).to_string());
        name.and_then(|name| self.newest(&name)).is_some_and(|(attempt, _)| attempt == event.attempt)
    }

    /// Complete scopes in the attempt that counts: all batches and the end were recorded.
    pub fn complete(&self) -> impl Iterator<Item = (&str, &Run)> {
        let newest =
            self.runs.iter().filter(|((name, attempt), _)| self.newest(name).is_some_and(|it| it.0 == *attempt));
        newest.filter(|(_, run)| run.is_complete()).map(|((name, _), run)| (name.as_str(), run))
    }

    /// Scopes that were tried but not completely seen.
    pub fn failed(&self) -> Failed<'_> {
        let mut failed = Failed { inventory: self, places: HashSet::new(), scopes: HashSet::new() };
        for report in self.reports.values() {
            if let (Some(_), Some(item)) = (&report.failure, &report.item) {
                failed.places.insert((&item.account_id, &item.region, &item.service));
            }
            let scopes = report.scopes.iter().filter(|it| it.failure.is_some());
            failed.scopes.extend(scopes.filter_map(|it| it.scope.as_ref()));
        }
        failed
    }

    /// Listings that a collector finished but the recording does not completely contain.
    pub fn gaps(&self) -> Vec<Gap> {
        let scopes = self.reports.values().flat_map(|report| &report.scopes);
        let gap = |report: &ScopeReport| {
            let scope = ScopeName(report.scope.as_ref()?).to_string();
            let run = self.newest(&scope).map(|(_, run)| run);
            let whole = report.failure.is_some() || run.is_some_and(Run::is_complete);
            let arrived = run.map_or(0, |run| run.batches.range(..report.batches).count());
            (!whole).then_some(Gap { scope, arrived, batches: report.batches })
        };
        scopes.filter_map(gap).collect()
    }
}

/// Scopes that were tried but not completely seen, prepared for many lookups.
pub struct Failed<'a> {
    inventory: &'a Inventory,
    /// Account, region and service of work items that failed completely.
    places: HashSet<(&'a str, &'a str, &'a str)>,
    /// Listings reported as failed.
    scopes: HashSet<&'a Scope>,
}

impl Failed<'_> {
    /// Whether this scope failed.
    pub fn contains(&self, scope: &Scope) -> bool {
        let newest = self.inventory.newest(&ScopeName(scope).to_string());
        newest.is_some_and(|(_, run)| !run.is_complete())
            || self.scopes.contains(scope)
            || self.places.contains(&(&*scope.account_id, &*scope.region, &*scope.service))
    }
}

impl Run {
    fn enter(&mut self, event: Option<&asset_event::Event>, filter: &Filter) {
        match event {
            // A repeated batch counts once.
            Some(asset_event::Event::Batch(batch)) if self.batches.insert(batch.index) => {
                let (nodes, edges) = filter.rows(batch);
                self.nodes += nodes;
                self.edges += edges;
            }
            Some(asset_event::Event::Finished(finished)) => self.finished = Some(finished.batches),
            Some(asset_event::Event::Failed(_)) => self.failed = true,
            _ => {}
        }
    }

    /// Whether the listing finished and every batch was recorded.
    pub fn is_complete(&self) -> bool {
        let whole = |batches: u32| self.batches.range(..batches).count() == batches as usize;
        !self.failed && self.finished.is_some_and(whole)
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, arrived, batches } = self;
        write!(f, "{scope}: {arrived} of {batches} batches")?;
        if *arrived >= *batches as usize { write!(f, ", and no `finished` event") } else { Ok(()) }
    }
}
