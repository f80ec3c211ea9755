//! Edges whose target (or source) is not yet in the graph. They are held by reference: the scope's state records the
//! batch's sequence and the missing labels, and the batch is fetched again when such nodes have arrived. So held edges
//! need no memory, whatever the size of an account, and survive a killed writer.
//!
//! They are retried when a lane is idle after a scope of its account completed, for the labels written meanwhile; and
//! at the end of the sync, when edges between accounts can be created. Edges that still lack an end are then counted.
//! If the stream no longer has the batch, its edges are unknown and the scope is lost. Exception: if the batch lacks
//! only labels that no listing feeds, no survey can bring the nodes, and the scope is not lost.

use crate::{
    admit::{Admitted, admit},
    apply::{Item, needs},
    edges::EdgeWrites,
    elements::Elements,
    nodes::Origin,
    schema::Schema,
    scope_store::{self, StoredScope},
    scopes::{self, Missing, ScopeState},
    sightings::Sightings,
};
use bus::{Bus, LookupError};
use events::{AssetBatch, EdgeTable, asset_event::Event};
use graph::{GraphError, GraphStore, Portion, Transaction};
use std::collections::{BTreeMap, HashSet};

/// Edge rows of one transaction; a batch has about a thousand node rows, each with a few edges.
static EDGES: Portion = Portion::new(20_000);

/// Held edges could not be retried.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// The graph.
    #[error("cannot draw held edges")]
    Graph(#[from] GraphError),
    /// The stream.
    #[error("cannot fetch a batch again")]
    Stream(#[from] LookupError),
}

/// Held batches of one scope, fetched again.
struct Fetched<'a> {
    stored: StoredScope,
    batches: Vec<(u64, Option<Item>)>,
    labels: &'a Labels,
}

/// Missing labels whose edges are retried.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    /// Labels whose nodes may have arrived. A missing batch of theirs makes its scope lost.
    pub awaited: HashSet<String>,
    /// Retry all other labels too, although no listing is known to feed them. A missing batch of theirs does no harm.
    pub all: bool,
}

impl Labels {
    fn await_any(&self, missing: &Missing) -> bool {
        missing.labels.iter().any(|label| self.awaited.contains(label))
    }
}

/// Retries the held edges of these scopes that lack one of the labels.
///
/// # Errors
/// The graph or the stream is unavailable. Edges created before stay.
pub async fn retry(
    bus: &Bus,
    store: &GraphStore,
    schema: &Schema,
    scopes: Vec<StoredScope>,
    labels: &Labels,
) -> Result<(), RetryError> {
    for stored in scopes {
        let held = stored.state.held.iter().filter(|(_, missing)| labels.all || labels.await_any(missing));
        let mut sequences: Vec<u64> = held.map(|(sequence, _)| *sequence).collect();
        while !sequences.is_empty() {
            let fetched = fetch(bus, &stored, &mut sequences, labels).await?;
            draw(store, schema, &fetched).await?;
        }
    }
    Ok(())
}

/// Fetches batches until their edges fill a transaction.
async fn fetch<'a>(
    bus: &Bus,
    stored: &StoredScope,
    sequences: &mut Vec<u64>,
    labels: &'a Labels,
) -> Result<Fetched<'a>, RetryError> {
    let mut batches = Vec::new();
    let (mut edges, most) = (0, EDGES.size());
    while edges < most {
        let Some(sequence) = sequences.pop() else { break };
        let item = bus.get(bus::ASSETS, sequence).await?.and_then(|payload| read(sequence, &payload, stored));
        edges += item.as_ref().map_or(0, |item| item.rows().1);
        batches.push((sequence, item));
    }
    Ok(Fetched { stored: stored.clone(), batches, labels })
}

/// The batch, reduced to the tables that lacked an end; none when the stream holds something else at its place.
fn read(sequence: u64, payload: &[u8], stored: &StoredScope) -> Option<Item> {
    let Admitted { sync, scope, attempt, event, .. } = admit(payload).ok()?;
    let Event::Batch(batch) = event else { return None };
    let labels = &stored.state.held.get(&sequence)?.labels;
    let lacking = |table: &EdgeTable| labels.contains(&table.target_label) || labels.contains(&table.source_label);
    let edges = batch.edges.into_iter().filter(lacking).collect();
    let event = Event::Batch(AssetBatch { index: batch.index, nodes: Vec::new(), edges });
    let item = Item { sequence, event: Admitted::new(sync, scope, attempt, event) };
    (item.event.scope == stored.scope && item.run() == stored.state.run).then_some(item)
}

