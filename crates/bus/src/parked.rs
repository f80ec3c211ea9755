//! The parked stream as an operator sees it: what is on it and why, back to where it came from, or away for good.

use crate::{
    Bus, LookupError, Outgoing, PublishError,
    publish::{PARKED_REASON, PARKED_SEQUENCE, PARKED_SUBJECT},
    streams::{ASSETS, PARKED, SYNCS, WORK},
};
use async_nats::{HeaderMap, jetstream::message::StreamMessage};
use bytes::Bytes;
use events::subjects;

/// A message that could not be handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedMessage {
    /// Its place on the parked stream.
    pub sequence: u64,
    /// When it was parked, in nanoseconds since 1970.
    pub parked_at: i128,
    /// Why.
    pub reason: String,
    /// The stream that it came from.
    pub stream: String,
    /// Its place there, where who parked it said so.
    pub stream_sequence: Option<u64>,
    /// Where it was published first.
    pub subject: String,
    /// Bytes of the message; empty if they left no room for the reason.
    pub payload: Bytes,
}

/// A parked message could not be sent back.
#[derive(Debug, thiserror::Error)]
pub enum SendBackError {
    /// What it says of its origin is not so: who parks a message writes that, and might name any subject.
    #[error("it says that it came from {subject:?}, which is no subject of stream {stream:?}")]
    Origin {
        /// Stream that it was parked from.
        stream: String,
        /// Subject that it names.
        subject: String,
    },
    /// The message was too large to be parked with its bytes.
    #[error("its bytes were not kept, because they were too many")]
    NotKept,
    /// It could not be published.
    #[error("it stays parked")]
    Publish(#[from] PublishError),
    /// It was published, and is still parked.
    #[error("it was sent back and cannot be removed from the parked stream")]
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

    /// What a message says of its origin with its subject and its headers. Its publisher wrote both, and may be a stranger:
    /// the result takes no more memory than they do.
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

    /// Whether the subject that it names is one of the stream that it was parked from.
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
    /// The first parked message after a place.
    ///
    /// # Errors
    /// When the server does not answer, or this user may not look.
    pub async fn next_parked(&self, after: u64) -> Result<Option<ParkedMessage>, LookupError> {
        let found = self.message_after(PARKED, subjects::PARKED, after).await.map_err(LookupError::of(PARKED))?;
        Ok(found.map(ParkedMessage::of))
    }

    /// The parked message at a place.
    ///
    /// # Errors
    /// As [`Bus::next_parked`].
    pub async fn parked(&self, sequence: u64) -> Result<Option<ParkedMessage>, LookupError> {
        let Some(after) = sequence.checked_sub(1) else { return Ok(None) };
        Ok(self.next_parked(after).await?.filter(|parked| parked.sequence == sequence))
    }

    /// Publishes a parked message again where it came from, and takes it off the parked stream once it is stored there. Its
    /// new id is not the first one's, which the duplicate window may still know, and always the same, so that a repeat
    /// after a crash between the two steps is one message.
    ///
    /// # Errors
    /// [`SendBackError`].
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
