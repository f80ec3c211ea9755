//! Applies one event in pieces.
//!
//! Each piece takes the scope's lock and checks that the batch is still wanted. Only the last transaction records the
//! batch as applied, so after the death of a writer another one starts over. Writing a row twice changes nothing.

use super::{Fate, Pen, Pieces, split};
use crate::{
    admit::Admitted,
    apply::{self, Applied, Item, Wanted, apply, labels, needs},
    flaws::Refused,
    missing::Missing,
    schema::Schema,
    scope_store::{self, StoredScope},
    scopes::Verdict,
};
use events::{AssetBatch, Scope, asset_event::Event};
use graph::{GraphError, GraphStore, Transaction, is_too_large};
use observe::metrics;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Writes the rows of an event's batch, without recording it as applied.
struct New<'a> {
    store: &'a GraphStore,
    item: &'a Item,
    ambiguous: &'a BTreeSet<String>,
}

/// Writes a batch piece by piece, without recording it as applied. `None`: it is no longer wanted.
///
/// # Errors
/// The graph is unavailable, or the error is not due to a single row.
pub(crate) async fn write(store: &GraphStore, schema: &Schema, item: &Item) -> Result<Option<Pieces>, GraphError> {
    let ambiguous = schema.ensure(store, needs(item.batch().into_iter())).await?;
    split(item, &New { store, item, ambiguous: &ambiguous }).await
}

/// Records the batch as applied, without its rejected rows.
///
/// # Errors
/// The graph is unavailable.
pub(crate) async fn conclude(
    store: &GraphStore,
    schema: &Schema,
    item: &Item,
    pieces: Pieces,
) -> Result<Applied, GraphError> {
    let Pieces { refused, mut missing, good } = pieces;
    missing.refused = refused.iter().filter_map(Refused::mark).collect();
    let labels: HashSet<String> = labels(&good).collect();
    let mut whole = item.clone();
    whole.event.flaws.refused.extend(refused);
    if item.batch().is_none() {
        return apply(store, schema, &[whole]).await;
    }
    // Its rows are already written; only their number is used.
    whole.event.event = Event::Batch(good);
    let scopes = apply::scopes(std::slice::from_ref(&whole));
    let mut backoff = store.backoff();
    loop {
        match note(store, &scopes, &whole, &missing).await {
            Ok(completed) => {
                metrics().events.held(usize::from(missing.rows > 0));
                return Ok(Applied { completed, labels });
            }
            Err(error) => backoff.pause(error).await?,
        }
    }
}

/// Records the batch and returns whether the scope has all its batches.
async fn note(
    store: &GraphStore,
    scopes: &BTreeMap<String, Scope>,
    item: &Item,
    missing: &Missing,
) -> Result<bool, neo4rs::Error> {
    let mut transaction = store.begin().await?;
    let noted = enter_note(&mut transaction, scopes, item, missing).await;
    transaction.end(noted).await
}

async fn enter_note(
    transaction: &mut Transaction,
    scopes: &BTreeMap<String, Scope>,
    item: &Item,
    missing: &Missing,
) -> Result<bool, neo4rs::Error> {
    let mut states = scope_store::lock(transaction, scopes).await?;
    let wanted = !apply::step(&mut states, std::slice::from_ref(item)).is_empty();
    for stored in states.values_mut().filter(|_| wanted) {
        item.hold(&mut stored.state, missing);
    }
    scope_store::save(transaction, &states).await?;
    Ok(states.values().any(|stored| stored.state.is_applied()))
}

impl Pen for New<'_> {
    async fn write(&self, piece: &AssetBatch) -> Result<Fate, GraphError> {
        let Admitted { sync, scope, attempt, .. } = self.item.event.clone();
        let event = Admitted::new(sync, scope, attempt, Event::Batch(piece.clone()));
        let part = Item { sequence: self.item.sequence, event };
        let mut backoff = self.store.backoff();
        loop {
            match self.attempt(&part).await {
                Ok(Some(fate)) => return Ok(fate),
                Ok(None) => apply::removed_meanwhile().await,
                Err(error) if is_too_large(&error) => return Err(GraphError::TooLarge(error)),
                Err(error) => backoff.pause(error).await?,
            }
        }
    }
}

impl New<'_> {
    /// `None`: the transaction must be repeated.
    async fn attempt(&self, part: &Item) -> Result<Option<Fate>, neo4rs::Error> {
        let mut transaction = self.store.begin().await?;
        match self.enter(&mut transaction, part).await {
            Ok(None) => {
                transaction.undo().await;
                Ok(None)
            }
            written => transaction.end(written).await,
        }
    }

    async fn enter(&self, transaction: &mut Transaction, part: &Item) -> Result<Option<Fate>, neo4rs::Error> {
        let item = self.item;
        let states = scope_store::lock(transaction, &apply::scopes(std::slice::from_ref(item))).await?;
        let wants = |stored: StoredScope| {
            let (state, verdict) = stored.state.step(&item.run(), &item.event.event);
            verdict == Verdict::Apply && state.run == item.run()
        };
        if !states.into_values().all(wants) {
            return Ok(Some(Fate::Unwanted));
        }
        let held = apply::write(transaction, &[Wanted { item: part, is_first: false }], self.ambiguous).await?;
        Ok(held.map(|mut held| Fate::Written(held.remove(&item.sequence).unwrap_or_default())))
    }
}
