//! The graph-writer process: two durable consumers (asset events and `collected` events), a worker for each connection,
//! and a shutdown that leaves no transaction open.
//!
//! A message is acknowledged after the commit of its rows. A message that cannot be admitted is parked with the reason.
//! When Neo4j rejects a transaction, its messages and then their rows are halved until the faulty rows are found; only
//! these are parked. A transaction that is too large is made smaller in the same way. After any other failure of Neo4j
//! the messages are redelivered later, however long the outage.
//!
//! Work without progress for ten minutes is abandoned and its messages are returned. On shutdown, the same applies to
//! work that does not finish in time. Both only close connections, which rolls the transactions back.

use crate::{
    Options,
    admit::{Admitted, admit_on},
    apply::{Applied, Item, apply},
    held::{self, Labels},
    in_flight::{Budget, InFlight, SILENCE},
    lane::{Job, Lanes},
    newest,
    park::park,
    pieces::event,
    prepare::Expected,
    probe::Probe,
    schema::{Need, Schema},
    scope_store, steps,
    sync_end::{self, SyncEnd, SyncEndError},
    troubles::Troubles,
};
use bus::{Bus, ConsumeError, Consumer, Delivery, Outcome, Subscription};
use events::{SyncEvent, SyncId, subjects};
use graph::{GraphError, GraphStore, Pulse};
use observe::{Mark, health, metrics};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

/// Delay of redelivery while Neo4j is unavailable.
const AWAY: Duration = Duration::from_secs(5);
/// Name of the lanes' work in the log.
const WRITING: &str = "writing events into the graph";
/// Longest time between two pulls, and between two progress acknowledgements. Each exchange with NATS has a limit of
/// seconds, and parking a message one of two minutes.
const TURN: Duration = Duration::from_mins(5);
/// Pause before the next pull while NATS is unavailable.
const PULL_PAUSE: Duration = Duration::from_millis(500);
/// Limit of the bytes of messages held at the same time: decoded, and as rows for Neo4j, they take several times as much.
const BYTES_IN_FLIGHT: usize = 2 * 1024 * 1024;
/// Syncs that are closed at the same time.
const SYNCS_AT_ONCE: usize = 8;
/// Time limit for open transactions on shutdown: with the return of messages, less than the 30 s that Kubernetes grants
/// (<https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination>).
const DRAIN: Duration = Duration::from_secs(15);

/// The writer could not start.
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

/// State that all tasks of a writer share.
struct Shared {
    bus: Bus,
    store: GraphStore,
    schema: Schema,
    lanes: Lanes,
    in_flight: InFlight,
    troubles: Arc<Troubles>,
}

impl Writer {
    /// Creates a writer; nothing happens until [`Writer::run`].
    pub fn new(bus: Bus, store: GraphStore, options: Options) -> Self {
        Self { bus, store, options, expected: HashSet::new() }
    }

    /// Creates the indexes for the expected tables in advance: each later change of the schema discards all query plans
    /// of the database.
    #[must_use]
    pub fn expecting(self, expected: &[Expected]) -> Self {
        Self { expected: expected.iter().flat_map(Expected::needs).collect(), ..self }
    }

