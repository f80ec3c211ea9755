//! The process: two durable consumers (asset events, and syncs whose collection has ended), a worker for each connection,
//! and an end that leaves no transaction open.
//!
//! A message is acknowledged when the transaction that holds its rows has committed. One that cannot be admitted is parked
//! with the reason; when Neo4j rejects a transaction its messages are applied one by one, and only the guilty one is
//! parked. When Neo4j is away the messages come again later.

use crate::{
    admit::{Admitted, admit_on},
    apply::{Applied, Item, apply},
    held,
    in_flight::{InFlight, Shares},
    lane::{Job, Lanes},
    newest,
    prepare::Expected,
    schema::{Need, Schema},
    scope_store,
    sync_end::{SyncEnd, SyncEndError},
};
use bus::{Bus, ConsumeError, Consumer, Delivery, Outcome, Subscription};
use events::{Message, Sync, SyncEvent};
use graph::{GraphConfig, GraphError, GraphStore};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// When Neo4j is away, messages come again after this long.
const AWAY: Duration = Duration::from_secs(5);
/// When NATS is away, the next pull is tried after this long.
const PULL_PAUSE: Duration = Duration::from_millis(500);
/// Messages held at once.
const IN_FLIGHT: usize = 512;
/// Bytes that they may have together: decoded, and as rows for Neo4j, they take several times as much.
const BYTES_IN_FLIGHT: usize = 2 * 1024 * 1024;
/// Syncs that are closed at once.
const SYNCS_AT_ONCE: usize = 8;

/// How a writer works.
#[derive(Debug, Clone)]
pub struct Options {
    /// Transactions at once, each of another account.
    pub lanes: usize,
    /// Messages held at once, if they are small.
    pub in_flight: usize,
    /// What a writer that died had in hand is delivered to another after this long.
    pub ack_wait: Duration,
    /// How long the assets stream must have been used up before scopes whose batches are missing are called lost.
    pub patience: Duration,
    /// Whether a sync's end computes what follows from the whole graph. Not for a part of a sync: what follows from a
    /// mixture of two would carry the tag of the newer, and the whole of that sync would not find it old.
    pub analyse: bool,
    /// Name of the durable consumers; writers of the same name share the work.
    pub durable: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lanes: 2,
            in_flight: IN_FLIGHT,
            ack_wait: bus::ACK_WAIT,
            patience: Duration::from_secs(2),
            analyse: true,
            durable: bus::GRAPH_WRITER.to_owned(),
        }
    }
}

impl From<&GraphConfig> for Options {
    fn from(config: &GraphConfig) -> Self {
        Self { lanes: config.connections, ..Self::default() }
    }
}

