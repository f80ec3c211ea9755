//! Queries a stream without consuming it: a message by sequence, or the progress of a durable consumer. Retries queries
//! for half a minute while a server restarts or elects a leader.

use crate::{
    Bus,
    exchange::{PAUSE, is_passing, is_unheard},
};
use async_nats::{
    Error,
    jetstream::{consumer::Info as ConsumerInfo, message::StreamMessage},
};
use bytes::Bytes;
use std::time::{Duration, Instant, SystemTime};

/// Duration of the retries of a stream query while the server restarts or elects a leader.
const LOOK: Duration = Duration::from_secs(30);

/// A query of a stream failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot query stream {stream}")]
pub struct LookupError {
    stream: &'static str,
    source: async_nats::Error,
}

impl LookupError {
    /// Wraps an error of a query of this stream.
    pub(crate) fn of(stream: &'static str) -> impl Fn(async_nats::Error) -> Self {
        move |source| Self { stream, source }
    }

    /// Whether the error is transient: the server is starting, or its cluster is electing a leader.
    pub fn is_passing(&self) -> bool {
        is_passing(&self.source)
    }
}

/// Queries a stream, with retries. "No responders" counts as transient here, because JetStream may still be starting.
pub(crate) async fn look<T, F: Future<Output = Result<T, Error>>>(
    stream: &'static str,
    ask: impl Fn() -> F,
) -> Result<T, LookupError> {
    let deadline = Instant::now() + LOOK;
    loop {
        match ask().await {
            Err(error) if (is_passing(&error) || is_unheard(&error)) && Instant::now() < deadline => {
                tracing::debug!(%error, stream, "querying the stream again");
                tokio::time::sleep(PAUSE).await;
            }
            answer => return answer.map_err(LookupError::of(stream)),
        }
    }
}

/// A stored message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Sequence in the stream.
    pub sequence: u64,
    /// Subject to which it was published.
    pub subject: String,
    /// Time at which the server stored it, by the server's clock.
    pub stored: SystemTime,
    /// Payload.
    pub payload: Bytes,
}

/// Progress of a durable consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Messages not yet delivered.
    pub waiting: u64,
    /// Number of messages that were delivered but not settled.
    pub unsettled: usize,
    /// Every message up to this sequence is settled.
    pub settled_up_to: u64,
    /// Sequence of the newest delivered message.
    pub delivered_up_to: u64,
}

impl Backlog {
    pub(crate) fn of(info: &ConsumerInfo) -> Self {
        Self {
            waiting: info.num_pending,
            unsettled: info.num_ack_pending,
            settled_up_to: info.ack_floor.stream_sequence,
            delivered_up_to: info.delivered.stream_sequence,
        }
    }

    /// Whether the consumer has nothing to deliver or to settle, as far as its server knows. In a cluster that server
    /// may lag behind the stream's leader.
    pub fn is_idle(&self) -> bool {
        self.waiting == 0 && self.unsettled == 0
    }
}

/// Detects progress from successive reads of a backlog. Counts only the messages up to a sequence: their number only
/// falls, so later messages do not look like progress.
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

    /// Returns whether fewer of them are left than at any earlier read.
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
    /// Fails if the server does not answer for 30 s.
    pub async fn get(&self, stream: &'static str, sequence: u64) -> Result<Option<Bytes>, LookupError> {
        let found = look(stream, || self.message_at(stream, sequence)).await?;
        Ok(found.map(|message| message.payload))
    }

    /// Reads the first message on this subject (or pattern) after a sequence. The stream's leader answers, so every
    /// acknowledged message is visible.
    ///
    /// # Errors
    /// Fails if the server does not answer for 30 s.
    pub async fn next_on(&self, stream: &'static str, filter: &str, after: u64) -> Result<Option<Found>, LookupError> {
        Ok(look(stream, || self.message_after(stream, filter, after)).await?.map(found))
    }

    /// Reads the last message on this subject (or pattern).
    ///
    /// # Errors
    /// Fails if the server does not answer for 30 s.
    pub async fn last_on(&self, stream: &'static str, filter: &str) -> Result<Option<Found>, LookupError> {
        Ok(look(stream, || self.last_message(stream, filter)).await?.map(found))
    }

    /// Sequence of the last message of a stream.
    ///
    /// # Errors
    /// Fails if the stream does not exist, or the server does not answer for 30 s.
    pub async fn last_sequence(&self, stream: &'static str) -> Result<u64, LookupError> {
        let info = look(stream, || self.stream_info(stream)).await?;
        let none = || LookupError::of(stream)("no such stream".into());
        info.map(|info| info.state.last_sequence).ok_or_else(none)
    }

    /// Progress of a durable consumer.
    ///
    /// # Errors
    /// Fails if the consumer does not exist, or the server does not answer for 30 s.
    pub async fn backlog(&self, stream: &'static str, durable: &str) -> Result<Backlog, LookupError> {
        Ok(Backlog::of(&look(stream, || self.consumer_info(stream, durable)).await?))
    }

    /// Deletes the message with this sequence permanently.
    ///
    /// # Errors
    /// Fails if there is no such message, or the server does not answer.
    pub async fn erase(&self, stream: &'static str, sequence: u64) -> Result<(), LookupError> {
        self.delete_message(stream, sequence).await.map_err(LookupError::of(stream))
    }
}