/// Creates the fetched edges, in smaller transactions if Neo4j rejects the size.
async fn draw(store: &GraphStore, schema: &Schema, fetched: &Fetched<'_>) -> Result<(), GraphError> {
    let batches = || fetched.batches.iter().filter_map(|(_, item)| item.as_ref());
    schema.ensure(store, needs(batches().filter_map(Item::batch))).await?;
    let mut rest = &fetched.batches[..];
    let mut backoff = store.backoff();
    while !rest.is_empty() {
        let (now, edges) = first(rest, EDGES.size());
        match attempt(store, fetched, &rest[..now]).await {
            Ok(()) => {
                EDGES.passed(edges);
                (rest, backoff) = (&rest[now..], store.backoff());
            }
            // A single batch cannot be split further.
            Err(error) => backoff.shrink(error, &EDGES, if now == 1 { 1 } else { edges }).await?,
        }
    }
    Ok(())
}

/// Number of the first batches with at most `most` edges together, at least one; and the number of their edges.
fn first(batches: &[(u64, Option<Item>)], most: usize) -> (usize, usize) {
    let mut sizes = batches.iter().map(|(_, item)| item.as_ref().map_or(0, |item| item.rows().1));
    let (mut count, mut edges) = (1, sizes.next().unwrap_or(0));
    for size in sizes {
        if edges + size > most {
            break;
        }
        (count, edges) = (count + 1, edges + size);
    }
    (count, edges)
}

async fn attempt(
    store: &GraphStore,
    fetched: &Fetched<'_>,
    batches: &[(u64, Option<Item>)],
) -> Result<(), neo4rs::Error> {
    let mut transaction = store.begin().await?;
    let drawn = enter(&mut transaction, fetched, batches).await;
    transaction.end(drawn).await
}

async fn enter(
    transaction: &mut Transaction,
    fetched: &Fetched<'_>,
    batches: &[(u64, Option<Item>)],
) -> Result<(), neo4rs::Error> {
    let scopes = BTreeMap::from([(fetched.stored.id(), fetched.stored.scope.clone())]);
    let mut states = scope_store::lock(transaction, &scopes).await?;
    for stored in states.values_mut() {
        redraw(transaction, &mut stored.state, fetched, batches).await?;
    }
    scope_store::save(transaction, &states).await
}

/// Draws the edges, unless a newer run has begun since the batches were fetched.
async fn redraw(
    transaction: &mut Transaction,
    state: &mut ScopeState,
    fetched: &Fetched<'_>,
    batches: &[(u64, Option<Item>)],
) -> Result<(), neo4rs::Error> {
    if state.run != fetched.stored.state.run {
        return Ok(());
    }
    let place = fetched.stored.scope.place();
    let still: HashSet<u64> = state.held.keys().copied().collect();
    let run = state.run.clone();
    let listing = &fetched.stored.scope.listing;
    let origin = Origin { run: &run, place: &place, listing };
    let mut edges = EdgeWrites::default();
    for (sequence, item) in batches.iter().filter(|(sequence, _)| still.contains(sequence)) {
        if let Some(batch) = item.as_ref().and_then(Item::batch) {
            batch.edges.iter().for_each(|table| edges.add(table, origin, *sequence));
        } else if state.held.get(sequence).is_some_and(|missing| missing.rows > 0 && fetched.labels.await_any(missing))
        {
            tracing::warn!(scope = scopes::id(&fetched.stored.scope), sequence, "a batch is gone from the stream");
            state.lost = true;
        }
    }
    let mut sightings = Sightings::default();
    for (sequence, missing) in edges.write(transaction, Elements::default(), &mut sightings).await? {
        state.hold(sequence, missing);
    }
    sightings.write(transaction).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flaws::Flaws;
    use events::{Direction, EdgeRow, Scope, Sync};

    fn batch(sequence: u64, edges: usize) -> (u64, Option<Item>) {
        let row = EdgeRow { source_id: "a".into(), target_value: "b".into(), values: Vec::new() };
        let table = EdgeTable { direction: Direction::Out.into(), rows: vec![row; edges], ..EdgeTable::default() };
        let event = Event::Batch(AssetBatch { edges: vec![table], ..AssetBatch::default() });
        let event =
            Admitted { sync: Sync::default(), scope: Scope::default(), attempt: 1, event, flaws: Flaws::default() };
        (sequence, Some(Item { sequence, event }))
    }

    #[test]
    fn a_transaction_takes_the_batches_that_fit_and_one_at_least() {
        let batches = [batch(1, 40), (2, None), batch(3, 40), batch(4, 40)];
        assert_eq!(first(&batches, 100), (3, 80));
        assert_eq!(first(&batches, 40), (2, 40));
        assert_eq!(first(&batches, 10), (1, 40));
        assert_eq!(first(&batches[3..], 100), (1, 40));
    }
}
