//! Edges whose target (or source) is not yet in the graph. They are held by reference: the scope's state records the
//! batch's sequence and the missing labels, and the batch is fetched again when such nodes have arrived. So held edges
//! need no memory, whatever the size of an account, and survive a killed writer.
//!
//! They are retried when a lane is idle after a scope of its account completed, for the labels written meanwhile; and
//! at the end of the sync, when edges between accounts can be created. Edges that still lack an end are then counted.
//! If the stream no longer has the batch at the end, its edges are unknown and the scope is lost. Exception: if the
//! batch lacks only labels that no listing feeds, no survey can bring the nodes, and the scope is not lost.
//!
//! A row that Neo4j rejects costs only itself, as when it first arrives: `pieces::held` finds it, and it is counted in
//! its scope and parked.

use crate::{
    admit::{Admitted, admit},
    apply::{Item, needs},
    flaws::{edge_header, mark},
    held_edges::draw_rows,
    missing::{HeldBatch, Missing},
    park::park,
    pieces::held::Held,
    schema::Schema,
    scope_store::{self, StoredScope},
    scopes::ScopeState,
};
use bus::{Bus, LookupError, PublishError};
use events::{AssetBatch, EdgeRow, EdgeTable, asset_event::Event};
use graph::{GraphError, GraphStore, Portion, Transaction, is_too_large};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Edge rows of one transaction; a batch has about a thousand node rows, each with a few edges.
static EDGES: Portion = Portion::new(20_000);

/// Held edges could not be retried.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// The graph.
    #[error("cannot create held edges")]
    Graph(#[from] GraphError),
    /// The stream.
    #[error("cannot fetch a batch again")]
    Stream(#[from] LookupError),
    /// The stream of parked messages.
    #[error("cannot park edges")]
    Park(#[from] PublishError),
}

/// Held batches of one scope, fetched again.
struct Fetched<'a> {
    stored: &'a StoredScope,
    batches: Vec<Item>,
    /// Batches that the stream no longer has where they were.
    gone: Vec<HeldBatch>,
}

/// Result of creating the edges of some batches.
enum Drawn {
    /// Their edges are created if both ends exist.
    All,
    /// They are too large for one transaction.
    TooLarge,
    /// They must be created in pieces.
    No,
}

/// Missing labels whose edges are retried.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    /// Labels whose nodes may have arrived.
    pub awaited: HashSet<String>,
    /// Whether a batch of these labels that the stream no longer has makes its scope lost. Only at a sync's end, when
    /// the stream is consumed: a recording that is played again may bring the batch with another sequence.
    pub is_last: bool,
    /// Retry all other labels too, although no listing is known to feed them. A missing batch of theirs does no harm.
    pub all: bool,
}

impl Labels {
    fn await_any(&self, missing: &Missing) -> bool {
        missing.labels.iter().any(|label| self.awaited.contains(label))
    }
}

/// Retries the held edges of these scopes that lack one of the labels. Returns the number of batches to try again: those
/// that the stream no longer has and whose edges may still find both ends. At a sync's end, their scopes are lost, and
/// only batches that have come again meanwhile are left to try.
///
/// # Errors
/// The graph or the stream is unavailable. Edges created before stay.
pub async fn retry(
    bus: &Bus,
    store: &GraphStore,
    schema: &Schema,
    scopes: Vec<StoredScope>,
    labels: &Labels,
) -> Result<usize, RetryError> {
    let mut gone = 0;
    for stored in &scopes {
        let held = stored.state.held.iter().filter(|(_, missing)| labels.all || labels.await_any(missing));
        let mut names: Vec<HeldBatch> = held.map(|(name, _)| *name).collect();
        while !names.is_empty() {
            let fetched = fetch(bus, stored, &mut names).await?;
            gone += if labels.is_last {
                lose(store, &fetched, labels).await?
            } else {
                fetched.gone.iter().filter(|name| is_awaited(stored, name, labels)).count()
            };
            draw(bus, store, schema, &fetched).await?;
        }
    }
    Ok(gone)
}

/// Whether a held batch has edges that lack an awaited label.
fn is_awaited(stored: &StoredScope, name: &HeldBatch, labels: &Labels) -> bool {
    let held = stored.state.held.get(name);
    held.is_some_and(|missing| missing.rows > 0 && labels.await_any(missing))
}

/// Fetches batches until their edges fill a transaction.
async fn fetch<'a>(bus: &Bus, stored: &'a StoredScope, names: &mut Vec<HeldBatch>) -> Result<Fetched<'a>, RetryError> {
    let mut fetched = Fetched { stored, batches: Vec::new(), gone: Vec::new() };
    let (mut edges, most) = (0, EDGES.size());
    while edges < most {
        let Some(name) = names.pop() else { break };
        let Some(missing) = stored.state.held.get(&name) else { continue };
        let payload = bus.get(bus::ASSETS, missing.sequence).await?;
        match payload.and_then(|payload| read((name, missing), &payload, stored)) {
            Some(item) => {
                edges += item.rows().1;
                fetched.batches.push(item);
            }
            None => fetched.gone.push(name),
        }
    }
    Ok(fetched)
}