    /// Writes until `shutdown`, then finishes the open transactions and returns everything else.
    ///
    /// # Errors
    /// A consumer or the bookkeeping's schema cannot be set up; later errors are waited out.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), WriterError> {
        let Self { bus, store, options, expected } = self;
        let part = health().part("graph-writer");
        metrics().events.begin_writing();
        let schema = Schema::default();
        schema.ensure(&store, expected.into_iter().chain(Need::of_analysis())).await?;
        let assets = Subscription::assets(&options.durable, options.ack_wait);
        let assets = Feed::new(&bus, assets, options.in_flight, InFlight::of_assets()).await?;
        let syncs = Subscription::collected(&options.durable, options.ack_wait);
        let syncs = Feed::new(&bus, syncs, SYNCS_AT_ONCE, InFlight::default()).await?;
        let shared = Arc::new(Shared {
            bus: bus.clone(),
            store: store.clone(),
            schema: schema.clone(),
            lanes: Lanes::default(),
            in_flight: assets.in_flight.clone(),
            troubles: Arc::default(),
        });
        let probe = Arc::new(Probe::default());
        part.is_ready_while(able_to_work(&bus, &assets.consumer, &shared.troubles, &probe));
        let mut workers = JoinSet::new();
        for _ in 0..options.lanes.max(1) {
            workers.spawn(work(shared.clone()));
        }
        let end = SyncEnd { bus: bus.clone(), store: store.clone(), schema, options, shutdown: shutdown.clone() };
        let lanes = |sequence, event| shared.lanes.push(Item { sequence, event });
        // Workers and closing syncs end at the same time: together with the return of messages, less than the 30 s that
        // Kubernetes grants.
        let ending = async {
            shutdown.cancelled().await;
            shared.lanes.close();
            Instant::now() + DRAIN
        };
        let until = tokio::select! {
            (until, ..) = async {
                tokio::join!(
                    ending,
                    assets.pull(&shutdown, read_asset, lanes),
                    close_syncs(&syncs, end, &shared.troubles, &shutdown),
                    newest::serve(&bus, &store, &shutdown),
                )
            } => until,
            never = probe.run(&store) => match never {},
            Some(Err(broken)) = workers.join_next() => std::panic::resume_unwind(broken.into_panic()),
        };
        drain(&mut workers, until).await;
        tokio::join!(assets.in_flight.hand_back(), syncs.in_flight.hand_back());
        Ok(())
    }
}

/// Returns a check that events can be read and written.
fn able_to_work(
    bus: &Bus,
    consumer: &Arc<Consumer>,
    troubles: &Arc<Troubles>,
    probe: &Arc<Probe>,
) -> impl Fn() -> Result<(), String> + Send + Sync + use<> {
    let (connected, consumer) = (process::connected(bus), consumer.clone());
    let (troubles, probe) = (troubles.clone(), probe.clone());
    move || {
        connected()?;
        if let Some(error) = probe.error() {
            return Err(format!("no answer from Neo4j: {error}"));
        }
        match (consumer.is_failing(), troubles.is_failing(WRITING)) {
            (true, _) => Err("cannot read asset events".to_owned()),
            (_, true) => Err(format!("{WRITING} fails")),
            (false, false) => Ok(()),
        }
    }
}

/// A durable consumer with limits of deliveries in flight.
struct Feed {
    name: String,
    consumer: Arc<Consumer>,
    ack_wait: Duration,
    budget: Budget,
    in_flight: InFlight,
}

impl Feed {
    async fn new(
        bus: &Bus,
        subscription: Subscription,
        most: usize,
        in_flight: InFlight,
    ) -> Result<Self, ConsumeError> {
        let (ack_wait, name) = (subscription.ack_wait, subscription.durable.clone());
        let consumer = Arc::new(bus.consume(subscription).await?);
        let budget = Budget::new(most, BYTES_IN_FLIGHT);
        Ok(Self { name, consumer, ack_wait, budget, in_flight })
    }

