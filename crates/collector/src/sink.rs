//! Where a listing's items go: turned into rows, gathered into batches, published as asset events. Nothing holds more
//! than one batch and a few unacknowledged messages, so memory stays flat whatever the account's size.

use crate::{CollectError, Place, progress, rows::Rows, table::Node};
use bus::{Bus, Outgoing, PendingAck};
use events::{AssetBatch, AssetEvent, EdgeTable, NodeTable, Scope, Sync, asset_event::Event};
use std::collections::VecDeque;

/// A batch is published when its rows reach this size: half of NATS's default `max_payload` of 1 MiB, which leaves room
/// for the overhead of the encoding. An item that would exceed the size begins the next batch, and the edges of one that is
/// larger by itself are spread over several.
const BATCH_BYTES: usize = 512 * 1024;
/// Or to this many rows, the size that the graph writes best in one statement.
const BATCH_ROWS: u64 = 1_000;
/// Published batches whose acknowledgement has not been awaited yet.
const UNACKNOWLEDGED: usize = 4;

/// Takes the items of one listing.
pub struct Sink {
    place: Place,
    header: AssetEvent,
    rows: Rows,
    /// Limit of a batch's rows in bytes.
    most: usize,
    output: Output,
    batches: u32,
    assets: u64,
}

enum Output {
    Bus {
        bus: Box<Bus>,
        pending: VecDeque<PendingAck>,
    },
    Memory(Vec<AssetBatch>),
    /// Ends the listing with its first item.
    Nowhere {
        seen: bool,
    },
}

/// What a listing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Batches published.
    pub batches: u32,
    /// Node rows in them.
    pub assets: u64,
}

impl Totals {
    /// A listing without an item.
    pub(crate) const NOTHING: Self = Self { batches: 0, assets: 0 };
}

impl Sink {
    /// A sink that publishes to the assets stream.
    pub fn to_bus(bus: Bus, place: Place, sync: Sync, scope: Scope, attempt: u32) -> Self {
        let header = AssetEvent { sync: Some(sync), scope: Some(scope), attempt, event: None };
        Self {
            place,
            header,
            rows: Rows::default(),
            // Half of the limit of a server with a smaller one.
            most: BATCH_BYTES.min(bus.most_bytes() / 2),
            output: Output::Bus { bus: Box::new(bus), pending: VecDeque::new() },
            batches: 0,
            assets: 0,
        }
    }

    /// A sink that keeps the batches, for tests.
    pub fn to_memory(place: Place) -> Self {
        let header = AssetEvent::default();
        let output = Output::Memory(Vec::new());
        Self { place, header, rows: Rows::default(), most: BATCH_BYTES, output, batches: 0, assets: 0 }
    }

    /// A sink that keeps nothing and ends its listing at the first item, for trying whether it can be read.
    pub(crate) fn to_nowhere(place: Place) -> Self {
        Self { output: Output::Nowhere { seen: false }, ..Self::to_memory(place) }
    }

    /// Whether the listing was ended by the sink.
    pub(crate) fn has_seen_enough(&self) -> bool {
        matches!(self.output, Output::Nowhere { seen: true })
    }

    /// Whether no item has come.
    pub(crate) fn is_empty(&self) -> bool {
        self.batches == 0 && self.rows.is_empty()
    }

    /// Account and region of the listing.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Adds an item to a table.
    ///
    /// # Errors
    /// When the bus does not take a full batch.
    pub async fn emit<T>(&mut self, node: &'static Node<T>, item: &T) -> Result<(), CollectError> {
        if let Output::Nowhere { seen } = &mut self.output {
            *seen = true;
            return Err(CollectError::internal("enough was seen"));
        }
        progress::note();
        let first = self.rows.is_empty();
        self.rows.push(node, item, &self.place);
        if self.rows.bytes() > self.most && !first {
            self.rows.undo();
            self.flush().await?;
            self.rows.push(node, item, &self.place);
        }
        if self.rows.bytes() >= self.most || self.rows.assets() >= BATCH_ROWS {
            self.flush().await?;
        }
        Ok(())
    }

    /// Adds items to a table.
    ///
    /// # Errors
    /// When the bus does not take a full batch.
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

    /// Publishes what is left and waits until the bus has acknowledged every batch.
    ///
    /// # Errors
    /// When the bus does not take a batch.
    pub async fn finish(mut self) -> Result<Totals, CollectError> {
        self.flush().await?;
        if let Output::Bus { pending, .. } = &mut self.output {
            while let Some(ack) = pending.pop_front() {
                ack.wait().await.map_err(|error| lost(&error))?;
                progress::note();
            }
        }
        Ok(Totals { batches: self.batches, assets: self.assets })
    }

    /// The batches of a sink in memory.
    ///
    /// # Errors
    /// Never for such a sink.
    pub async fn into_batches(mut self) -> Result<Vec<AssetBatch>, CollectError> {
        self.flush().await?;
        match self.output {
            Output::Memory(batches) => Ok(batches),
            Output::Bus { .. } | Output::Nowhere { .. } => Ok(Vec::new()),
        }
    }

    async fn flush(&mut self) -> Result<(), CollectError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.assets += self.rows.assets();
        for (nodes, edges) in self.rows.take(self.most) {
            self.publish(nodes, edges).await?;
        }
        Ok(())
    }

    async fn publish(&mut self, nodes: Vec<NodeTable>, edges: Vec<EdgeTable>) -> Result<(), CollectError> {
        let batch = AssetBatch { index: self.batches, nodes, edges };
        self.batches += 1;
        match &mut self.output {
            Output::Memory(batches) => batches.push(batch),
            Output::Nowhere { .. } => {}
            Output::Bus { bus, pending } => {
                let event = AssetEvent { event: Some(Event::Batch(batch)), ..self.header.clone() };
                if pending.len() >= UNACKNOWLEDGED
                    && let Some(oldest) = pending.pop_front()
                {
                    oldest.wait().await.map_err(|error| lost(&error))?;
                    progress::note();
                }
                pending.push_back(bus.send(Outgoing::asset(&event)).await);
            }
        }
        Ok(())
    }
}

fn lost(error: &bus::PublishError) -> CollectError {
    CollectError::internal(format!("the assets stream did not take a batch: {}", bus::chain(error)))
}
