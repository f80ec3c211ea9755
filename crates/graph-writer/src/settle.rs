//! Waiting for a sync's scopes: until the graph has each as far as its collector reported, or can no longer get it.
//!
//! The graph is asked for some places at a time, and only for those that are not settled yet: a look costs what has been
//! settled since the last one, not what the sync has.

use crate::{
    bolt,
    cut::{Cut, sentence},
    reports::{Reported, Reports},
    scope_store::{self, StoredScope},
};
use events::{Failure, FailureClass, LostScope, Scope, Sync};
use graph::{GraphError, GraphStore};
use neo4rs::{DeError, Row};
use std::collections::{HashMap, VecDeque};

/// Places that are looked at in one statement: each has some 25 scopes.
const PLACES: usize = 150;
/// Lost scopes whose states are read at once.
const LOST: usize = 100;

/// Scopes of places that have come to an end in this sync, or belong to a newer one (its attempt is then negative).
const ENDED: &str = "UNWIND $rows AS place MATCH (s:GromaScope) WHERE s.id STARTS WITH place + '/' \
    WITH place, s, s.tag > $tag OR (s.tag = $tag AND s.sync > $sync) AS newer \
    WHERE newer OR (s.sync = $sync AND s.state <> 'collecting') \
    RETURN place, collect(s.listing) AS listings, collect(CASE WHEN newer THEN -1 ELSE s.attempt END) AS attempts";

/// Scopes that are still to come, and what has been found out of the others.
pub(crate) struct Settling<'a> {
    store: &'a GraphStore,
    sync: &'a Sync,
    reports: &'a mut Reports,
    /// Places with scopes that are not settled.
    pending: VecDeque<String>,
    superseded: Cut<LostScope>,
}

/// How it ended.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// Scopes whose batches did not all arrive.
    pub(crate) lost: Cut<LostScope>,
    /// Scopes that a newer sync has taken over.
    pub(crate) superseded: Cut<LostScope>,
}

impl<'a> Settling<'a> {
    pub(crate) fn new(store: &'a GraphStore, sync: &'a Sync, reports: &'a mut Reports) -> Self {
        let pending = reports.awaited().cloned().collect();
        Self { store, sync, reports, pending, superseded: Cut::default() }
    }

    /// Whether nothing is left to wait for.
    pub(crate) fn is_done(&self) -> bool {
        self.pending.is_empty()
    }

    /// Asks the graph: for every place that is left, or else place after place until one is not settled.
    ///
    /// # Errors
    /// When the graph cannot be read.
    pub(crate) async fn look(&mut self, at_all: bool) -> Result<(), GraphError> {
        let mut left = self.pending.len();
        while left > 0 {
            let places: Vec<String> = self.pending.drain(..PLACES.min(left)).collect();
            left -= places.len();
            self.settle(&places).await?;
            let open: Vec<String> =
                places.into_iter().filter(|place| self.reports.open(place).next().is_some()).collect();
            left = if at_all || open.is_empty() { left } else { 0 };
            self.pending.extend(open);
        }
        Ok(())
    }

    async fn settle(&mut self, places: &[String]) -> Result<(), GraphError> {
        let parameters = [
            ("rows", bolt::texts(places)),
            ("sync", self.sync.id.as_str().into()),
            ("tag", self.sync.update_tag.into()),
        ];
        for row in self.store.rows(bolt::planned_once(ENDED, parameters)).await? {
            let (place, ended) = parse(&row).map_err(GraphError::from)?;
            let mut newer = Vec::new();
            self.reports.settle(&place, |listing, scope| match ended.get(listing) {
                Some(attempt) if *attempt < 0 => {
                    newer.push(listing.to_owned());
                    true
                }
                Some(attempt) => *attempt >= i64::from(scope.attempt),
                None => false,
            });
            for listing in newer {
                self.superseded.push(superseded(&place, &listing));
            }
        }
        Ok(())
    }

    /// Names what has not come.
    ///
    /// # Errors
    /// When the graph cannot be read.
    pub(crate) async fn end(mut self) -> Result<Settled, GraphError> {
        let mut lost = Cut::default();
        let mut open = Vec::new();
        let places = std::mem::take(&mut self.pending);
        let mut places: Vec<String> = places.into();
        places.sort_unstable();
        for place in &places {
            for scope in self.reports.open(place) {
                if lost.is_full() {
                    lost.count(1);
                    continue;
                }
                open.push((self.reports.scope(place, scope), scope));
                if open.len() == LOST {
                    self.name(&mut lost, std::mem::take(&mut open)).await?;
                }
            }
        }
        self.name(&mut lost, open).await?;
        Ok(Settled { lost, superseded: self.superseded })
    }

    async fn name(&self, lost: &mut Cut<LostScope>, scopes: Vec<(Scope, Reported)>) -> Result<(), GraphError> {
        let ids: Vec<String> = scopes.iter().map(|(scope, _)| crate::scopes::id(scope)).collect();
        let known = scope_store::by_id(self.store, &ids).await?;
        let known: HashMap<String, &StoredScope> = known.iter().map(|stored| (stored.id(), stored)).collect();
        for ((scope, reported), id) in scopes.into_iter().zip(&ids) {
            let error = self.missing(reported, known.get(id).copied());
            lost.push(lost_scope(scope, error));
        }
        Ok(())
    }

    fn missing(&self, scope: Reported, known: Option<&StoredScope>) -> String {
        let state = known.map(|stored| &stored.state).filter(|state| state.run.sync == self.sync.id);
        let arrived = state.map_or(0, |state| state.applied_of(scope.batches));
        let end = match state {
            Some(state) if state.finish.is_some() => "",
            _ => ", and not the word that it finished",
        };
        format!("{arrived} of {} batches reached the graph{end}", scope.batches)
    }
}

fn parse(row: &Row) -> Result<(String, HashMap<String, i64>), DeError> {
    let listings: Vec<String> = row.get("listings")?;
    let attempts: Vec<i64> = row.get("attempts")?;
    Ok((row.get("place")?, listings.into_iter().zip(attempts).collect()))
}

/// A scope of which the graph does not have all.
pub(crate) fn lost_scope(scope: Scope, error: String) -> LostScope {
    LostScope { scope: Some(scope), failure: Some(Failure::new(FailureClass::Lost, sentence(error))) }
}

fn superseded(place: &str, listing: &str) -> LostScope {
    let mut words = place.splitn(3, '/').map(str::to_owned);
    let mut word = || words.next().unwrap_or_default();
    let scope = Scope { account_id: word(), region: word(), service: word(), listing: listing.to_owned() };
    lost_scope(scope, "a newer sync has taken the scope over".to_owned())
}