/// Returns the batch, reduced to the tables that lacked an end. `None` if the stream holds something else in its place.
fn read((name, missing): (HeldBatch, &Missing), payload: &[u8], stored: &StoredScope) -> Option<Item> {
    let Admitted { sync, scope, attempt, event, .. } = admit(payload).ok()?;
    let Event::Batch(batch) = event else { return None };
    let Missing { sequence, labels, refused, .. } = missing;
    let lacking = |table: &EdgeTable| labels.contains(&table.target_label) || labels.contains(&table.source_label);
    let edges = batch.edges.into_iter().filter(lacking).map(|table| without(table, refused)).collect();
    let event = Event::Batch(AssetBatch { index: batch.index, nodes: Vec::new(), edges });
    let item = Item { sequence: *sequence, event: Admitted::new(sync, scope, attempt, event) };
    let is_the_one = match name {
        HeldBatch::Index(index) => index == batch.index,
        HeldBatch::Sequence(_) => true,
    };
    (is_the_one && item.event.scope == stored.scope && item.run() == stored.state.run).then_some(item)
}

/// Returns the table without the rows that Neo4j has rejected.
fn without(mut table: EdgeTable, refused: &BTreeSet<u64>) -> EdgeTable {
    if !refused.is_empty() {
        let header = edge_header(&table);
        let alone = |row: &EdgeRow| EdgeTable { rows: vec![row.clone()], ..header.clone() };
        table.rows.retain(|row| !refused.contains(&mark(&alone(row))));
    }
    table
}

/// Creates the fetched edges, in smaller transactions if Neo4j rejects the size.
async fn draw(bus: &Bus, store: &GraphStore, schema: &Schema, fetched: &Fetched<'_>) -> Result<(), RetryError> {
    schema.ensure(store, needs(fetched.batches.iter().filter_map(Item::batch))).await?;
    let mut rest = &fetched.batches[..];
    while !rest.is_empty() {
        let (now, edges) = first(rest, EDGES.size());
        match together(store, fetched.stored, &rest[..now], edges).await? {
            Drawn::All => rest = &rest[now..],
            Drawn::TooLarge => {}
            Drawn::No => {
                for item in &rest[..now] {
                    by_row(bus, store, fetched.stored, item).await?;
                }
                EDGES.passed(EDGES.size());
                rest = &rest[now..];
            }
        }
    }
    Ok(())
}

/// Returns the number of leading batches with at most `most` edges together, at least one; and the number of their
/// edges.
fn first(batches: &[Item], most: usize) -> (usize, usize) {
    let mut sizes = batches.iter().map(|item| item.rows().1);
    let (mut count, mut edges) = (1, sizes.next().unwrap_or(0));
    for size in sizes {
        if edges + size > most {
            break;
        }
        (count, edges) = (count + 1, edges + size);
    }
    (count, edges)
}

