//! Operator's view of the parked stream: list messages with their reasons, send them back, or delete them.

use crate::{
    Bus, LookupError, Outgoing, PublishError,
    publish::{PARKED_REASON, PARKED_SEQUENCE, PARKED_SUBJECT},
    stream_configs::{ASSETS, PARKED, SYNCS, WORK},
};
use async_nats::{HeaderMap, jetstream::message::StreamMessage};
use bytes::Bytes;
use events::subjects;

/// A parked message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedMessage {
    /// Sequence in the parked stream.
    pub sequence: u64,
    /// Time of parking, in nanoseconds since 1970.
    pub parked_at: i128,
    /// Reason for parking it, as its publisher wrote it.
    pub reason: String,
    /// Original stream, e.g. `GROMA_ASSETS`.
    pub stream: String,
    /// Sequence in the original stream. `None` if the header is missing or no number.
    pub stream_sequence: Option<u64>,
    /// Original subject.
    pub subject: String,
    /// Payload. Empty if it was too large to be kept together with the headers.
    pub payload: Bytes,
}

/// Error of [`Bus::send_back`].
#[derive(Debug, thiserror::Error)]
pub enum SendBackError {
    /// The original subject is not one of the stream. The publisher writes that header, and could name any subject.
    #[error("its header names the subject {subject:?}, which does not belong to stream {stream:?}")]
    Origin {
        /// Stream from which it was parked.
        stream: String,
        /// Subject in its header.
        subject: String,
    },
    /// The payload was too large to be kept.
    #[error("its payload was too large and was not kept")]
    NotKept,
    /// Publishing failed.
    #[error("it stays parked")]
    Publish(#[from] PublishError),
    /// The message was published, but is still parked.
    #[error("it was sent back, but cannot be removed from the parked stream")]
    Remove(#[from] LookupError),
}

impl ParkedMessage {
    fn of(message: StreamMessage) -> Self {
        Self {
            sequence: message.sequence,
            parked_at: message.time.unix_timestamp_nanos(),
            payload: message.payload,
            ..Self::told(&message.subject, |name| text_of(&message.headers, name))
        }
    }

    /// Reads the origin of a parked message from its subject and headers. Its publisher wrote both, and may be
    /// untrusted: the result takes no more memory than they do.
    pub fn told(parked_on: &str, header: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            sequence: 0,
            parked_at: 0,
            reason: header(PARKED_REASON).unwrap_or_default(),
            stream: parked_on.rsplit('.').next().unwrap_or_default().to_owned(),
            stream_sequence: header(PARKED_SEQUENCE).and_then(|text| text.parse().ok()),
            subject: header(PARKED_SUBJECT).unwrap_or_default(),
            payload: Bytes::new(),
        }
    }

    /// Whether the original subject belongs to the original stream.
    pub fn is_of_its_stream(&self) -> bool {
        let streams = [(WORK, subjects::WORK), (ASSETS, subjects::ASSETS), (SYNCS, subjects::SYNCS)];
        let pattern = streams.iter().find(|(name, _)| *name == self.stream).map(|(_, pattern)| pattern);
        let rest = pattern.and_then(|pattern| self.subject.strip_prefix(pattern.trim_end_matches('>')));
        let plain =
            |token: &str| !token.is_empty() && !token.contains(['*', '>']) && !token.contains(char::is_whitespace);
        rest.is_some_and(|rest| rest.split('.').all(plain))
    }
}

impl Bus {
    /// Returns the first parked message after a sequence.
    ///
    /// # Errors
    /// Fails if the server does not answer, or this user may not read the stream.
    pub async fn next_parked(&self, after: u64) -> Result<Option<ParkedMessage>, LookupError> {
        let found = self.message_after(PARKED, subjects::PARKED, after).await.map_err(LookupError::of(PARKED))?;
        Ok(found.map(ParkedMessage::of))
    }

    /// Returns the parked message with this sequence.
    ///
    /// # Errors
    /// Same as [`Bus::next_parked`].
    pub async fn parked(&self, sequence: u64) -> Result<Option<ParkedMessage>, LookupError> {
        let Some(after) = sequence.checked_sub(1) else { return Ok(None) };
        Ok(self.next_parked(after).await?.filter(|parked| parked.sequence == sequence))
    }

    /// Publishes a parked message to its original subject, and deletes it from the parked stream once it is stored. The
    /// message id differs from the original one, which may still be in the duplicate window. It is deterministic, so
    /// that a repeat after a crash between the two steps is dropped as a duplicate.
    ///
    /// # Errors
    /// Returns a [`SendBackError`]. The message is still parked.
    pub async fn send_back(&self, parked: &ParkedMessage) -> Result<(), SendBackError> {
        if !parked.is_of_its_stream() {
            let ParkedMessage { stream, subject, .. } = parked.clone();
            return Err(SendBackError::Origin { stream, subject });
        }
        if parked.payload.is_empty() {
            return Err(SendBackError::NotKept);
        }
        let id = format!("retry/{}/{}", parked.sequence, parked.parked_at);
        self.publish(Outgoing::new(parked.subject.clone(), id, parked.payload.clone())).await?;
        self.erase(PARKED, parked.sequence).await?;
        Ok(())
    }
}

fn text_of(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| value.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_goes_back_to_its_own_stream_and_nowhere_else() {
        let of = |stream: &str, subject: &str| ParkedMessage {
            sequence: 1,
            parked_at: 0,
            reason: String::new(),
            stream: stream.to_owned(),
            stream_sequence: None,
            subject: subject.to_owned(),
            payload: Bytes::new(),
        };
        assert!(of(WORK, "groma.v1.work.ec2.1.eu-west-1.s").is_of_its_stream());
        assert!(of(ASSETS, "groma.v1.assets.x").is_of_its_stream());
        for (stream, subject) in [
            (WORK, "groma.v1.assets.s.1.global.iam.ListUsers.batch"),
            (WORK, "$JS.API.STREAM.DELETE.GROMA_ASSETS"),
            (WORK, "groma.v1.work.>"),
            (WORK, "groma.v1.work."),
            (WORK, ""),
            (PARKED, "groma.v1.parked.GROMA_WORK"),
        ] {
            assert!(!of(stream, subject).is_of_its_stream(), "{stream} {subject}");
        }
    }
}
