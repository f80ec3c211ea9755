//! One delivery of a message, to be settled as [`Outcome::Ack`], [`Outcome::Retry`] or [`Outcome::Park`]; one that is
//! never settled is delivered again.

use crate::{Bus, ConsumeError, Outgoing, exchange::acknowledge, watch::Position};
use async_nats::jetstream::{AckKind, Message};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};

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
    /// Of a watcher.
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
        if let Some(position) = &position {
            position.delivered(sequence, info.consumer_sequence);
        }
        Ok(Self { bus, stream, message, sequence, deliveries, position })
    }

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

    /// How often it has been delivered, this time included; fewer times than that when a server was killed before it had
    /// written its count.
    pub fn deliveries(&self) -> u32 {
        self.deliveries
    }

    /// Says that work on it goes on, so that it is not delivered to somebody else.
    ///
    /// # Errors
    /// When the connection is gone for good, or away for ten seconds.
    pub async fn progress(&self) -> Result<(), async_nats::Error> {
        acknowledge(&self.message, AckKind::Progress).await
    }

    /// Ends the delivery. An acknowledgement that is lost on the way only means a harmless repeat.
    ///
    /// # Errors
    /// When a message cannot be parked; it is then delivered again.
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
            tracing::debug!(stream = self.stream, %error, "settling failed; the message will come again");
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