/// Creates the edges of batches with this number of edges in one transaction.
async fn together(
    store: &GraphStore,
    stored: &StoredScope,
    batches: &[Item],
    edges: usize,
) -> Result<Drawn, GraphError> {
    if edges > EDGES.size() {
        return Ok(Drawn::No);
    }
    let mut backoff = store.backoff();
    loop {
        let error = match attempt(store, stored, batches).await {
            Ok(()) => {
                EDGES.passed(edges);
                return Ok(Drawn::All);
            }
            Err(error) => error,
        };
        if is_too_large(&error) {
            tracing::info!(%error, edges, "a transaction of held edges is too large for Neo4j; splitting it");
            return Ok(if EDGES.halve(edges) && batches.len() > 1 { Drawn::TooLarge } else { Drawn::No });
        }
        match backoff.pause(error).await {
            Ok(()) => {}
            Err(GraphError::Rejected(error)) => {
                tracing::info!(%error, "looking for the held edges that Neo4j rejects");
                return Ok(Drawn::No);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Creates a batch's edges in pieces. Parks the rows that Neo4j rejects before counting them: after a crash in between,
/// they are parked again under the same ids.
async fn by_row(bus: &Bus, store: &GraphStore, stored: &StoredScope, item: &Item) -> Result<(), RetryError> {
    let held = Held { store, stored, item };
    let Some(pieces) = held.draw().await? else { return Ok(()) };
    park(bus, item.sequence, &pieces.refused).await?;
    Ok(held.conclude(&pieces).await?)
}

async fn attempt(store: &GraphStore, stored: &StoredScope, batches: &[Item]) -> Result<(), neo4rs::Error> {
    let mut transaction = store.begin().await?;
    let drawn = enter(&mut transaction, stored, batches).await;
    transaction.end(drawn).await
}

async fn enter(transaction: &mut Transaction, stored: &StoredScope, batches: &[Item]) -> Result<(), neo4rs::Error> {
    let mut states = scope_store::lock(transaction, &BTreeMap::from([(stored.id(), stored.scope.clone())])).await?;
    for now in states.values_mut() {
        redraw(transaction, &mut now.state, stored, batches).await?;
    }
    scope_store::save(transaction, &states).await
}

/// Creates the edges, unless a newer run has begun since the batches were fetched.
async fn redraw(
    transaction: &mut Transaction,
    state: &mut ScopeState,
    stored: &StoredScope,
    batches: &[Item],
) -> Result<(), neo4rs::Error> {
    if state.run != stored.state.run {
        return Ok(());
    }
    let held: Vec<_> = batches.iter().filter(|item| item.held_in(state).is_some()).collect();
    let rows: Vec<_> = held.iter().filter_map(|item| Some((item.sequence, item.batch()?))).collect();
    let missing = draw_rows(transaction, stored, &rows).await?;
    for item in held {
        if let (Some(name), Some(missing)) = (item.held_in(state), missing.get(&item.sequence)) {
            state.retried(name, missing.clone());
        }
    }
    Ok(())
}

/// Records that the scope has lost edges, if batches with awaited labels have left the stream. Returns the number of
/// batches that have come again since they were sought.
async fn lose(store: &GraphStore, fetched: &Fetched<'_>, labels: &Labels) -> Result<usize, GraphError> {
    if fetched.gone.is_empty() {
        return Ok(0);
    }
    let mut backoff = store.backoff();
    loop {
        match attempt_to_lose(store, fetched, labels).await {
            Ok(moved) => return Ok(moved),
            Err(error) => backoff.pause(error).await?,
        }
    }
}

async fn attempt_to_lose(store: &GraphStore, fetched: &Fetched<'_>, labels: &Labels) -> Result<usize, neo4rs::Error> {
    let mut transaction = store.begin().await?;
    let noted = enter_lost(&mut transaction, fetched, labels).await;
    transaction.end(noted).await
}

async fn enter_lost(
    transaction: &mut Transaction,
    fetched: &Fetched<'_>,
    labels: &Labels,
) -> Result<usize, neo4rs::Error> {
    let Fetched { stored, gone, .. } = fetched;
    let mut moved = 0;
    let mut states = scope_store::lock(transaction, &BTreeMap::from([(stored.id(), stored.scope.clone())])).await?;
    for now in states.values_mut().filter(|now| now.state.run == stored.state.run) {
        for name in gone.iter().filter(|name| is_awaited(now, name, labels)).collect::<Vec<_>>() {
            let sequence = |state: &ScopeState| state.held.get(name).map(|missing| missing.sequence);
            if sequence(&now.state) == sequence(&stored.state) {
                let (scope, sequence) = (stored.id(), sequence(&now.state));
                tracing::warn!(scope, sequence, "a batch is gone from the stream");
                now.state.lost = true;
            } else {
                moved += 1;
            }
        }
    }
    scope_store::save(transaction, &states).await?;
    Ok(moved)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flaws::Flaws;
    use events::{Direction, EdgeRow, Scope, SyncId};

    fn batch(sequence: u64, edges: usize) -> Item {
        let row = EdgeRow { source_id: "a".into(), target_value: "b".into(), values: Vec::new() };
        let table = EdgeTable { direction: Direction::Out.into(), rows: vec![row; edges], ..EdgeTable::default() };
        let event = Event::Batch(AssetBatch { edges: vec![table], ..AssetBatch::default() });
        let event =
            Admitted { sync: SyncId::default(), scope: Scope::default(), attempt: 1, event, flaws: Flaws::default() };
        Item { sequence, event }
    }

    #[test]
    fn a_transaction_takes_the_batches_that_fit_and_one_at_least() {
        let batches = [batch(1, 40), batch(2, 0), batch(3, 40), batch(4, 40)];
        assert_eq!(first(&batches, 100), (3, 80));
        assert_eq!(first(&batches, 40), (2, 40));
        assert_eq!(first(&batches, 10), (1, 40));
        assert_eq!(first(&batches[3..], 100), (1, 40));
    }

    #[test]
    fn rows_that_were_rejected_are_left_out() {
        let row = |id: &str| EdgeRow { source_id: id.into(), target_value: "x".into(), values: Vec::new() };
        let table = |ids: &[&str]| EdgeTable { rows: ids.iter().copied().map(row).collect(), ..EdgeTable::default() };
        let refused = BTreeSet::from([mark(&table(&["b"]))]);
        assert_eq!(without(table(&["a", "b", "c"]), &refused), table(&["a", "c"]));
    }
}
