//! Edges whose target (or source) is not in the graph yet. They are kept by reference: the scope's state names the batch
//! by its place in the stream and the labels that were missing, and the batch is fetched again when such nodes have come.
//! So nothing is held in memory, whatever the size of an account, and nothing is forgotten when the writer is killed.
//!
//! Retried when a lane is idle after a scope of its account completed, for the labels that were written in the meantime;
//! and for every label when the sync ends, which is when edges between accounts can be drawn. What still lacks an end
//! then is counted. A batch that the stream no longer has makes its scope lost: its edges are unknown.

use crate::{
    admit::{Admitted, admit},
    apply::{Item, needs},
    edges::EdgeWrites,
    elements::Elements,
    nodes::Origin,
    ownership,
    schema::Schema,
    scope_store::{self, StoredScope},
    scopes::{self, ScopeState},
};
use bus::{Bus, LookupError};
use events::{AssetBatch, EdgeTable, asset_event::Event};
use graph::{GraphError, GraphStore, Transaction};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Edge rows of one transaction; a batch has about a thousand node rows, each with a few edges.
const MOST_EDGES: usize = 20_000;

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
struct Fetched {
    stored: StoredScope,
    batches: Vec<(u64, Option<Item>)>,
}

/// Retries the held edges of these scopes whose missing label passes `wanted`.
///
/// # Errors
/// When the graph or the stream is away; what was drawn until then stays.
pub async fn retry(
    bus: &Bus,
    store: &GraphStore,
    schema: &Schema,
    scopes: Vec<StoredScope>,
    wanted: impl Fn(&str) -> bool,
) -> Result<(), RetryError> {
    for stored in scopes {
        let held = stored.state.held.iter().filter(|(_, missing)| missing.labels.iter().any(|label| wanted(label)));
        let mut sequences: Vec<u64> = held.map(|(sequence, _)| *sequence).collect();
        while !sequences.is_empty() {
            let fetched = fetch(bus, &stored, &mut sequences).await?;
            draw(store, schema, &fetched).await?;
        }
    }
    Ok(())
}

/// Fetches batches until their edges fill a transaction.
async fn fetch(bus: &Bus, stored: &StoredScope, sequences: &mut Vec<u64>) -> Result<Fetched, RetryError> {
    let mut batches = Vec::new();
    let mut edges = 0;
    while edges < MOST_EDGES {
        let Some(sequence) = sequences.pop() else { break };
        let item = bus.get(bus::ASSETS, sequence).await?.and_then(|payload| read(sequence, &payload, stored));
        edges += item.as_ref().map_or(0, |item| item.rows().1);
        batches.push((sequence, item));
    }
    Ok(Fetched { stored: stored.clone(), batches })
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

async fn draw(store: &GraphStore, schema: &Schema, fetched: &Fetched) -> Result<(), GraphError> {
    let batches = || fetched.batches.iter().filter_map(|(_, item)| item.as_ref());
    schema.ensure(store, needs(batches().filter_map(Item::batch))).await?;
    let mut backoff = store.backoff();
    loop {
        match attempt(store, fetched).await {
            Ok(()) => return Ok(()),
            Err(error) => backoff.pause(error).await?,
        }
    }
}

async fn attempt(store: &GraphStore, fetched: &Fetched) -> Result<(), neo4rs::Error> {
    let mut transaction = store.begin().await?;
    let drawn = enter(&mut transaction, fetched).await;
    transaction.end(drawn).await
}

async fn enter(transaction: &mut Transaction, fetched: &Fetched) -> Result<(), neo4rs::Error> {
    let scopes = BTreeMap::from([(fetched.stored.id(), fetched.stored.scope.clone())]);
    let mut states = scope_store::lock(transaction, &scopes).await?;
    for stored in states.values_mut() {
        redraw(transaction, &mut stored.state, fetched).await?;
    }
    scope_store::save(transaction, &states).await
}

/// Draws the edges, unless a newer run has begun since the batches were fetched.
async fn redraw(transaction: &mut Transaction, state: &mut ScopeState, fetched: &Fetched) -> Result<(), neo4rs::Error> {
    if state.run != fetched.stored.state.run {
        return Ok(());
    }
    let place = fetched.stored.scope.place();
    let still: HashSet<u64> = state.held.keys().copied().collect();
    let run = state.run.clone();
    let listing = &fetched.stored.scope.listing;
    let origin = Origin { run: &run, place: &place, listing };
    let mut edges = EdgeWrites::default();
    for (sequence, item) in fetched.batches.iter().filter(|(sequence, _)| still.contains(sequence)) {
        if let Some(batch) = item.as_ref().and_then(Item::batch) {
            batch.edges.iter().for_each(|table| edges.add(table, origin, *sequence));
        } else {
            tracing::warn!(scope = scopes::id(&fetched.stored.scope), sequence, "a batch is gone from the stream");
            state.lost = true;
        }
    }
    let mut several = BTreeSet::new();
    for (sequence, missing) in edges.write(transaction, Elements::default(), &mut several).await? {
        state.hold(sequence, missing);
    }
    ownership::note(transaction, &several).await
}
