//! Durable pull consumers. A handler settles each delivery as [`Outcome::Ack`], [`Outcome::Retry`] or [`Outcome::Park`];
//! what it never settles is delivered again.

use crate::{
    Bus, Outgoing, PublishError,
    streams::{self, PATIENCE, PAUSE},
};
use async_nats::jetstream::{
    AckKind, Message,
    consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull},
    context::{ConsumerInfoError, ConsumerInfoErrorKind, RequestError, RequestErrorKind},
    stream::{ConsumerError, Stream},
};
use bytes::Bytes;
use events::subjects;
use futures::StreamExt;
use std::{
    error::Error,
    time::{Duration, Instant},
};

/// How long the server lets one pull wait for a message.
const PULL_EXPIRES: Duration = Duration::from_secs(5);
/// How much longer its answer may take. A pull whose request or answer is lost (killed server, cut connection, a server that
/// never answers) ends then; the client itself waits for ever, because a connection that is made again knows nothing of
/// the requests that were lost with the last one.
const GRACE: Duration = Duration::from_secs(5);

/// Unsettled deliveries are repeated after this long, unless a subscription says otherwise.
pub const ACK_WAIT: Duration = Duration::from_secs(30);
/// Durable name of the graph-writers' consumer of asset events; that of the ends of syncs is derived from it.
pub const GRAPH_WRITER: &str = "graph-writer";
/// Most deliveries in flight over all graph-writers: far more than any number of them takes.
const MOST_IN_FLIGHT: i64 = 4_096;

/// A durable consumer to be created on a stream.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// One of the streams of this crate.
    pub stream: &'static str,
    /// Durable name; subscribers of the same name share the messages.
    pub durable: String,
    /// Subjects to deliver.
    pub filter: String,
    /// Unsettled deliveries are repeated after this long; [`Delivery::progress`] starts it again.
    pub ack_wait: Duration,
    /// Most deliveries in flight, over all subscribers.
    pub max_in_flight: i64,
}

/// A consumer could not be created or read.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// The stream or the consumer cannot be used.
    #[error("cannot consume {durable} of stream {stream}")]
    Consumer {
        /// Stream.
        stream: &'static str,
        /// Durable name.
        durable: String,
        /// Why.
        source: async_nats::Error,
    },
    /// On a closed bus.
    #[error(
        "consumer {durable} of stream {stream} is not there or may not be used, and this NATS user may not create \
             it: the scheduler does when it starts"
    )]
    Missing {
        /// Stream.
        stream: &'static str,
        /// Durable name.
        durable: String,
    },
    /// Parking failed.
    #[error("cannot park a message")]
    Park(#[source] PublishError),
}

/// What becomes of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done; never again.
    Ack,
    /// Again after this long.
    Retry(Duration),
    /// Never again; kept on the parked stream with this reason.
    Park(String),
}

/// One message, to be settled.
#[derive(Debug)]
pub struct Delivery {
    bus: Bus,
    stream: &'static str,
    message: Message,
    sequence: u64,
    deliveries: u32,
}

/// Reads a durable consumer.
pub struct Consumer {
    bus: Bus,
    subscription: Subscription,
    handle: PullConsumer,
}

impl Bus {
    /// Joins the durable consumer, or creates it. On a closed bus only the scheduler may create it: others wait for a
    /// minute until it is there, and take it as it is.
    ///
    /// # Errors
    /// When the stream does not exist or the server refuses the consumer, or nobody creates it.
    pub async fn consume(&self, subscription: Subscription) -> Result<Consumer, ConsumeError> {
        let failed = |source: async_nats::Error| ConsumeError::Consumer {
            stream: subscription.stream,
            durable: subscription.durable.clone(),
            source,
        };
        let stream = self.jetstream.get_stream_no_info(subscription.stream).await.map_err(|e| failed(e.into()))?;
        let config = subscription.config();
        let deadline = Instant::now() + PATIENCE;
        let consumer = loop {
            let there = joined(&stream, &subscription.durable).await.map_err(&failed)?;
            if let Some(consumer) = there.as_ref().filter(|consumer| is_current(consumer, &config)) {
                break consumer.clone();
            }
            match (stream.create_consumer(config.clone()).await, there) {
                (Ok(created), _) => break created,
                (Err(error), _) if !is_not_permitted(&error) => return Err(failed(error.into())),
                (Err(_), Some(consumer)) => break consumer,
                (Err(_), None) if Instant::now() >= deadline => {
                    let Subscription { stream, durable, .. } = subscription;
                    return Err(ConsumeError::Missing { stream, durable });
                }
                (Err(_), None) => tokio::time::sleep(PAUSE).await,
            }
        };
        Ok(Consumer { bus: self.clone(), subscription, handle: consumer })
    }

