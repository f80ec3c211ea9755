//! Queries a stream without consuming it: one message by sequence, and the progress of a durable consumer. Queries are
//! repeated for half a minute while a server restarts or elects a leader.

use crate::{
    Bus,
    exchange::{is_passing, look},
};
use async_nats::jetstream::message::StreamMessage;
use bytes::Bytes;
use std::time::SystemTime;

/// A stream could not be looked at.
#[derive(Debug, thiserror::Error)]
#[error("cannot look into stream {stream}")]
pub struct LookupError {
    stream: &'static str,
    source: async_nats::Error,
}

impl LookupError {
    /// What a failure means in this stream.
    pub(crate) fn of(stream: &'static str) -> impl Fn(async_nats::Error) -> Self {
        move |source| Self { stream, source }
    }

    /// Whether the server may answer later: it starts, or its cluster elects a leader.
    pub fn is_passing(&self) -> bool {
        is_passing(&self.source)
    }
}

/// A message as it stands in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its place.
    pub sequence: u64,
    /// Where it was published.
    pub subject: String,
    /// When the server stored it, by the server's clock.
    pub stored: SystemTime,
    /// Its bytes.
    pub payload: Bytes,
}

/// How far a durable consumer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Messages not yet delivered.
    pub waiting: u64,
    /// Delivered, not yet settled.
    pub unsettled: usize,
    /// Every message up to this place in the stream is settled.
    pub settled_up_to: u64,
    /// Sequence of the newest delivered message.
    pub delivered_up_to: u64,
}

impl Backlog {
    /// Whether everything up to `sequence` has been settled.
    pub fn is_past(&self, sequence: u64) -> bool {
        self.settled_up_to >= sequence || (self.waiting == 0 && self.unsettled == 0)
    }
}

/// Tells from looks at a backlog whether consumers work it off. Only the messages up to a place in the stream count:
/// their number only falls, so later messages of others do not pass for progress.
#[derive(Debug)]
pub struct Draining {
    last: u64,
    settled: u64,
    delivered: u64,
    unsettled: usize,
}

impl Draining {
    /// Watches the messages up to this sequence.
    pub fn up_to(last: u64) -> Self {
        Self { last, settled: 0, delivered: 0, unsettled: 0 }
    }

    /// Whether fewer of them are left than at any look before.
    pub fn has_moved(&mut self, now: &Backlog) -> bool {
        let (settled, delivered) = (now.settled_up_to.min(self.last), now.delivered_up_to.min(self.last));
        if settled > self.settled || delivered > self.delivered {
            *self = Self { last: self.last, settled, delivered, unsettled: now.unsettled };
            return true;
        }
        let is_fewer = now.unsettled < self.unsettled;
        self.unsettled = self.unsettled.min(now.unsettled);
        is_fewer
    }
}

fn found(message: StreamMessage) -> Found {
    let (sequence, subject, stored) = (message.sequence, message.subject.to_string(), message.time.into());
    Found { sequence, subject, stored, payload: message.payload }
}

impl Bus {
    /// Reads the message with this sequence. `None`: the stream's leader no longer has it.
    ///
    /// # Errors
    /// The server does not answer for 30 s.
    pub async fn get(&self, stream: &'static str, sequence: u64) -> Result<Option<Bytes>, LookupError> {
        let found = look(stream, || self.message_at(stream, sequence)).await?;
        Ok(found.map(|message| message.payload))
    }

    /// Reads the first message on this subject (or pattern) after a sequence. The stream's leader answers, so every
    /// acknowledged message is visible.
    ///
    /// # Errors
    /// The server does not answer for 30 s.
    pub async fn next_on(&self, stream: &'static str, filter: &str, after: u64) -> Result<Option<Found>, LookupError> {
        Ok(look(stream, || self.message_after(stream, filter, after)).await?.map(found))
    }

    /// Reads the last message on this subject (or pattern).
    ///
    /// # Errors
    /// The server does not answer for 30 s.
    pub async fn last_on(&self, stream: &'static str, filter: &str) -> Result<Option<Found>, LookupError> {
        Ok(look(stream, || self.last_message(stream, filter)).await?.map(found))
    }

    /// Sequence of the last message of a stream.
    ///
    /// # Errors
    /// The stream does not exist, or the server does not answer for 30 s.
    pub async fn last_sequence(&self, stream: &'static str) -> Result<u64, LookupError> {
        let info = look(stream, || self.stream_info(stream)).await?;
        let none = || LookupError::of(stream)("there is no such stream".into());
        info.map(|info| info.state.last_sequence).ok_or_else(none)
    }

    /// Progress of a durable consumer.
    ///
    /// # Errors
    /// The consumer does not exist, or the server does not answer for 30 s.
    pub async fn backlog(&self, stream: &'static str, durable: &str) -> Result<Backlog, LookupError> {
        let info = look(stream, || self.consumer_info(stream, durable)).await?;
        Ok(Backlog {
            waiting: info.num_pending,
            unsettled: info.num_ack_pending,
            settled_up_to: info.ack_floor.stream_sequence,
            delivered_up_to: info.delivered.stream_sequence,
        })
    }

    /// Deletes the message at this place for good.
    ///
    /// # Errors
    /// When there is no such message, or the server does not answer.
    pub async fn erase(&self, stream: &'static str, sequence: u64) -> Result<(), LookupError> {
        self.delete_message(stream, sequence).await.map_err(LookupError::of(stream))
    }
}
