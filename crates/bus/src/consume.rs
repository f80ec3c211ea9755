//! Pull consumers: opens or creates a durable consumer, reads from it, and recreates it when the server loses it.

use crate::{
    Backlog, Bus, ConsumeError, Delivery, PARKED, Subscription,
    exchange::{PAUSE, Pull, is_unheard, patiently, pull as pulled},
    health::Health,
    streams::PATIENCE,
    watch::Watcher,
};
use async_nats::jetstream::consumer::PullConsumer;
use parking_lot::Mutex;
use std::time::{Duration, Instant};

/// Time for which the server lets one pull wait for a message.
const PULL_EXPIRES: Duration = Duration::from_secs(5);
/// Interval at which a scheduler checks the streams and consumers.
const TENDING: Duration = Duration::from_secs(30);
/// Extra time for the answer to a pull. Below the five seconds after which async-nats ends a waiting pull as if there
/// were no message.
const GRACE: Duration = Duration::from_secs(4);

/// Findings of [`Bus::tend`].
#[derive(Debug)]
pub enum Tended<'a> {
    /// Progress of a durable consumer. `None`: it could not be read twice in a row.
    Consumer(&'a Subscription, Option<Backlog>),
    /// Number of parked messages. `None`: it could not be read twice in a row.
    Parked(Option<u64>),
}

/// A reader of a durable consumer, or a watcher.
pub struct Consumer {
    bus: Bus,
    stream: &'static str,
    kind: Kind,
    /// Replaced when the watcher's consumer is recreated.
    handle: Mutex<PullConsumer>,
    health: Health,
}

enum Kind {
    Durable(Subscription),
    Watcher(Watcher),
}

impl Bus {
    /// Joins the durable consumer, and creates it or updates its configuration. On a closed bus only the scheduler may
    /// do that: other users wait up to a minute until the consumer exists, and use it as it is.
    ///
    /// # Errors
    /// Fails if the stream does not exist, the server rejects the consumer, or a consumer that this user may not create
    /// is still missing after a minute.
    pub async fn consume(&self, subscription: Subscription) -> Result<Consumer, ConsumeError> {
        let Subscription { stream, durable, .. } = subscription.clone();
        let failed = |source| ConsumeError::Consumer { stream, durable: durable.clone(), source };
        let deadline = Instant::now() + PATIENCE;
        let handle = loop {
            let look = || self.consumer(stream, &durable);
            let there = patiently(deadline, look).await.map_err(&failed)?;
            if let Some(consumer) = there.as_ref().filter(|consumer| subscription.is_current(consumer)) {
                break consumer.clone();
            }
            let create = || self.create_consumer(stream, subscription.config());
            match (patiently(deadline, create).await, there) {
                (Ok(created), _) => break created,
                (Err(error), _) if !is_unheard(&error) => return Err(failed(error)),
                (Err(_), Some(consumer)) => break consumer,
                (Err(_), None) if Instant::now() >= deadline => return Err(ConsumeError::Missing { stream, durable }),
                (Err(_), None) => tokio::time::sleep(PAUSE).await,
            }
        };
        Ok(Consumer::new(self.clone(), stream, Kind::Durable(subscription), handle))
    }

    /// Delivers every present and future message on a subject of a stream, without a durable position. The consumer has
    /// as many replicas as the stream. If it is lost nevertheless, the watcher restarts at the first unsettled message,
    /// so a message may be delivered twice, as with every consumer.
    ///
    /// # Errors
    /// Fails if the stream does not exist.
    pub async fn watch(&self, stream: &'static str, filter: String) -> Result<Consumer, ConsumeError> {
        let watcher = Watcher::new(filter);
        let deadline = Instant::now() + PATIENCE;
        let created = patiently(deadline, || watcher.create(self, stream)).await;
        let handle =
            created.map_err(|source| ConsumeError::Consumer { stream, durable: "(watcher)".to_owned(), source })?;
        Ok(Consumer::new(self.clone(), stream, Kind::Watcher(watcher), handle))
    }

