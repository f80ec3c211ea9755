//! Waits for a sync's scopes, until the graph has each one as its collector reported it, or can no longer receive it.
//!
//! Queries some places at a time, and only unsettled ones: the cost of a check depends on the scopes settled since the
//! last one, not on the size of the sync.

use crate::{bolt, reports::Reports};
use events::SyncId;
use graph::{GraphError, GraphStore};
use neo4rs::{DeError, Row};
use std::collections::{HashMap, VecDeque};

/// Number of places in one statement. Each has some 25 scopes.
pub(crate) const PLACES: usize = 150;

/// Scopes of places that ended in this sync, or belong to a newer one (its attempt is then negative).
const ENDED: &str = "UNWIND $rows AS place MATCH (s:GromaScope) WHERE s.id STARTS WITH place + '/' \
    WITH place, s, s.tag > $tag OR (s.tag = $tag AND s.sync > $sync) AS newer \
    WHERE newer OR (s.sync = $sync AND s.state <> 'collecting') \
    RETURN place, collect(s.listing) AS listings, collect(CASE WHEN newer THEN -1 ELSE s.attempt END) AS attempts";

/// Scopes that are not yet settled.
pub(crate) struct Settling<'a> {
    store: &'a GraphStore,
    sync: &'a SyncId,
    reports: &'a mut Reports,
    /// Places with unsettled scopes.
    pending: VecDeque<String>,
}

impl<'a> Settling<'a> {
    pub(crate) fn new(store: &'a GraphStore, sync: &'a SyncId, reports: &'a mut Reports) -> Self {
        let pending = reports.awaited().cloned().collect();
        Self { store, sync, reports, pending }
    }

    /// Whether all scopes are settled.
    pub(crate) fn is_done(&self) -> bool {
        self.pending.is_empty()
    }

    /// Queries the graph: all remaining places if `at_all`, otherwise place after place until one is not settled.
    /// Returns the number of places that are settled now.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub(crate) async fn look(&mut self, at_all: bool) -> Result<usize, GraphError> {
        let before = self.pending.len();
        let mut left = before;
        while left > 0 {
            let places: Vec<String> = self.pending.drain(..PLACES.min(left)).collect();
            left -= places.len();
            self.settle(&places).await?;
            let open: Vec<String> = places.into_iter().filter(|place| self.reports.is_open(place)).collect();
            left = if at_all || open.is_empty() { left } else { 0 };
            self.pending.extend(open);
        }
        Ok(before - self.pending.len())
    }

    async fn settle(&mut self, places: &[String]) -> Result<(), GraphError> {
        let parameters = [
            ("rows", bolt::texts(places)),
            ("sync", self.sync.id.as_str().into()),
            ("tag", self.sync.update_tag.into()),
        ];
        for row in self.store.rows(bolt::planned_once(ENDED, parameters)).await? {
            let (place, ended) = parse(&row).map_err(GraphError::from)?;
            self.reports.settle(&place, |listing, scope| {
                let attempt = ended.get(listing);
                attempt.is_some_and(|attempt| *attempt < 0 || *attempt >= i64::from(scope.attempt))
            });
        }
        Ok(())
    }
}

fn parse(row: &Row) -> Result<(String, HashMap<String, i64>), DeError> {
    let listings: Vec<String> = row.get("listings")?;
    let attempts: Vec<i64> = row.get("attempts")?;
    Ok((row.get("place")?, listings.into_iter().zip(attempts).collect()))
}
