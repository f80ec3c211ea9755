//! Creates one batch's held edges in pieces.
//!
//! Each piece takes the scope's lock and checks that the batch is still held. Only the last transaction records the
//! rejected rows and the edges that still lack an end.

use super::{Fate, Pen, Pieces, split};
use crate::{
    apply::Item,
    flaws::Refused,
    held_edges::draw_rows,
    scope_store::{self, StoredScope},
    scopes::ScopeState,
};
use events::{AssetBatch, Scope};
use graph::{GraphError, GraphStore, Transaction, is_too_large};
use std::collections::BTreeMap;

/// The held edges of one batch.
pub(crate) struct Held<'a> {
    /// The graph.
    pub(crate) store: &'a GraphStore,
    /// Scope of the edges.
    pub(crate) stored: &'a StoredScope,
    /// The batch, reduced to the edges.
    pub(crate) item: &'a Item,
}

impl Pen for Held<'_> {
    async fn write(&self, piece: &AssetBatch) -> Result<Fate, GraphError> {
        let mut backoff = self.store.backoff();
        loop {
            match self.attempt(piece).await {
                Ok(fate) => return Ok(fate),
                Err(error) if is_too_large(&error) => return Err(GraphError::TooLarge(error)),
                Err(error) => backoff.pause(error).await?,
            }
        }
    }
}

impl Held<'_> {
    /// Creates the edges. `None`: they are no longer wanted. Otherwise [`Held::conclude`] must follow.
    ///
    /// # Errors
    /// The graph is unavailable, or the error is not due to a single row.
    pub(crate) async fn draw(&self) -> Result<Option<Pieces>, GraphError> {
        split(self.item, self).await
    }

    /// Records the rows that Neo4j rejects, and the edges that still lack an end.
    ///
    /// # Errors
    /// The graph is unavailable.
    pub(crate) async fn conclude(&self, pieces: &Pieces) -> Result<(), GraphError> {
        let mut backoff = self.store.backoff();
        loop {
            match self.note(pieces).await {
                Ok(()) => return Ok(()),
                Err(error) => backoff.pause(error).await?,
            }
        }
    }

    fn scopes(&self) -> BTreeMap<String, Scope> {
        BTreeMap::from([(self.stored.id(), self.stored.scope.clone())])
    }

    /// Whether the batch is still held, by the same run.
    fn is_wanted(&self, state: &ScopeState) -> bool {
        state.run == self.stored.state.run && self.item.held_in(state).is_some()
    }

    async fn attempt(&self, piece: &AssetBatch) -> Result<Fate, neo4rs::Error> {
        let mut transaction = self.store.begin().await?;
        let drawn = self.enter(&mut transaction, piece).await;
        transaction.end(drawn).await
    }

    async fn enter(&self, transaction: &mut Transaction, piece: &AssetBatch) -> Result<Fate, neo4rs::Error> {
        let states = scope_store::lock(transaction, &self.scopes()).await?;
        if !states.values().all(|stored| self.is_wanted(&stored.state)) {
            return Ok(Fate::Unwanted);
        }
        let mut held = draw_rows(transaction, self.stored, &[(self.item.sequence, piece)]).await?;
        Ok(Fate::Written(held.remove(&self.item.sequence).unwrap_or_default()))
    }

    async fn note(&self, pieces: &Pieces) -> Result<(), neo4rs::Error> {
        let mut transaction = self.store.begin().await?;
        let noted = self.enter_note(&mut transaction, pieces).await;
        transaction.end(noted).await
    }

    async fn enter_note(&self, transaction: &mut Transaction, pieces: &Pieces) -> Result<(), neo4rs::Error> {
        let mut states = scope_store::lock(transaction, &self.scopes()).await?;
        for stored in states.values_mut().filter(|stored| self.is_wanted(&stored.state)) {
            self.record(&mut stored.state, pieces);
        }
        scope_store::save(transaction, &states).await
    }

    /// Counts each rejected row once, however often the batch is retried.
    fn record(&self, state: &mut ScopeState, pieces: &Pieces) {
        let mut missing = pieces.missing.clone();
        let Some(name) = self.item.held_in(state) else { return };
        let known = state.held.get(&name).map(|held| held.refused.clone()).unwrap_or_default();
        for refused in &pieces.refused {
            let mark = Refused::mark(refused);
            if mark.is_none_or(|mark| !known.contains(&mark)) {
                state.rejected.add(1, refused.reason.clone());
            }
            missing.refused.extend(mark);
        }
        state.retried(name, missing);
    }
}
