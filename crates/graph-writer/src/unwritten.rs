//! Reported scopes of which the graph does not hold everything when cleanup is decided: lost ones, and those that a newer sync
//! has taken over.

use crate::{
    bolt,
    cut::{Cut, sentence},
    reports::{Reported, Reports},
    scope_store::{self, StoredScope},
    scopes::{self, Progress, ScopeState},
    settle::PLACES,
};
use events::{Failure, FailureClass, LostScope, Scope, Sync};
use graph::{GraphError, GraphStore};
use neo4rs::{DeError, Row};
use std::collections::HashMap;

/// Scopes whose states are read at once.
const TOGETHER: usize = 100;

/// Scopes of places that this sync has written, except for rows that cannot stand in the graph (those are named otherwise), and
/// those of a newer sync.
const HELD: &str = "UNWIND $rows AS place MATCH (s:GromaScope) WHERE s.id STARTS WITH place + '/' \
    WITH place, s, s.tag > $tag OR (s.tag = $tag AND s.sync > $sync) AS newer \
    WHERE newer OR (s.sync = $sync AND s.state IN ['finished', 'partial']) \
    RETURN place, collect(s.listing) AS listings, collect(newer) AS newer";

/// Scopes that were reported as read and that the graph does not hold.
#[derive(Debug, Default)]
pub(crate) struct Unwritten {
    /// Scopes that did not arrive, or not whole.
    pub(crate) lost: Cut<LostScope>,
    /// Scopes that a newer sync has taken over.
    pub(crate) superseded: Cut<LostScope>,
}

impl Unwritten {
    /// Of a sync, as its scopes are now. Asked after cleanup is decided: a scope that is taken over later was cleaned up.
    ///
    /// # Errors
    /// When the graph cannot be read.
    pub(crate) async fn of(store: &GraphStore, sync: &Sync, reports: &Reports) -> Result<Self, GraphError> {
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
                        Some(Holder::Newer) => unwritten.superseded.push(lost(
                            reports.scope(place, scope),
                            "a newer sync has taken the scope over".to_owned(),
                        )),
                        None if unwritten.lost.is_full() => unwritten.lost.count(1),
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

    async fn name(&mut self, store: &GraphStore, sync: &Sync, missing: &[(Scope, Reported)]) -> Result<(), GraphError> {
        let ids: Vec<String> = missing.iter().map(|(scope, _)| scopes::id(scope)).collect();
        let known = scope_store::by_id(store, &ids).await?;
        let known: HashMap<String, &StoredScope> = known.iter().map(|stored| (stored.id(), stored)).collect();
        for ((scope, reported), id) in missing.iter().zip(&ids) {
            if let Some(reason) = reason(sync, *reported, known.get(id).copied()) {
                self.lost.push(lost(scope.clone(), reason));
            }
        }
        Ok(())
    }
}

/// Sync that holds a scope.
enum Holder {
    Own,
    Newer,
}

/// Of these places, the scopes that the sync or a newer one holds, by their listings.
async fn held(
    store: &GraphStore,
    sync: &Sync,
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

/// None when all of it has come since it was looked for.
fn reason(sync: &Sync, reported: Reported, known: Option<&StoredScope>) -> Option<String> {
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
