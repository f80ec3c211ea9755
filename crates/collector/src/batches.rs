//! Batches of one listing. Rows are gathered, and published when there are many or they have waited for long. Holds at
//! most one batch and a few unacknowledged messages, so memory stays flat whatever the account's size.

use crate::{
    CollectError, Place,
    progress::{self, Progress},
    rows::Rows,
    table::Node,
};
use bus::{Bus, Outgoing, PendingAck};
use events::{AssetBatch, AssetEvent, EdgeTable, NodeTable, asset_event::Event};
use observe::metrics;
use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::Mutex, time::Instant};

/// Size at which a batch is published: half of NATS's default `max_payload` of 1 MiB, which leaves room for the
/// overhead of the encoding. An item that would exceed the size starts the next batch. The edges of an item that is
/// larger by itself are spread over several batches.
const BATCH_BYTES: usize = 512 * 1024;
/// Number of rows at which a batch is published: the size that the graph writes best in one statement.
const BATCH_ROWS: u64 = 1_000;
/// Number of items after which a dry run ends a listing.
const ENOUGH: usize = 1_000;
/// Time after which the next item ends the listing of a dry run: with calls about each item, many items take minutes at
/// AWS's quotas.
const LONG_ENOUGH: Duration = Duration::from_secs(10);
/// Limit of published batches without acknowledgement.
const UNACKNOWLEDGED: usize = 4;

/// Rows of a listing on their way to the assets stream.
pub(crate) struct Batches {
    header: AssetEvent,
    rows: Rows,
    /// Size limit of a batch in bytes.
    most: usize,
    output: Output,
    /// Index of the next batch.
    next: u32,
    assets: u64,
    /// Time at which the last batch was published, or the listing began.
    published: Instant,
}

enum Output {
    Bus {
        bus: Box<Bus>,
        pending: VecDeque<PendingAck>,
    },
    Memory(Vec<AssetBatch>),
    /// Ends the listing once each of its tables has an item, after many items, or after some time.
    Nowhere {
        /// Number of the listing's tables.
        tables: usize,
        /// Addresses of the tables with an item.
        seen: HashSet<usize>,
        items: usize,
        /// Time of the first item.
        began: Option<Instant>,
        /// Whether it ended the listing.
        ended: bool,
    },
}

/// Result of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Number of published batches.
    pub batches: u32,
    /// Number of node rows in them.
    pub assets: u64,
}

impl Batches {
    /// Publishes to the assets stream with this header.
    pub(crate) fn to_bus(bus: Bus, header: AssetEvent) -> Self {
        // On a server with a smaller limit, half of that.
        let most = BATCH_BYTES.min(bus.most_bytes() / 2);
        Self { most, ..Self::new(header, Output::Bus { bus: Box::new(bus), pending: VecDeque::new() }) }
    }

    /// Keeps batches in memory, for tests.
    pub(crate) fn to_memory() -> Self {
        Self::new(AssetEvent::default(), Output::Memory(Vec::new()))
    }

    /// Drops all items. Ends the listing once this number of tables have an item, or it took long.
    pub(crate) fn to_nowhere(tables: usize) -> Self {
        Self::new(
            AssetEvent::default(),
            Output::Nowhere { tables, seen: HashSet::new(), items: 0, began: None, ended: false },
        )
    }

    fn new(header: AssetEvent, output: Output) -> Self {
        let rows = Rows::default();
        Self { header, rows, most: BATCH_BYTES, output, next: 0, assets: 0, published: Instant::now() }
    }

    /// Whether a sink that drops its items has ended the listing.
    pub(crate) fn have_seen_enough(&self) -> bool {
        matches!(self.output, Output::Nowhere { ended: true, .. })
    }

    /// Whether no item was added.
    pub(crate) fn have_nothing(&self) -> bool {
        self.assets == 0 && self.rows.is_empty()
    }

    /// Adds an item's rows. Publishes the batch if it is full.
    pub(crate) async fn add<T>(&mut self, node: &'static Node<T>, item: &T, place: &Place) -> Result<(), CollectError> {
        if let Output::Nowhere { tables, seen, items, began, ended } = &mut self.output {
            seen.insert(std::ptr::from_ref(node).addr());
            *items += 1;
            let is_long = *items >= ENOUGH || began.get_or_insert_with(Instant::now).elapsed() >= LONG_ENOUGH;
            *ended = is_long || seen.len() >= *tables;
            return if *ended { Err(CollectError::internal("enough was seen")) } else { Ok(()) };
        }
        progress::note();
        let first = self.rows.is_empty();
        self.rows.push(node, item, place);
        if self.rows.bytes() > self.most && !first {
            self.rows.undo();
            self.flush().await?;
            self.rows.push(node, item, place);
        }
        if self.rows.bytes() >= self.most || self.rows.assets() >= BATCH_ROWS {
            self.flush().await?;
        }
        Ok(())
    }