    /// Pulls as much as may be in flight and gives it away, until `shutdown`. Parks messages that `read` rejects.
    async fn pull<T>(
        &self,
        shutdown: &CancellationToken,
        read: fn(&Delivery) -> Result<T, String>,
        mut give: impl FnMut(u64, T),
    ) {
        let keeping = health().watch(format!("{}: progress acknowledgements", self.name), TURN);
        let mark = health().watch(format!("{}: pulls", self.name), TURN);
        let pulling = async {
            loop {
                match self.next(&mark).await {
                    Ok(deliveries) => self.receive(deliveries, read, &mut give, &mark).await,
                    Err(error) => {
                        tracing::warn!(error = errors::chain(&error), "cannot pull from the stream; trying again");
                        tokio::time::sleep(PULL_PAUSE).await;
                    }
                }
            }
        };
        // Deliveries that a cancelled pull has already fetched are redelivered after the ack wait.
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = pulling => {}
            () = self.in_flight.keep_alive(self.ack_wait, &keeping) => {}
        }
    }

    /// Waits for room, then returns as many deliveries as fit.
    async fn next(&self, mark: &Mark) -> Result<Vec<Delivery>, ConsumeError> {
        // Work without progress is returned, so there is room again.
        let room = mark.during(self.budget.room()).await;
        self.consumer.next(room).await
    }

    async fn receive<T>(
        &self,
        deliveries: Vec<Delivery>,
        read: fn(&Delivery) -> Result<T, String>,
        give: &mut impl FnMut(u64, T),
        mark: &Mark,
    ) {
        for delivery in deliveries {
            mark.now();
            let permit = self.budget.take(delivery.payload().len());
            let sequence = delivery.sequence();
            let message = read(&delivery);
            // Take charge first: it may be settled as soon as it is given away.
            self.in_flight.add(delivery, permit).await;
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

fn read_sync(delivery: &Delivery) -> Result<SyncId, String> {
    let event = events::read::<SyncEvent>(delivery.payload()).map_err(|error| format!("not a sync event: {error}"))?;
    event.sync.filter(|sync| !sync.id.is_empty() && sync.update_tag > 0).ok_or_else(|| "no sync".to_owned())
}

/// Waits for tasks until the deadline, then aborts them.
async fn drain(tasks: &mut JoinSet<()>, until: Instant) {
    let ended = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout_at(until, ended).await.is_err() {
        tracing::warn!(tasks = tasks.len(), "transactions did not finish in time; rolling them back");
        tasks.shutdown().await;
    }
}

/// Runs a worker: serves one lane after another until they are closed.
async fn work(shared: Arc<Shared>) {
    let mark = health().watch("graph-writer: worker", TURN);
    while let Some(job) = mark.during(shared.lanes.next()).await {
        let pulse = shared.in_flight.pulse();
        let watched = shared.watched(&pulse);
        match job {
            Job::Apply { part, items } => {
                let sequences: Vec<u64> = items.iter().map(|item| item.sequence).collect();
                let applied = tokio::select! {
                    applied = mark.during(watched.apply(items)) => applied,
                    () = pulse.silence(SILENCE) => watched.give_up(&part.account, &sequences).await,
                };
                shared.lanes.done(&part, applied);
            }
            Job::Redraw { part, labels } => {
                let redrawn = tokio::select! {
                    redrawn = mark.during(watched.redraw(&part.account, &labels)) => {
                        redrawn.map_err(|error| errors::chain(&error))
                    }
                    () = pulse.silence(SILENCE) => Err("no progress".to_owned()),
                };
                let drawing = format!("creating the held edges of account {}", part.account);
                match redrawn {
                    Ok(()) => shared.troubles.succeeded(&drawing),
                    // The sync's end tries again.
                    Err(error) => {
                        shared.troubles.failed(&drawing, &error, false);
                    }
                }
                shared.lanes.done(&part, Applied::default());
            }
        }
    }
}

impl Shared {
    /// Returns the work on a store whose answers beat this pulse.
    fn watched(self: &Arc<Self>, pulse: &Pulse) -> Working {
        Working { shared: self.clone(), store: self.store.watched(pulse.clone()) }
    }
}

/// State of one worker, with its own pulse.
struct Working {
    shared: Arc<Shared>,
    store: GraphStore,
}

impl Working {
    /// Applies events in one transaction, or in smaller ones if Neo4j rejects it. Settles all of them.
    async fn apply(&self, items: Vec<Item>) -> Applied {
        let Shared { schema, lanes, .. } = &*self.shared;
        if lanes.is_too_much(&items) && has_several_rows(&items) {
            return self.apply_smaller(items).await;
        }
        match apply(&self.store, schema, &items).await {
            Ok(applied) => {
                lanes.passed(&items);
                self.shared.troubles.succeeded(WRITING);
                self.settle_applied(&items).await;
                applied
            }
            Err(GraphError::Rejected(error)) => {
                tracing::info!(%error, "looking for the rows that Neo4j rejects");
                self.apply_smaller(items).await
            }
            Err(GraphError::Unreadable(error)) if items.len() > 1 => {
                tracing::warn!(%error, "looking for the scope whose state cannot be read");
                self.apply_smaller(items).await
            }
            // Another transaction may have held the locks: the events are redelivered to any writer and applied in
            // smaller transactions.
            Err(error @ GraphError::TooLarge(neo4rs::Error::ConnectionTimedOut)) if items.len() > 1 => {
                lanes.too_large(&items);
                self.put_off(&items, &error).await
            }
            Err(GraphError::TooLarge(error)) => {
                tracing::info!(%error, "a transaction is too large for Neo4j; splitting it");
                lanes.too_large(&items);
                self.apply_smaller(items).await
            }
            Err(error) => self.put_off(&items, &error).await,
        }
    }

    /// Halves the events; splits a single event by its rows.
    async fn apply_smaller(&self, mut items: Vec<Item>) -> Applied {
        if items.len() < 2 {
            return match items.pop() {
                Some(item) => self.apply_rows(item).await,
                None => Applied::default(),
            };
        }
        let rest = items.split_off(items.len() / 2);
        let first = Box::pin(self.apply(items)).await;
        let rest = Box::pin(self.apply(rest)).await;
        let labels = first.labels.into_iter().chain(rest.labels).collect();
        Applied { completed: first.completed || rest.completed, labels }
    }

    /// Applies one event in pieces if necessary, and parks the rows that Neo4j rejects.
    async fn apply_rows(&self, item: Item) -> Applied {
        let schema = &self.shared.schema;
        let pieces = match event::write(&self.store, schema, &item).await {
            Ok(Some(pieces)) => pieces,
            Ok(None) => {
                self.settle_applied(&[item]).await;
                return Applied::default();
            }
            Err(error @ GraphError::Rejected(_)) => return self.park(&item, &error).await,
            Err(error) => return self.put_off(&[item], &error).await,
        };
        // Park the rows before they are counted: after a crash in between, a writer parks them again under the same
        // ids.
        if let Err(error) = park(&self.shared.bus, item.sequence, &pieces.refused).await {
            return self.put_off(&[item], &error).await;
        }
        match event::conclude(&self.store, schema, &item, pieces).await {
            Ok(applied) => {
                self.shared.lanes.passed_in_pieces();
                self.shared.troubles.succeeded(WRITING);
                self.settle_applied(&[item]).await;
                applied
            }
            Err(error @ GraphError::Rejected(_)) => self.park(&item, &error).await,
            Err(error) => self.put_off(&[item], &error).await,
        }
    }

    /// Parks an event without rows that Neo4j rejects.
    async fn park(&self, item: &Item, error: &GraphError) -> Applied {
        self.settle(std::slice::from_ref(item), &Outcome::Park(errors::chain(error))).await;
        Applied::default()
    }

    async fn put_off(&self, items: &[Item], error: &(dyn std::error::Error + Send + Sync)) -> Applied {
        let pause = self.shared.troubles.failed(WRITING, &errors::chain(error), false);
        self.settle(items, &Outcome::Retry(pause)).await;
        Applied::default()
    }

    async fn give_up(&self, account: &str, sequences: &[u64]) -> Applied {
        tracing::warn!(account, events = sequences.len(), after = ?SILENCE, "no progress; returning events");
        for sequence in sequences {
            self.shared.in_flight.settle(*sequence, Outcome::Retry(AWAY)).await;
        }
        Applied::default()
    }

    /// Parks the rows that admission left out, and acknowledges the events.
    async fn settle_applied(&self, items: &[Item]) {
        for item in items {
            let outcome = match park(&self.shared.bus, item.sequence, &item.event.flaws.refused).await {
                Ok(()) => Outcome::Ack,
                Err(error) => {
                    tracing::warn!(error = errors::chain(&error), "cannot park rows; their event is redelivered");
                    Outcome::Retry(AWAY)
                }
            };
            self.shared.in_flight.settle(item.sequence, outcome).await;
        }
    }

    async fn settle(&self, items: &[Item], outcome: &Outcome) {
        for item in items {
            self.shared.in_flight.settle(item.sequence, outcome.clone()).await;
        }
    }

    async fn redraw(&self, account: &str, labels: &HashSet<String>) -> Result<(), held::RetryError> {
        let Shared { bus, schema, .. } = &*self.shared;
        let labels = Labels { awaited: labels.clone(), ..Labels::default() };
        let mut after = String::new();
        loop {
            let holding = scope_store::holding_in_account(&self.store, account, &after).await?;
            let Some(last) = holding.last() else { return Ok(()) };
            after = last.id();
            // A batch that is gone makes its scope lost only at the sync's end.
            held::retry(bus, &self.store, schema, holding, &labels).await?;
        }
    }
}

fn has_several_rows(items: &[Item]) -> bool {
    items.iter().map(Item::rows).map(|(nodes, edges)| nodes + edges).sum::<usize>() > 1
}

/// Closes several syncs concurrently, until `shutdown`; each stops at its next step.
async fn close_syncs(feed: &Feed, end: SyncEnd, troubles: &Arc<Troubles>, shutdown: &CancellationToken) {
    let mut closing = JoinSet::new();
    let close = |sequence, sync| {
        while closing.try_join_next().is_some() {}
        closing.spawn(close_sync(end.clone(), feed.in_flight.clone(), Arc::clone(troubles), sequence, sync));
    };
    feed.pull(shutdown, read_sync, close).await;
    drain(&mut closing, Instant::now() + DRAIN).await;
}

async fn close_sync(end: SyncEnd, in_flight: InFlight, troubles: Arc<Troubles>, sequence: u64, sync: SyncId) {
    let closing = format!("closing sync {}", sync.id);
    let mark = health().watch("graph-writer: end of a sync", TURN);
    let pulse = in_flight.pulse();
    let end = SyncEnd { store: end.store.watched(pulse.clone()), ..end };
    // A recreated consumer delivers the `collected` of every sync in the stream.
    if is_announced(&end.bus, &sync, sequence).await {
        // Perhaps by another writer.
        troubles.forget(&closing);
        return in_flight.settle(sequence, Outcome::Ack).await;
    }
    let closed = tokio::select! {
        closed = mark.during(sync_end::contained(end.close(&sync))) => closed,
        () = pulse.silence(SILENCE) => {
            tracing::warn!(sync = sync.id, after = ?SILENCE, "no progress; returning the sync's end");
            Err(SyncEndError::Stopped)
        }
        never = steps::tell(&end.bus, &sync, &pulse) => match never {},
    };
    let outcome = match closed {
        Ok(finished) => {
            tracing::info!(sync = sync.id, nodes = finished.nodes, edges = finished.edges, "sync closed");
            troubles.succeeded(&closing);
            Outcome::Ack
        }
        Err(SyncEndError::Stopped) => Outcome::Retry(Duration::ZERO),
        Err(error) => Outcome::Retry(troubles.failed(&closing, &errors::chain(&error), error.is_lasting())),
    };
    in_flight.settle(sequence, outcome).await;
}

/// Whether the sync's `finished` follows this `collected` in the stream. A recording that is played twice has an older
/// one.
async fn is_announced(bus: &Bus, sync: &SyncId, collected: u64) -> bool {
    let finished = bus.last_on(bus::SYNCS, &subjects::sync_event_of(&sync.id, "finished")).await;
    finished.is_ok_and(|finished| finished.is_some_and(|finished| finished.sequence > collected))
}
