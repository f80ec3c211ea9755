//! Looking at a stream without consuming it: one message by its place, and how far a durable consumer has come.

use crate::Bus;
use async_nats::jetstream::{
    consumer,
    message::StreamMessage,
    stream::{DirectGetErrorKind, LastRawMessageError, LastRawMessageErrorKind},
};
use bytes::Bytes;

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
}

/// A message as it stands in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its place.
    pub sequence: u64,
    /// Where it was published.
    pub subject: String,
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
}

impl Backlog {
    /// Whether everything up to `sequence` has been settled.
    pub fn is_past(&self, sequence: u64) -> bool {
        self.settled_up_to >= sequence || (self.waiting == 0 && self.unsettled == 0)
    }
}

fn found(message: StreamMessage) -> Found {
    Found { sequence: message.sequence, subject: message.subject.to_string(), payload: message.payload }
}

/// None where the server says that there is no such message.
fn if_any(
    stream: &'static str,
    answer: Result<StreamMessage, LastRawMessageError>,
) -> Result<Option<StreamMessage>, LookupError> {
    match answer {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(LookupError::of(stream)(error.into())),
    }
}

impl Bus {
    /// The message at this place; none when the stream no longer has it.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn get(&self, stream: &'static str, sequence: u64) -> Result<Option<Bytes>, LookupError> {
        let failed = LookupError::of(stream);
        let handle = self.jetstream.get_stream_no_info(stream).await.map_err(|e| failed(e.into()))?;
        match handle.direct_get(sequence).await {
            Ok(message) => Ok(Some(message.payload)),
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error.into())),
        }
    }

    /// The first message on this subject (or pattern) that stands after a place. Asked of the stream's leader, so that what
    /// was acknowledged is seen.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn next_on(&self, stream: &'static str, filter: &str, after: u64) -> Result<Option<Found>, LookupError> {
        Ok(self.message_after(stream, filter, after).await?.map(found))
    }

    /// The same with all that the server keeps of it.
    pub(crate) async fn message_after(
        &self,
        stream: &'static str,
        filter: &str,
        after: u64,
    ) -> Result<Option<StreamMessage>, LookupError> {
        let failed = LookupError::of(stream);
        let handle = self.jetstream.get_stream_no_info(stream).await.map_err(|e| failed(e.into()))?;
        let place = after.saturating_add(1);
        if_any(stream, handle.raw_message_builder().sequence(place).next_by_subject(filter).send().await)
    }

    /// The last message on this subject (or pattern).
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn last_on(&self, stream: &'static str, filter: &str) -> Result<Option<Found>, LookupError> {
        let failed = LookupError::of(stream);
        let handle = self.jetstream.get_stream_no_info(stream).await.map_err(|e| failed(e.into()))?;
        Ok(if_any(stream, handle.get_last_raw_message_by_subject(filter).await)?.map(found))
    }

    /// Place of the last message of a stream.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn last_sequence(&self, stream: &'static str) -> Result<u64, LookupError> {
        let failed = LookupError::of(stream);
        let handle = self.jetstream.get_stream(stream).await.map_err(|e| failed(e.into()))?;
        Ok(handle.cached_info().state.last_sequence)
    }

    /// How far a durable consumer has come.
    ///
    /// # Errors
    /// When there is no such consumer, or the server does not answer.
    pub async fn backlog(&self, stream: &'static str, durable: &str) -> Result<Backlog, LookupError> {
        let failed = LookupError::of(stream);
        let handle = self.jetstream.get_stream_no_info(stream).await.map_err(|e| failed(e.into()))?;
        let info: consumer::Info = handle.consumer_info(durable).await.map_err(|e| failed(e.into()))?;
        Ok(Backlog {
            waiting: info.num_pending,
            unsettled: info.num_ack_pending,
            settled_up_to: info.ack_floor.stream_sequence,
        })
    }

    /// Deletes the message at this place for good.
    ///
    /// # Errors
    /// When there is no such message, or the server does not answer.
    pub async fn erase(&self, stream: &'static str, sequence: u64) -> Result<(), LookupError> {
        let failed = LookupError::of(stream);
        let handle = self.jetstream.get_stream_no_info(stream).await.map_err(|e| failed(e.into()))?;
        handle.delete_message(sequence).await.map(drop).map_err(|e| failed(e.into()))
    }
}
