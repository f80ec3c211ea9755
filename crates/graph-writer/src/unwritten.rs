//! Reported scopes that the graph lacks wholly or in part when cleanup is decided: lost ones, and those that a newer
//! sync has taken over.

use crate::{
    bolt,
    cut::{Cut, Lost, sentence},
    reports::{Reported, Reports},
    scope_store::{self, StoredScope},
    scopes::{self, Progress, ScopeState},
    settle::PLACES,
};
use events::{Failure, FailureClass, LostScope, Scope, SyncId};
use graph::{GraphError, GraphStore};
use neo4rs::{DeError, Row};
use std::collections::HashMap;

/// Number of scope states read together.
const TOGETHER: usize = 100;

/// Scopes of places that this sync or a newer one has written. Scopes with rejected rows count as written; they are
/// reported separately.
const HELD: &str = "UNWIND $rows AS place MATCH (s:GromaScope) WHERE s.id STARTS WITH place + '/' \
    WITH place, s, s.tag > $tag OR (s.tag = $tag AND s.sync > $sync) AS newer \
    WHERE newer OR (s.sync = $sync AND s.state IN ['finished', 'partial']) \
    RETURN place, collect(s.listing) AS listings, collect(newer) AS newer";

/// Scopes that collectors read and the graph does not hold.
#[derive(Debug, Default)]
pub(crate) struct Unwritten {
    /// Scopes that did not arrive, or not completely.
    pub(crate) lost: Lost,
    /// Scopes that a newer sync has taken over.
    pub(crate) superseded: Cut<LostScope>,
}

impl Unwritten {
    /// Returns the unwritten scopes of a sync, from their present state. Called after cleanup is decided: a scope taken
    /// over later was cleaned up.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub(crate) async fn of(store: &GraphStore, sync: &SyncId, reports: &Reports) -> Result<Self, GraphError> {
        let mut unwritten = Self::default();
        let places: Vec<&String> = reports.awaited().collect();
        for places in places.chunks(PLACES) {
            let held = held(store, sync, places).await?;
            let mut missing = Vec::new();
            for place in places {
                let held = held.get(*place);
                for scope in reports.read(place) {
                    match held.and_then(|held| held.get(reports.name(scope))) {
                        Some(Holder::Own) => {}
                        Some(Holder::Newer) => {
                            unwritten.superseded.push(superseded(reports.scope(place, scope)));
                        }
                        None if unwritten.lost.is_full() => unwritten.lost.push_place(&reports.scope(place, scope)),
                        None => missing.push((reports.scope(place, scope), scope)),
                    }
                }
            }
            for missing in missing.chunks(TOGETHER) {
                unwritten.name(store, sync, missing).await?;
            }
        }
        Ok(unwritten)
    }

    async fn name(
        &mut self,
        store: &GraphStore,
        sync: &SyncId,
        missing: &[(Scope, Reported)],
    ) -> Result<(), GraphError> {
        let ids: Vec<String> = missing.iter().map(|(scope, _)| scopes::id(scope)).collect();
        let known = scope_store::by_id(store, &ids).await?;
        let known: HashMap<String, &StoredScope> = known.iter().map(|stored| (stored.id(), stored)).collect();
        for ((scope, reported), id) in missing.iter().zip(&ids) {
            let known = known.get(id).copied();
            if known.is_some_and(|known| is_newer(known, sync)) {
                self.superseded.push(superseded(scope.clone()));
            } else if let Some(reason) = reason(sync, *reported, known) {
                self.lost.push(lost(scope.clone(), reason));
            }
        }
        Ok(())
    }
}

/// The sync that holds a scope.
enum Holder {
    Own,
    Newer,
}

/// Returns the scopes of these places that the sync or a newer one holds, by listing.
async fn held(
    store: &GraphStore,
    sync: &SyncId,
    places: &[&String],
) -> Result<HashMap<String, HashMap<String, Holder>>, GraphError> {
    let parameters = [
        ("rows", bolt::texts(places.iter().copied())),
        ("sync", sync.id.as_str().into()),
        ("tag", sync.update_tag.into()),
    ];
    let rows = store.rows(bolt::planned_once(HELD, parameters)).await?;
    let parse = |row: &Row| -> Result<_, DeError> {
        let listings: Vec<String> = row.get("listings")?;
        let newer: Vec<bool> = row.get("newer")?;
        let holders = newer.into_iter().map(|newer| if newer { Holder::Newer } else { Holder::Own });
        Ok((row.get("place")?, listings.into_iter().zip(holders).collect()))
    };
    Ok(rows.iter().map(parse).collect::<Result<_, _>>()?)
}

fn is_newer(known: &StoredScope, sync: &SyncId) -> bool {
    let run = &known.state.run;
    (run.tag, &run.sync) > (sync.update_tag, &sync.id)
}

fn superseded(scope: Scope) -> LostScope {
    lost(scope, "a newer sync has taken the scope over".to_owned())
}

/// Returns the reason for a lost scope. `None`: everything has arrived meanwhile.
fn reason(sync: &SyncId, reported: Reported, known: Option<&StoredScope>) -> Option<String> {
    let none = ScopeState::default();
    let state = known.map(|known| &known.state).filter(|state| state.run.sync == sync.id).unwrap_or(&none);
    match state.progress() {
        Progress::Complete | Progress::Partial => None,
        Progress::Lost => Some("a batch left the stream before its edges were drawn".to_owned()),
        Progress::Failed => {
            let error = state.failure.as_ref().map_or("", |failure| &failure.error);
            Some(format!("another attempt at the listing failed: {error}"))
        }
        Progress::Collecting => {
            let end = if state.finish.is_some() { "" } else { ", and not the word that it finished" };
            let arrived = state.applied_of(reported.batches);
            Some(format!("{arrived} of {} batches reached the graph{end}", reported.batches))
        }
    }
}

fn lost(scope: Scope, error: String) -> LostScope {
    LostScope { scope: Some(scope), failure: Some(Failure::new(FailureClass::Lost, sentence(error))) }
}