    /// Checks every half minute that the streams and these consumers exist, and recreates those that the server lost.
    /// Calls `found` with each finding. Only the scheduler has the permission on a closed bus. Never returns.
    pub async fn tend(&self, subscriptions: &[Subscription], found: impl Fn(Tended<'_>)) {
        // Readings that failed in a row: of the consumers, and of the parked messages.
        let (mut missed, mut missed_parked) = (vec![0_u32; subscriptions.len()], 0);
        loop {
            for config in self.streams.all() {
                if let Err(error) = self.restore_stream(config).await {
                    tracing::debug!(error, stream = config.name, "cannot read the stream's state yet");
                }
            }
            for (subscription, missed) in subscriptions.iter().zip(&mut missed) {
                let backlog = self.tend_one(subscription).await.unwrap_or_else(|error| {
                    tracing::debug!(error, consumer = subscription.durable, "cannot read the consumer's state yet");
                    None
                });
                if is_news(backlog.is_some(), missed) {
                    found(Tended::Consumer(subscription, backlog));
                }
            }
            let parked = self.stream_info(PARKED).await.ok().flatten();
            if is_news(parked.is_some(), &mut missed_parked) {
                found(Tended::Parked(parked.map(|stream| stream.state.messages)));
            }
            tokio::time::sleep(TENDING).await;
        }
    }

    /// Returns the progress of a durable consumer, or recreates it if it is missing.
    async fn tend_one(&self, subscription: &Subscription) -> Result<Option<Backlog>, async_nats::Error> {
        if let Some(there) = self.consumer(subscription.stream, &subscription.durable).await? {
            return Ok(Some(Backlog::of(there.cached_info())));
        }
        self.restore(subscription).await.map(|_| None)
    }

    /// Recreates the durable consumer if it is missing, and its stream if that is missing too. Returns the new
    /// consumer.
    async fn restore(&self, subscription: &Subscription) -> Result<Option<PullConsumer>, async_nats::Error> {
        let Subscription { stream, durable, .. } = subscription;
        if self.consumer(stream, durable).await?.is_some() {
            return Ok(None);
        }
        if let Some(config) = self.streams.named(stream) {
            self.restore_stream(config).await?;
        }
        match self.create_consumer(stream, subscription.config()).await {
            Ok(handle) => {
                tracing::warn!(stream, durable, "the consumer was missing; recreated it");
                Ok(Some(handle))
            }
            // If this user may not create the consumer, the scheduler does.
            Err(error) if is_unheard(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns a random token, unique among all clients.
    pub(crate) fn token(&self) -> String {
        self.client.new_inbox().rsplit('.').next().unwrap_or_default().to_owned()
    }
}

/// Whether a reading is passed on: one that succeeded, or the second that failed in a row. One alone is a moment without a
/// leader.
fn is_news(was_read: bool, missed: &mut u32) -> bool {
    *missed = if was_read { 0 } else { missed.saturating_add(1) };
    was_read || *missed > 1
}

impl Consumer {
    fn new(bus: Bus, stream: &'static str, kind: Kind, handle: PullConsumer) -> Self {
        Self { bus, stream, kind, handle: Mutex::new(handle), health: Health::default() }
    }

    /// Waits for the next deliveries, at most `most`. Returns an empty list if none arrives within five seconds.
    ///
    /// A missing server, consumer or stream is an error only after two minutes. Until then this recreates the consumer
    /// and the stream if the user may, pauses, and returns an empty list. The server redelivers messages lost on the
    /// way to this client after the ack wait.
    ///
    /// # Errors
    /// Fails if the consumer has not worked for two minutes. Calling again is safe.
    pub async fn next(&self, most: usize) -> Result<Vec<Delivery>, ConsumeError> {
        let (mut deliveries, ended) = self.pull(Pull::Wait(1, PULL_EXPIRES), PULL_EXPIRES + GRACE).await;
        if let Err(error) = ended
            && deliveries.is_empty()
        {
            return self.after_failure(error).await;
        }
        self.health.works(&self.name());
        if !deliveries.is_empty() && most > 1 {
            let (rest, ended) = self.pull(Pull::Now(most - 1), GRACE).await;
            deliveries.extend(rest);
            if let Err(error) = ended {
                tracing::debug!(error, "a pull ended early");
            }
        }
        Ok(deliveries)
    }

    /// Whether the last pull failed: the server, the stream or the consumer is missing.
    pub fn is_failing(&self) -> bool {
        self.health.is_failing()
    }

    async fn pull(&self, what: Pull, limit: Duration) -> (Vec<Delivery>, Result<(), async_nats::Error>) {
        let handle = self.handle.lock().clone();
        let position = match &self.kind {
            Kind::Watcher(watcher) => Some(watcher.position.clone()),
            Kind::Durable(_) => None,
        };
        let mut deliveries = Vec::new();
        let take = |message| {
            deliveries.push(Delivery::new(self.bus.clone(), self.stream, message, position.clone())?);
            Ok(true)
        };
        let ended = pulled(&handle, what, limit, take).await;
        (deliveries, ended)
    }

    async fn after_failure(&self, source: async_nats::Error) -> Result<Vec<Delivery>, ConsumeError> {
        if let Err(error) = self.restore().await {
            tracing::debug!(error, consumer = self.name(), "cannot read the consumer's state yet");
        }
        let failing = self.health.failed(&self.name(), source.as_ref(), self.bus.is_connected());
        if failing.for_long {
            return Err(ConsumeError::Consumer { stream: self.stream, durable: self.name(), source });
        }
        tokio::time::sleep(failing.pause).await;
        Ok(Vec::new())
    }

    /// Recreates the consumer and its stream if the server lost them and this user may.
    async fn restore(&self) -> Result<(), async_nats::Error> {
        let restored = match &self.kind {
            Kind::Durable(subscription) => self.bus.restore(subscription).await?,
            Kind::Watcher(watcher) => {
                let name = self.handle.lock().cached_info().name.clone();
                watcher.restore(&self.bus, self.stream, &name).await?
            }
        };
        if let Some(handle) = restored {
            *self.handle.lock() = handle;
        }
        Ok(())
    }

    fn name(&self) -> String {
        match &self.kind {
            Kind::Durable(subscription) => format!("consumer {}", subscription.durable),
            Kind::Watcher(_) => format!("watcher of {}", self.stream),
        }
    }
}