/// The writer could not begin.
#[derive(Debug, thiserror::Error)]
pub enum WriterError {
    /// The bus.
    #[error("cannot read the streams")]
    Consume(#[from] ConsumeError),
    /// The graph.
    #[error("cannot prepare the graph")]
    Graph(#[from] GraphError),
}

/// Writes asset events into the graph.
pub struct Writer {
    bus: Bus,
    store: GraphStore,
    options: Options,
    expected: HashSet<Need>,
}

/// What all tasks of a writer share.
struct Shared {
    bus: Bus,
    store: GraphStore,
    schema: Schema,
    lanes: Lanes,
    in_flight: InFlight,
}

impl Writer {
    /// A writer; nothing happens until [`Writer::run`].
    pub fn new(bus: Bus, store: GraphStore, options: Options) -> Self {
        Self { bus, store, options, expected: HashSet::new() }
    }

    /// Makes the indexes of what is likely to come before it does: each later change of the schema throws away every plan
    /// that the database has made.
    #[must_use]
    pub fn expecting(self, expected: &[Expected]) -> Self {
        Self { expected: expected.iter().flat_map(Expected::needs).collect(), ..self }
    }

    /// Writes until `shutdown`, then finishes the transactions that are open and hands everything else back.
    ///
    /// # Errors
    /// When a consumer or the bookkeeping's schema cannot be set up; later errors are waited out.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), WriterError> {
        let Self { bus, store, options, expected } = self;
        let schema = Schema::default();
        schema.ensure(&store, expected.into_iter().chain(Need::of_analysis())).await?;
        let assets =
            Feed::new(&bus, Subscription::assets(&options.durable, options.ack_wait), options.in_flight).await?;
        let syncs = Feed::new(&bus, Subscription::collected(&options.durable, options.ack_wait), SYNCS_AT_ONCE).await?;
        let shared = Arc::new(Shared {
            bus: bus.clone(),
            store: store.clone(),
            schema: schema.clone(),
            lanes: Lanes::default(),
            in_flight: assets.in_flight.clone(),
        });
        let mut workers = JoinSet::new();
        for _ in 0..options.lanes.max(1) {
            workers.spawn(work(shared.clone()));
        }
        let end = SyncEnd { bus: bus.clone(), store: store.clone(), schema, options, shutdown: shutdown.clone() };
        let lanes = |sequence, event| shared.lanes.push(Item { sequence, event });
        tokio::select! {
            _ = async {
                tokio::join!(
                    assets.pull(&shutdown, read_asset, lanes),
                    close_syncs(&syncs, end, &shutdown),
                    newest::serve(&bus, &store, &shutdown),
                )
            } => {}
            Some(Err(broken)) = workers.join_next() => std::panic::resume_unwind(broken.into_panic()),
        }
        shared.lanes.close();
        while workers.join_next().await.is_some() {}
        assets.in_flight.hand_back().await;
        syncs.in_flight.hand_back().await;
        Ok(())
    }
}

/// A durable consumer of which only so much is in flight at a time.
struct Feed {
    consumer: Consumer,
    ack_wait: Duration,
    shares: Shares,
    in_flight: InFlight,
}

impl Feed {
    async fn new(bus: &Bus, subscription: Subscription, most: usize) -> Result<Self, ConsumeError> {
        let ack_wait = subscription.ack_wait;
        let consumer = bus.consume(subscription).await?;
        let shares = Shares::new(most, BYTES_IN_FLIGHT);
        Ok(Self { consumer, ack_wait, shares, in_flight: InFlight::default() })
    }

    /// Pulls as much as may be in flight and gives it away, until `shutdown`; what `read` refuses is parked.
    async fn pull<T>(
        &self,
        shutdown: &CancellationToken,
        read: fn(&Delivery) -> Result<T, String>,
        mut give: impl FnMut(u64, T),
    ) {
        let pulling = async {
            loop {
                match self.next().await {
                    Ok(deliveries) => self.receive(deliveries, read, &mut give).await,
                    Err(error) => {
                        tracing::warn!(error = bus::chain(&error), "cannot pull from the stream; trying again");
                        tokio::time::sleep(PULL_PAUSE).await;
                    }
                }
            }
        };
        // What a pull that is cut off has already fetched is delivered again after the ack wait.
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = pulling => {}
            () = self.in_flight.keep_alive(self.ack_wait) => {}
        }
    }

    /// As many deliveries as there is room for, once there is some.
    async fn next(&self) -> Result<Vec<Delivery>, ConsumeError> {
        let room = self.shares.room().await;
        self.consumer.next(room).await
    }

    async fn receive<T>(
        &self,
        deliveries: Vec<Delivery>,
        read: fn(&Delivery) -> Result<T, String>,
        give: &mut impl FnMut(u64, T),
    ) {
        for delivery in deliveries {
            let share = self.shares.take(delivery.payload().len());
            let sequence = delivery.sequence();
            let message = read(&delivery);
            // In charge of it first: it may be settled as soon as it is given away.
            self.in_flight.add(delivery, share).await;
            match message {
                Ok(message) => give(sequence, message),
                Err(reason) => self.in_flight.settle(sequence, Outcome::Park(reason)).await,
            }
        }
    }
}