    /// Every message that is now on a subject of a stream and all that come, without a durable place: for watching.
    ///
    /// # Errors
    /// When the stream does not exist.
    pub async fn watch(&self, stream: &'static str, filter: String) -> Result<Consumer, ConsumeError> {
        let failed =
            |source: async_nats::Error| ConsumeError::Consumer { stream, durable: "(watcher)".to_owned(), source };
        let config = pull::Config {
            // With a name the filter stands in the subject of the request, where permissions can see it.
            name: Some(format!("watcher-{}", self.token())),
            filter_subject: filter.clone(),
            ack_policy: AckPolicy::Explicit,
            inactive_threshold: Duration::from_mins(5),
            ..pull::Config::default()
        };
        let handle = self.jetstream.get_stream_no_info(stream).await.map_err(|e| failed(e.into()))?;
        let consumer = handle.create_consumer(config).await.map_err(|e| failed(e.into()))?;
        let subscription = Subscription {
            stream,
            durable: String::new(),
            filter,
            ack_wait: Duration::from_secs(30),
            max_in_flight: 1_000,
        };
        Ok(Consumer { bus: self.clone(), subscription, handle: consumer })
    }
}

impl Bus {
    /// Text that no other process has.
    pub(crate) fn token(&self) -> String {
        self.client.new_inbox().rsplit('.').next().unwrap_or_default().to_owned()
    }
}

impl Consumer {
    /// Waits for the next deliveries, at most `most`; empty when none came within five seconds, or when the server did not
    /// answer within ten. What the server sent and this client did not get is delivered again after the ack wait.
    ///
    /// # Errors
    /// When the server refuses, or the connection is gone for good; it is safe to call again.
    pub async fn next(&self, most: usize) -> Result<Vec<Delivery>, ConsumeError> {
        let first = self.handle.batch().max_messages(1).expires(PULL_EXPIRES).messages();
        let mut deliveries = self.pull(first, PULL_EXPIRES + GRACE).await?;
        if !deliveries.is_empty() && most > 1 {
            let rest = self.handle.fetch().max_messages(most - 1).messages();
            match self.pull(rest, GRACE).await {
                Ok(rest) => deliveries.extend(rest),
                Err(error) => tracing::debug!(%error, "only one delivery was pulled"),
            }
        }
        Ok(deliveries)
    }

    /// The deliveries that a pull brings within `limit`. They are not given up for an error that comes after them.
    async fn pull(
        &self,
        batch: impl Future<Output = Result<pull::Batch, pull::BatchError>>,
        limit: Duration,
    ) -> Result<Vec<Delivery>, ConsumeError> {
        let mut deliveries = Vec::new();
        match tokio::time::timeout(limit, self.gather(batch, &mut deliveries)).await {
            Ok(Err(error)) if deliveries.is_empty() => return Err(error),
            Ok(Err(error)) => tracing::debug!(%error, "a pull ended early"),
            Err(_late) => tracing::debug!(durable = self.subscription.durable, "a pull was not answered to its end"),
            Ok(Ok(())) => {}
        }
        Ok(deliveries)
    }

    async fn gather(
        &self,
        batch: impl Future<Output = Result<pull::Batch, pull::BatchError>>,
        deliveries: &mut Vec<Delivery>,
    ) -> Result<(), ConsumeError> {
        let failed = |source: async_nats::Error| ConsumeError::Consumer {
            stream: self.subscription.stream,
            durable: self.subscription.durable.clone(),
            source,
        };
        let mut batch = batch.await.map_err(|e| failed(e.into()))?;
        while let Some(message) = batch.next().await {
            let message = message.map_err(&failed)?;
            let info = message.info().map_err(&failed)?;
            let (sequence, delivered) = (info.stream_sequence, info.delivered);
            deliveries.push(Delivery {
                bus: self.bus.clone(),
                stream: self.subscription.stream,
                sequence,
                deliveries: u32::try_from(delivered).unwrap_or(u32::MAX),
                message,
            });
        }
        Ok(())
    }
}

