//! Sink of a listing's items: turns them into rows, gathers batches, and publishes asset events.

pub use crate::batches::Totals;
use crate::{
    CollectError, Place,
    batches::{Batches, keep_publishing},
    table::Node,
};
use bus::Bus;
use events::{AssetBatch, AssetEvent, Scope, SyncId};
use std::{sync::Arc, time::Duration};
use tokio::sync::Mutex;

/// Receives the items of one listing.
pub struct Sink {
    place: Place,
    /// Shared with the future that publishes rows that wait too long.
    batches: Arc<Mutex<Batches>>,
}

impl Sink {
    /// Creates a sink that publishes to the assets stream.
    pub fn to_bus(bus: Bus, place: Place, sync: SyncId, scope: Scope, attempt: u32) -> Self {
        let header = AssetEvent { sync: Some(sync), scope: Some(scope), attempt, event: None };
        Self::new(place, Batches::to_bus(bus, header))
    }

    /// Creates a sink that keeps the batches, for tests.
    pub fn to_memory(place: Place) -> Self {
        Self::new(place, Batches::to_memory())
    }

    /// Creates a sink that drops all items, for dry runs. It ends the listing once this number of tables have an item,
    /// because items of the last table often need their own calls.
    pub(crate) fn to_nowhere(place: Place, tables: usize) -> Self {
        Self::new(place, Batches::to_nowhere(tables))
    }

    fn new(place: Place, batches: Batches) -> Self {
        Self { place, batches: Arc::new(Mutex::new(batches)) }
    }

    /// Whether the sink ended the listing.
    pub(crate) async fn has_seen_enough(&self) -> bool {
        self.batches.lock().await.have_seen_enough()
    }

    /// Whether no item was added.
    pub(crate) async fn is_empty(&self) -> bool {
        self.batches.lock().await.have_nothing()
    }

    /// Publishes rows that have waited for `age`, and signs of progress. Runs beside the listing, as a part of its
    /// progress. Returns only the error of a batch that the bus rejects.
    pub(crate) fn keep_publishing(&self, age: Duration) -> impl Future<Output = CollectError> + use<> {
        keep_publishing(self.batches.clone(), age)
    }

    /// Account and region of the listing.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Adds an item to a table.
    ///
    /// # Errors
    /// Fails if the bus rejects a full batch.
    pub async fn emit<T>(&mut self, node: &'static Node<T>, item: &T) -> Result<(), CollectError> {
        self.batches.lock().await.add(node, item, &self.place).await
    }

    /// Adds items to a table.
    ///
    /// # Errors
    /// Fails if the bus rejects a full batch.
    pub async fn emit_all<'a, T: 'a>(
        &mut self,
        node: &'static Node<T>,
        items: impl IntoIterator<Item = &'a T>,
    ) -> Result<(), CollectError> {
        for item in items {
            self.emit(node, item).await?;
        }
        Ok(())
    }

    /// Publishes the remaining rows and waits until the bus has acknowledged every batch.
    ///
    /// # Errors
    /// Fails if the bus rejects a batch.
    pub async fn finish(self) -> Result<Totals, CollectError> {
        self.batches.lock().await.finish().await
    }

    /// Returns the batches of a sink in memory.
    ///
    /// # Errors
    /// Never fails for such a sink.
    pub async fn into_batches(self) -> Result<Vec<AssetBatch>, CollectError> {
        let mut batches = self.batches.lock().await;
        batches.finish().await?;
        Ok(batches.take_kept())
    }
}
