//! One transaction: applies events of one account to rows and scope states, together or not at all.
//!
//! The scopes' states are locked and stepped first. Then the rows of the batches that the states call for are written:
//! nodes before edges, and last the nodes that other places see too. The states are saved at the end. Requests are few
//! and large, because each round trip costs time and medium-sized requests stall.

use crate::{
    admit::Admitted,
    edges::{EdgeWrites, Held},
    feeds,
    missing::{HeldBatch, Missing},
    nodes::{NodeWrites, Origin, Written},
    run::Run,
    schema::{self, Need, Schema},
    scope_store::{self, StoredScope},
    scopes::{self, ScopeState, Verdict},
    sightings::Sightings,
};
use events::{AssetBatch, Scope, ScopeFinished, asset_event::Event};
use graph::{GraphError, GraphStore, Transaction, is_too_large};
use observe::metrics;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::Duration,
};

/// An admitted event and its place in the stream.
#[derive(Debug, Clone)]
pub struct Item {
    /// Sequence in the assets stream.
    pub sequence: u64,
    /// The event.
    pub event: Admitted,
}

/// Result of a transaction.
#[derive(Debug, Default)]
pub struct Applied {
    /// Whether it completed a scope, or the scope was complete already.
    pub completed: bool,
    /// Labels of the written nodes.
    pub labels: HashSet<String>,
}

impl Item {
    pub(crate) fn run(&self) -> Run {
        Run::of(&self.event.sync, self.event.attempt)
    }

    pub(crate) fn batch(&self) -> Option<&AssetBatch> {
        match &self.event.event {
            Event::Batch(batch) => Some(batch),
            _ => None,
        }
    }

    /// Records the edges of this new batch that lack an end.
    pub(crate) fn hold(&self, state: &mut ScopeState, missing: &Missing) {
        if let Some(batch) = self.batch() {
            state.hold(batch.index, self.sequence, missing.clone());
        }
    }

    /// Returns the name under which a state holds this batch. `None`: it does not.
    pub(crate) fn held_in(&self, state: &ScopeState) -> Option<HeldBatch> {
        state.held_as(self.batch()?.index, self.sequence)
    }

    fn finished(&self) -> Option<&ScopeFinished> {
        match &self.event.event {
            Event::Finished(finished) => Some(finished),
            _ => None,
        }
    }

    /// Returns the numbers of node rows and edge rows.
    pub(crate) fn rows(&self) -> (usize, usize) {
        self.batch().map_or((0, 0), |batch| {
            let nodes = batch.nodes.iter().map(|table| table.rows.len()).sum();
            (nodes, batch.edges.iter().map(|table| table.rows.len()).sum())
        })
    }
}

/// Applies events in one transaction.
///
/// # Errors
/// The graph is unavailable, or rejects a row. Nothing is applied then.
pub async fn apply(store: &GraphStore, schema: &Schema, items: &[Item]) -> Result<Applied, GraphError> {
    let ambiguous = schema.ensure(store, needs(items.iter().filter_map(Item::batch))).await?;
    let scopes = scopes(items);
    let mut backoff = store.backoff();
    loop {
        match attempt(store, &scopes, items, &ambiguous).await {
            // Smaller transactions may succeed immediately.
            Err(error) if is_too_large(&error) => return Err(GraphError::TooLarge(error)),
            Ok(Some(applied)) => return Ok(applied),
            Ok(None) => removed_meanwhile().await,
            Err(error) => backoff.pause(error).await?,
        }
    }
}

/// Pause before a transaction is repeated because another removed a node of it.
const REMOVED: Duration = Duration::from_millis(50);

/// Logs and waits before such a repeat.
pub(crate) async fn removed_meanwhile() {
    tracing::debug!("a node was removed meanwhile; repeating a transaction");
    tokio::time::sleep(REMOVED).await;
}

/// Returns the events' scopes by id.
pub(crate) fn scopes(items: &[Item]) -> BTreeMap<String, Scope> {
    items.iter().map(|item| (scopes::id(&item.event.scope), item.event.scope.clone())).collect()
}

/// Runs the transaction once. `None`: it must be repeated.
async fn attempt(
    store: &GraphStore,
    scopes: &BTreeMap<String, Scope>,
    items: &[Item],
    ambiguous: &BTreeSet<String>,
) -> Result<Option<Applied>, neo4rs::Error> {
    let mut transaction = store.begin().await?;
    let applied = enter(&mut transaction, scopes, items, ambiguous).await;
    if let Ok(None) = applied {
        transaction.undo().await;
        return Ok(None);
    }
    let applied = transaction.end(applied).await?;
    Ok(applied.map(|(applied, held)| {
        metrics().events.held(held);
        applied
    }))
}

