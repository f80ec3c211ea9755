//! Creates held edges in the current transaction.

use crate::{
    edges::{self, EdgeWrites},
    elements::Elements,
    nodes::Origin,
    scope_store::StoredScope,
    sightings::Sightings,
};
use events::AssetBatch;
use graph::Transaction;

/// Creates the edges of a scope's batches. Returns, for each batch, those that still lack an end.
pub(crate) async fn draw_rows(
    transaction: &mut Transaction,
    stored: &StoredScope,
    batches: &[(u64, &AssetBatch)],
) -> Result<edges::Held, neo4rs::Error> {
    let place = stored.scope.place();
    // Most of them are new, so they are merged without a match.
    let origin = Origin { run: &stored.state.run, place: &place, listing: &stored.scope.listing, is_first: true };
    let mut writes = EdgeWrites::default();
    for (sequence, batch) in batches {
        batch.edges.iter().for_each(|table| writes.add(table, origin, *sequence));
    }
    let mut sightings = Sightings::default();
    let held = writes.write(transaction, Elements::default(), &mut sightings).await?;
    sightings.write(transaction).await?;
    Ok(held)
}
