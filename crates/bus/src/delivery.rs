//! One delivery of a message. The receiver settles it with [`Outcome::Ack`], [`Outcome::Retry`] or [`Outcome::Park`];
//! the server redelivers an unsettled one.

use crate::{Bus, ConsumeError, Outgoing, exchange::acknowledge, position::Position};
use async_nats::jetstream::{AckKind, Message};
use bytes::Bytes;
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Settlement of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done: never redelivered.
    Ack,
    /// Redelivered after this delay.
    Retry(Duration),
    /// Never redelivered. Kept on the parked stream with this reason.
    Park(String),
}

/// One delivered message, not yet settled.
#[derive(Debug)]
pub struct Delivery {
    bus: Bus,
    stream: &'static str,
    message: Message,
    sequence: u64,
    deliveries: u32,
    /// Time at which the server stored the message, by its clock.
    stored: SystemTime,
    /// Set for a watcher only.
    position: Option<Arc<Position>>,
}

impl Delivery {
    pub(crate) fn new(
        bus: Bus,
        stream: &'static str,
        message: Message,
        position: Option<Arc<Position>>,
    ) -> Result<Self, async_nats::Error> {
        let info = message.info()?;
        let (sequence, deliveries) = (info.stream_sequence, u32::try_from(info.delivered).unwrap_or(u32::MAX));
        let stored = info.published.into();
        if let Some(position) = &position {
            position.delivered(sequence, info.consumer_sequence);
        }
        Ok(Self { bus, stream, message, sequence, deliveries, stored, position })
    }

    /// The message's bytes.
    pub fn payload(&self) -> &Bytes {
        &self.message.payload
    }

    /// Subject of the message.
    pub fn subject(&self) -> &str {
        &self.message.subject
    }

    /// Sequence in the stream.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Number of deliveries, including this one. Too low if a server was killed before it stored its count.
    pub fn deliveries(&self) -> u32 {
        self.deliveries
    }

    /// Time since the server stored the message; zero if this machine's clock is behind the server's.
    pub fn age(&self) -> Duration {
        self.stored.elapsed().unwrap_or_default()
    }

    /// Tells the server that work continues, so that it does not redeliver the message to another consumer.
    ///
    /// # Errors
    /// Fails if the connection is closed, or has been down for ten seconds.
    pub async fn progress(&self) -> Result<(), async_nats::Error> {
        acknowledge(&self.message, AckKind::Progress).await
    }

    /// Settles the delivery. A lost acknowledgement only causes a harmless redelivery.
    ///
    /// # Errors
    /// Fails if the message cannot be parked; the server then redelivers it.
    pub async fn settle(self, outcome: Outcome) -> Result<(), ConsumeError> {
        let kind = match outcome {
            Outcome::Ack => AckKind::Ack,
            Outcome::Retry(after) => AckKind::Nak(Some(after)),
            Outcome::Park(reason) => {
                self.park(&reason).await?;
                AckKind::Term
            }
        };
        if let Some(position) = self.position.as_ref().filter(|_| !matches!(kind, AckKind::Nak(_))) {
            position.settled(self.sequence);
        }
        let sent = acknowledge(&self.message, kind).await;
        if let Err(error) = sent {
            tracing::debug!(stream = self.stream, %error, "settling failed; the server will redeliver the message");
        }
        Ok(())
    }

    async fn park(&self, reason: &str) -> Result<(), ConsumeError> {
        tracing::warn!(stream = self.stream, sequence = self.sequence, reason, "message parked");
        let most = self.bus.most_bytes();
        let payload = self.message.payload.clone();
        let parked = Outgoing::parked(self.stream, self.sequence, &self.message.subject, reason, payload, most);
        self.bus.publish(parked).await.map_err(ConsumeError::Park)
    }
}