/// Returns the constraints and indexes that the statements for these batches rely on.
pub(crate) fn needs<'a>(batches: impl Iterator<Item = &'a AssetBatch>) -> HashSet<Need> {
    let of = |batch: &'a AssetBatch| {
        batch.nodes.iter().flat_map(Need::of_nodes).chain(batch.edges.iter().flat_map(Need::of_edges))
    };
    batches.flat_map(of).collect()
}

/// Runs a transaction up to its commit. Returns also the number of batches with held edges. `None`: it must be repeated.
/// `ambiguous` labels are those of [`Schema::ensure`].
async fn enter(
    transaction: &mut Transaction,
    scopes: &BTreeMap<String, Scope>,
    items: &[Item],
    ambiguous: &BTreeSet<String>,
) -> Result<Option<(Applied, usize)>, neo4rs::Error> {
    let mut states = scope_store::lock(transaction, scopes).await?;
    let wanted = step(&mut states, items);
    let Some(held) = write(transaction, &wanted, ambiguous).await? else { return Ok(None) };
    for Wanted { item, .. } in &wanted {
        if let (Some(stored), Some(missing)) =
            (states.get_mut(&scopes::id(&item.event.scope)), held.get(&item.sequence))
        {
            item.hold(&mut stored.state, missing);
        }
    }
    feeds::note(transaction, items.iter().filter_map(Item::finished)).await?;
    scope_store::save(transaction, &states).await?;
    let applied = Applied {
        completed: states.values().any(|stored| stored.state.is_applied()),
        labels: wanted.iter().filter_map(|wanted| wanted.item.batch()).flat_map(labels).collect(),
    };
    Ok(Some((applied, held.len())))
}

/// A batch whose rows must be written.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) item: &'a Item,
    /// Whether no earlier sync has surveyed its scope.
    pub(crate) is_first: bool,
}

/// Steps every state through its events. Returns the batches whose rows the final states count.
pub(crate) fn step<'a>(states: &mut BTreeMap<String, StoredScope>, items: &'a [Item]) -> Vec<Wanted<'a>> {
    let mut wanted = Vec::new();
    for item in items {
        if let Some(stored) = states.get_mut(&scopes::id(&item.event.scope)) {
            let (state, verdict) = std::mem::take(&mut stored.state).step(&item.run(), &item.event.event);
            stored.state = state;
            match (verdict, item.batch()) {
                (Verdict::Apply, _) => {
                    stored.state.note(&item.event.flaws);
                    wanted.push(item);
                }
                (Verdict::Ignored, Some(batch)) if stored.state.run == item.run() => {
                    stored.state.repeated(batch.index, item.sequence);
                }
                _ => {}
            }
        }
    }
    let counted = |item: &'a Item| {
        let state = &states.get(&scopes::id(&item.event.scope))?.state;
        (state.run == item.run()).then(|| Wanted { item, is_first: state.is_first() })
    };
    wanted.into_iter().filter_map(counted).collect()
}

/// Writes nodes, edges, and last the nodes that others see too. `None`: one of those was removed meanwhile.
pub(crate) async fn write(
    transaction: &mut Transaction,
    wanted: &[Wanted<'_>],
    ambiguous: &BTreeSet<String>,
) -> Result<Option<Held>, neo4rs::Error> {
    let tables = wanted.iter().filter_map(|wanted| wanted.item.batch()).flat_map(|batch| &batch.nodes);
    let labels: BTreeSet<&str> = tables.map(|table| table.label.as_str()).collect();
    schema::lock(transaction, labels.into_iter().filter(|label| ambiguous.contains(*label))).await?;
    let mut nodes = NodeWrites::default();
    let mut edges = EdgeWrites::default();
    let runs: Vec<_> = wanted.iter().map(|wanted| (wanted.item.run(), wanted.item.event.scope.place())).collect();
    for (Wanted { item, is_first }, (run, place)) in wanted.iter().zip(&runs) {
        let origin = Origin { run, place, listing: &item.event.scope.listing, is_first: *is_first };
        let batch = item.batch();
        batch.iter().flat_map(|batch| &batch.nodes).for_each(|table| nodes.add(table, origin));
        batch.iter().flat_map(|batch| &batch.edges).for_each(|table| edges.add(table, origin, item.sequence));
    }
    let mut sightings = Sightings::default();
    let Written { elements, common } = nodes.write(transaction, &mut sightings).await?;
    let held = edges.write(transaction, elements, &mut sightings).await?;
    if !nodes.write_common(transaction, common, &mut sightings).await? {
        return Ok(None);
    }
    sightings.write(transaction).await?;
    Ok(Some(held))
}

pub(crate) fn labels(batch: &AssetBatch) -> impl Iterator<Item = String> + '_ {
    batch.nodes.iter().flat_map(|table| std::iter::once(&table.label).chain(&table.extra_labels).cloned())
}
