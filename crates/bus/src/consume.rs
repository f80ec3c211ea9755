//! Durable pull consumers. A handler settles each delivery as [`Outcome::Ack`], [`Outcome::Retry`] or [`Outcome::Park`];
//! what it never settles is delivered again.

use crate::{Bus, Outgoing, PublishError, streams};
use async_nats::jetstream::{
    AckKind, Message,
    consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull},
};
use bytes::Bytes;
use futures::StreamExt;
use std::time::Duration;

/// How long one pull waits for a message; a restart of the server is noticed after at most this long.
const PULL_EXPIRES: Duration = Duration::from_secs(5);

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
    consumer: PullConsumer,
}

impl Bus {
    /// Creates the durable consumer, or joins it.
    ///
    /// # Errors
    /// When the stream does not exist or the server refuses the consumer.
    pub async fn consume(&self, subscription: Subscription) -> Result<Consumer, ConsumeError> {
        let failed = |source: async_nats::Error| ConsumeError::Consumer {
            stream: subscription.stream,
            durable: subscription.durable.clone(),
            source,
        };
        let config = pull::Config {
            durable_name: Some(subscription.durable.clone()),
            filter_subject: subscription.filter.clone(),
            ack_policy: AckPolicy::Explicit,
            ack_wait: subscription.ack_wait,
            max_ack_pending: subscription.max_in_flight,
            deliver_policy: DeliverPolicy::All,
            ..pull::Config::default()
        };
        let stream = self.jetstream.get_stream_no_info(subscription.stream).await.map_err(|e| failed(e.into()))?;
        let consumer = stream.create_consumer(config).await.map_err(|e| failed(e.into()))?;
        Ok(Consumer { bus: self.clone(), subscription, consumer })
    }

    /// Every message that is now on a subject of a stream and all that come, without a durable place: for watching.
    ///
    /// # Errors
    /// When the stream does not exist.
    pub async fn watch(&self, stream: &'static str, filter: String) -> Result<Consumer, ConsumeError> {
        let failed =
            |source: async_nats::Error| ConsumeError::Consumer { stream, durable: "(watcher)".to_owned(), source };
        let config = pull::Config {
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
        Ok(Consumer { bus: self.clone(), subscription, consumer })
    }
}

impl Consumer {
    /// Waits for the next deliveries: at least one, at most `most`; empty when none came within five seconds.
    ///
    /// # Errors
    /// When the server does not answer; it is safe to call again.
    pub async fn next(&self, most: usize) -> Result<Vec<Delivery>, ConsumeError> {
        let mut first = self.pull(self.consumer.batch().max_messages(1).expires(PULL_EXPIRES).messages().await).await?;
        if !first.is_empty() && most > 1 {
            let rest = self.consumer.fetch().max_messages(most - 1).messages().await;
            first.extend(self.pull(rest).await?);
        }
        Ok(first)
    }

    async fn pull(&self, batch: Result<pull::Batch, pull::BatchError>) -> Result<Vec<Delivery>, ConsumeError> {
        let failed = |source: async_nats::Error| ConsumeError::Consumer {
            stream: self.subscription.stream,
            durable: self.subscription.durable.clone(),
            source,
        };
        let mut batch = batch.map_err(|e| failed(e.into()))?;
        let mut deliveries = Vec::new();
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
        Ok(deliveries)
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
            filter: events::subjects::work_of(service),
            ack_wait,
            max_in_flight: -1,
        }
    }
}