impl Delivery {
    /// The message's bytes.
    pub fn payload(&self) -> &Bytes {
        &self.message.payload
    }

    /// Where it was published.
    pub fn subject(&self) -> &str {
        &self.message.subject
    }

    /// Its place in the stream.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// How often it has been delivered, this time included.
    pub fn deliveries(&self) -> u32 {
        self.deliveries
    }

    /// Says that work on it goes on, so that it is not delivered to somebody else.
    ///
    /// # Errors
    /// When the connection is gone for good.
    pub async fn progress(&self) -> Result<(), async_nats::Error> {
        self.message.ack_with(AckKind::Progress).await
    }

    /// Ends the delivery. An acknowledgement that is lost on the way only means a harmless repeat.
    ///
    /// # Errors
    /// When a message cannot be parked; it is then delivered again.
    pub async fn settle(self, outcome: Outcome) -> Result<(), ConsumeError> {
        let sent = match outcome {
            Outcome::Ack => self.message.ack().await,
            Outcome::Retry(after) => self.message.ack_with(AckKind::Nak(Some(after))).await,
            Outcome::Park(reason) => {
                tracing::warn!(stream = self.stream, sequence = self.sequence, reason, "message parked");
                let subject = self.message.subject.to_string();
                let parked =
                    Outgoing::parked(self.stream, self.sequence, subject, &reason, self.message.payload.clone());
                self.bus.publish(parked).await.map_err(ConsumeError::Park)?;
                self.message.ack_with(AckKind::Term).await
            }
        };
        if let Err(error) = sent {
            tracing::debug!(stream = self.stream, %error, "settling failed; the message will come again");
        }
        Ok(())
    }
}

impl Subscription {
    /// Work items of one service, shared by its collectors.
    pub fn work(service: &str, ack_wait: Duration) -> Self {
        Self {
            stream: streams::WORK,
            durable: format!("collector-{service}"),
            filter: subjects::work_of(service),
            ack_wait,
            max_in_flight: -1,
        }
    }

    /// Asset events of all syncs, shared by the graph-writers of this name.
    pub fn assets(name: &str, ack_wait: Duration) -> Self {
        Self {
            stream: streams::ASSETS,
            durable: name.to_owned(),
            filter: subjects::ASSETS.to_owned(),
            ack_wait,
            max_in_flight: MOST_IN_FLIGHT,
        }
    }

    /// The word that a sync has been collected, shared by the graph-writers of this name.
    pub fn collected(name: &str, ack_wait: Duration) -> Self {
        Self {
            stream: streams::SYNCS,
            durable: format!("{name}-syncs"),
            filter: subjects::syncs_of_kind("collected"),
            ack_wait,
            max_in_flight: MOST_IN_FLIGHT,
        }
    }

    fn config(&self) -> pull::Config {
        pull::Config {
            durable_name: Some(self.durable.clone()),
            filter_subject: self.filter.clone(),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.ack_wait,
            max_ack_pending: self.max_in_flight,
            deliver_policy: DeliverPolicy::All,
            ..pull::Config::default()
        }
    }
}

/// The consumer if it is there and this user may see it.
async fn joined(stream: &Stream<()>, durable: &str) -> Result<Option<PullConsumer>, async_nats::Error> {
    use ConsumerInfoErrorKind::{NoResponders, NotFound, StreamNotFound};
    match stream.get_consumer(durable).await {
        Ok(consumer) => Ok(Some(consumer)),
        Err(error) => match error.downcast_ref::<ConsumerInfoError>() {
            Some(info) if matches!(info.kind(), NotFound | StreamNotFound | NoResponders) => Ok(None),
            _ => Err(error),
        },
    }
}

/// Whether a consumer that is there is the one that is asked for.
fn is_current(there: &PullConsumer, asked: &pull::Config) -> bool {
    let there = &there.cached_info().config;
    (&there.filter_subject, there.ack_wait, there.max_ack_pending)
        == (&asked.filter_subject, asked.ack_wait, asked.max_ack_pending)
}

/// On a closed bus a question that a user may not ask reaches nobody.
fn is_not_permitted(error: &ConsumerError) -> bool {
    let request = error.source().and_then(|source| source.downcast_ref::<RequestError>());
    request.is_some_and(|request| request.kind() == RequestErrorKind::NoResponders)
}
