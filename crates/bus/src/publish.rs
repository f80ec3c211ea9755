//! Publishing into a stream. Every message has a deterministic id and is acknowledged by JetStream, so that a publish can
//! be repeated until it is known to be stored, and stored once.

use crate::Bus;
use async_nats::jetstream::{
    context::{PublishAckFuture, PublishErrorKind},
    message::PublishMessage,
};
use bytes::Bytes;
use events::{AssetEvent, Message, SyncEvent, WorkItem, message_id, subjects};
use std::time::{Duration, Instant};

/// How long a publish is repeated while the server does not answer: longer than a restart or an election of a leader.
const PATIENCE: Duration = Duration::from_mins(2);
/// Pause before a repeat.
const PAUSE: Duration = Duration::from_millis(250);

/// Header that says why a message was parked.
pub const PARKED_REASON: &str = "Groma-Parked-Reason";
/// Header with the subject that a parked message came from.
pub const PARKED_SUBJECT: &str = "Groma-Parked-Subject";
/// Header with the place that it had in the stream that it came from.
pub const PARKED_SEQUENCE: &str = "Groma-Parked-Sequence";

/// A message on its way into a stream.
#[derive(Debug, Clone)]
pub struct Outgoing {
    subject: String,
    id: String,
    payload: Bytes,
    headers: Vec<(&'static str, String)>,
}

impl Outgoing {
    /// A work item.
    pub fn work(item: &WorkItem) -> Self {
        Self::new(subjects::work(item), message_id::work(item), item.encode_to_vec())
    }

    /// An asset event.
    pub fn asset(event: &AssetEvent) -> Self {
        Self::new(subjects::asset(event), message_id::asset(event), event.encode_to_vec())
    }

    /// Progress of a sync.
    pub fn sync(event: &SyncEvent) -> Self {
        Self::new(subjects::sync(event), message_id::sync(event), event.encode_to_vec())
    }

    /// A message that could not be handled, from `stream` at `sequence`.
    pub(crate) fn parked(stream: &str, sequence: u64, subject: String, reason: &str, payload: Bytes) -> Self {
        let one_line = reason.replace(['\r', '\n'], " ");
        Self {
            subject: subjects::parked(stream),
            id: format!("parked/{stream}/{sequence}"),
            payload,
            headers: vec![
                (PARKED_REASON, one_line),
                (PARKED_SUBJECT, subject),
                (PARKED_SEQUENCE, sequence.to_string()),
            ],
        }
    }

    /// Any bytes on any subject, for tests of what a stranger may send.
    pub fn new(subject: String, id: String, payload: impl Into<Bytes>) -> Self {
        Self { subject, id, payload: payload.into(), headers: Vec::new() }
    }

    fn message(&self) -> PublishMessage {
        let message = PublishMessage::build().payload(self.payload.clone()).message_id(&self.id);
        self.headers.iter().fold(message, |message, (name, value)| message.header(*name, value.as_str()))
    }
}

/// JetStream did not store a message.
#[derive(Debug, thiserror::Error)]
#[error("publishing to {subject} failed")]
pub struct PublishError {
    subject: String,
    source: async_nats::jetstream::context::PublishError,
}

/// A message that was sent and not yet acknowledged.
pub struct PendingAck {
    bus: Bus,
    outgoing: Outgoing,
    first: Result<PublishAckFuture, async_nats::jetstream::context::PublishError>,
}

impl Bus {
    /// Sends a message and returns at once; [`PendingAck::wait`] says whether it is stored, and repeats a failed send.
    pub async fn send(&self, outgoing: Outgoing) -> PendingAck {
        let first = self.attempt(&outgoing).await;
        PendingAck { bus: self.clone(), outgoing, first }
    }

    /// Sends a message and waits until it is stored.
    ///
    /// # Errors
    /// When the server refuses it, or does not answer for two minutes.
    pub async fn publish(&self, outgoing: Outgoing) -> Result<(), PublishError> {
        self.send(outgoing).await.wait().await
    }

    async fn attempt(
        &self,
        outgoing: &Outgoing,
    ) -> Result<PublishAckFuture, async_nats::jetstream::context::PublishError> {
        let subject = async_nats::Subject::from(outgoing.subject.as_str());
        self.jetstream.send_publish(subject, outgoing.message()).await
    }
}

impl PendingAck {
    /// Waits until the message is stored, sending it again for as long as the server does not answer.
    ///
    /// # Errors
    /// When the server refuses the message, or does not answer for two minutes.
    pub async fn wait(self) -> Result<(), PublishError> {
        let Self { bus, outgoing, first } = self;
        let deadline = Instant::now() + PATIENCE;
        let mut attempt = first;
        loop {
            let result = match attempt {
                Ok(ack) => ack.await,
                Err(error) => Err(error),
            };
            match result {
                Ok(_) => return Ok(()),
                Err(error) if is_transient(error.kind()) && Instant::now() < deadline => {
                    tracing::debug!(subject = %outgoing.subject, %error, "publish not acknowledged; repeating");
                    tokio::time::sleep(PAUSE).await;
                }
                Err(source) => return Err(PublishError { subject: outgoing.subject, source }),
            }
            attempt = bus.attempt(&outgoing).await;
        }
    }
}

/// Whether a repeat can help: no answer in time, a broken connection, or a stream without a leader (as which a server
/// that is starting up answers).
fn is_transient(kind: PublishErrorKind) -> bool {
    matches!(
        kind,
        PublishErrorKind::TimedOut
            | PublishErrorKind::BrokenPipe
            | PublishErrorKind::StreamNotFound
            | PublishErrorKind::MaxAckPending
            | PublishErrorKind::Other
    )
}