    /// Publishes the remaining rows and waits until the bus has acknowledged every batch.
    pub(crate) async fn finish(&mut self) -> Result<Totals, CollectError> {
        self.flush().await?;
        if let Output::Bus { pending, .. } = &mut self.output {
            while let Some(ack) = pending.pop_front() {
                ack.wait().await.map_err(|error| lost(&error))?;
                progress::note();
            }
        }
        Ok(Totals { batches: self.next, assets: self.assets })
    }

    /// Takes the batches kept in memory.
    pub(crate) fn take_kept(&mut self) -> Vec<AssetBatch> {
        match &mut self.output {
            Output::Memory(batches) => std::mem::take(batches),
            Output::Bus { .. } | Output::Nowhere { .. } => Vec::new(),
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

    /// Publishes if nothing was published for `age`: the present rows, or an empty batch if the listing has made
    /// progress. Returns whether it published.
    async fn publish_after(&mut self, age: Duration, progress: bool) -> Result<bool, CollectError> {
        if self.published.elapsed() < age || (self.rows.is_empty() && !progress) {
            return Ok(false);
        }
        if self.rows.is_empty() {
            self.publish(Vec::new(), Vec::new()).await?;
        } else {
            self.flush().await?;
        }
        Ok(true)
    }

    async fn publish(&mut self, nodes: Vec<NodeTable>, edges: Vec<EdgeTable>) -> Result<(), CollectError> {
        let assets: usize = nodes.iter().map(|table| table.rows.len()).sum();
        let batch = AssetBatch { index: self.next, nodes, edges };
        self.next += 1;
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
                let service = self.header.scope.as_ref().map_or("", |scope| &scope.service);
                metrics().events.published(service, assets.try_into().unwrap_or(u64::MAX));
            }
        }
        self.published = Instant::now();
        Ok(())
    }
}

/// Publishes a batch at least every `age` while the current listing makes progress. The scheduler counts asset events
/// as signs of progress, and a listing with a call for each row takes an hour for a batch at a low quota. Returns only
/// the error of a batch that the bus rejects.
pub(crate) async fn keep_publishing(batches: Arc<Mutex<Batches>>, age: Duration) -> CollectError {
    let listing = Progress::current();
    // Acknowledgements of these batches do not count as progress of the listing, or it would keep itself alive forever.
    let publish = async {
        let mut told = listing.last();
        loop {
            tokio::time::sleep(age / 2).await;
            let last = listing.last();
            match batches.lock().await.publish_after(age, last > told).await {
                Ok(true) => told = last,
                Ok(false) => {}
                Err(error) => return error,
            }
        }
    };
    Progress::apart().during(publish).await
}

fn lost(error: &bus::PublishError) -> CollectError {
    CollectError::internal(format!("cannot publish a batch of assets: {}", errors::chain(error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{prop, testing::place};

    static THING: Node<i64> =
        Node { id: |it, _| it.to_string(), props: &[prop("number", |it, _| (*it).into())], ..Node::of("AWSThing") };

    #[tokio::test]
    async fn old_rows_are_published_and_a_listing_without_rows_shows_its_progress() -> Result<(), CollectError> {
        let (mut batches, old, young) = (Batches::to_memory(), Duration::ZERO, Duration::from_hours(1));
        assert!(!batches.publish_after(young, true).await?, "it has just begun");
        assert!(!batches.publish_after(old, false).await?, "it may hang");
        assert!(batches.publish_after(old, true).await?);
        batches.add(&THING, &1, &place()).await?;
        assert!(!batches.publish_after(young, true).await?);
        assert!(batches.publish_after(old, false).await?);
        assert_eq!(batches.finish().await?, Totals { batches: 2, assets: 1 });
        let kept: Vec<_> = batches.take_kept().iter().map(|batch| (batch.index, batch.nodes.len())).collect();
        assert_eq!(kept, [(0, 0), (1, 1)]);
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn a_dry_run_ends_once_it_has_seen_all_or_took_long() -> Result<(), CollectError> {
        let mut batches = Batches::to_nowhere(2);
        batches.add(&THING, &1, &place()).await?;
        assert!(!batches.have_seen_enough(), "one of two tables");
        tokio::time::advance(LONG_ENOUGH).await;
        batches.add(&THING, &2, &place()).await.expect_err("it took long");
        assert!(batches.have_seen_enough());
        let mut batches = Batches::to_nowhere(1);
        batches.add(&THING, &1, &place()).await.expect_err("each table");
        Ok(())
    }

    #[tokio::test]
    async fn batches_without_rows_are_published_beside_a_listing() {
        let batches = Arc::new(Mutex::new(Batches::to_memory()));
        let answers = async {
            while batches.lock().await.next < 2 {
                tokio::time::sleep(Duration::from_millis(5)).await;
                progress::note();
            }
        };
        let listing = async {
            tokio::select! {
                error = keep_publishing(batches.clone(), Duration::from_millis(20)) => panic!("{error}"),
                () = answers => {}
            }
        };
        Progress::begin().during(listing).await;
        assert!(batches.lock().await.have_nothing());
    }
}