fn read_asset(delivery: &Delivery) -> Result<Admitted, String> {
    admit_on(delivery.subject(), delivery.payload())
}

fn read_sync(delivery: &Delivery) -> Result<Sync, String> {
    let event = SyncEvent::decode(delivery.payload().clone()).map_err(|error| format!("not a sync event: {error}"))?;
    event.sync.filter(|sync| !sync.id.is_empty() && sync.update_tag > 0).ok_or_else(|| "no sync".to_owned())
}

/// A worker: serves one lane after the other until they are closed.
async fn work(shared: Arc<Shared>) {
    while let Some(job) = shared.lanes.next().await {
        match job {
            Job::Apply { account, items } => {
                let applied = shared.apply(items).await;
                shared.lanes.done(&account, applied);
            }
            Job::Redraw { account, labels } => {
                if let Err(error) = shared.redraw(&account, &labels).await {
                    // The sync's end tries again.
                    tracing::warn!(error = bus::chain(&error), account, "held edges could not be drawn");
                }
                shared.lanes.done(&account, Applied::default());
            }
        }
    }
}

impl Shared {
    async fn apply(&self, items: Vec<Item>) -> Applied {
        match apply(&self.store, &self.schema, &items).await {
            Ok(applied) => {
                self.settle(&items, &Outcome::Ack).await;
                applied
            }
            Err(GraphError::Rejected(_)) if items.len() > 1 => self.apply_singly(items).await,
            Err(error @ GraphError::Rejected(_)) => {
                self.settle(&items, &Outcome::Park(bus::chain(&error))).await;
                Applied::default()
            }
            Err(error) => {
                tracing::warn!(error = bus::chain(&error), "events wait until the graph is back");
                self.settle(&items, &Outcome::Retry(AWAY)).await;
                Applied::default()
            }
        }
    }

    /// Finds the one that is to blame, and applies the others.
    async fn apply_singly(&self, items: Vec<Item>) -> Applied {
        let mut all = Applied::default();
        for item in items {
            let Applied { completed, labels } = Box::pin(self.apply(vec![item])).await;
            all.completed |= completed;
            all.labels.extend(labels);
        }
        all
    }

    async fn settle(&self, items: &[Item], outcome: &Outcome) {
        for item in items {
            self.in_flight.settle(item.sequence, outcome.clone()).await;
        }
    }

    async fn redraw(&self, account: &str, labels: &HashSet<String>) -> Result<(), held::RetryError> {
        let holding = scope_store::holding_in_account(&self.store, account).await?;
        held::retry(&self.bus, &self.store, &self.schema, holding, |label| labels.contains(label)).await
    }
}

/// Closes syncs, several at once, until `shutdown`; each stops at its next step.
async fn close_syncs(feed: &Feed, end: SyncEnd, shutdown: &CancellationToken) {
    let mut closing = JoinSet::new();
    let close = |sequence, sync| {
        while closing.try_join_next().is_some() {}
        closing.spawn(close_sync(end.clone(), feed.in_flight.clone(), sequence, sync));
    };
    feed.pull(shutdown, read_sync, close).await;
    while closing.join_next().await.is_some() {}
}

async fn close_sync(end: SyncEnd, in_flight: InFlight, sequence: u64, sync: Sync) {
    let outcome = match end.close(&sync).await {
        Ok(finished) => {
            tracing::info!(sync = sync.id, nodes = finished.nodes, edges = finished.edges, "sync closed");
            Outcome::Ack
        }
        Err(SyncEndError::Stopped) => Outcome::Retry(Duration::ZERO),
        Err(error) => {
            tracing::warn!(error = bus::chain(&error), sync = sync.id, "the sync cannot be closed yet");
            Outcome::Retry(AWAY)
        }
    };
    in_flight.settle(sequence, outcome).await;
}
