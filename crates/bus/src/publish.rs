//! Publishes into a stream. Every message has a deterministic id and is acknowledged by JetStream. A publish can
//! therefore be repeated until it is acknowledged, and the message is stored once.

use crate::Bus;
use async_nats::jetstream::{
    context::{PublishAckFuture, PublishErrorKind},
    message::PublishMessage,
};
use bytes::Bytes;
use events::{AssetEvent, Message, SyncEvent, WorkItem, message_id, subjects};
use std::time::{Duration, Instant};

/// Duration of the retries while the server does not answer: longer than a restart or an election of a leader.
const PATIENCE: Duration = Duration::from_mins(2);
/// Bytes reserved below the server's message limit, for the headers of a parked copy.
const RESERVE: usize = 4 * 1024;
/// Longest reason of a parked message, in bytes. With the other headers it stays below [`RESERVE`].
const MOST_REASON: usize = 1_024;
/// Bytes for the other headers of a parked message: names, subject, sequences, id.
const PARKED_HEADERS: usize = RESERVE - MOST_REASON;
/// Pause before a retry.
const PAUSE: Duration = Duration::from_millis(250);
/// Name of the operation in the log.
const PUBLISHING: &str = "publishing";

/// Header with the reason for parking a message.
pub const PARKED_REASON: &str = "Groma-Parked-Reason";
/// Header with the original subject of a parked message.
pub const PARKED_SUBJECT: &str = "Groma-Parked-Subject";
/// Header with the sequence of a parked message in its original stream.
pub const PARKED_SEQUENCE: &str = "Groma-Parked-Sequence";

/// A message to be published into a stream.
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

    /// A message that could not be handled, from `stream` at `sequence`. Cuts a long reason. Drops the payload if it
    /// leaves no room for the headers below `most`, the server's limit; no message of Groma is that large.
    pub(crate) fn parked(
        stream: &str,
        sequence: u64,
        subject: &str,
        reason: &str,
        payload: Bytes,
        most: usize,
    ) -> Self {
        let mut one_line = events::cut(reason, MOST_REASON).replace(['\r', '\n'], " ");
        let fits = payload.len() + RESERVE <= most;
        if !fits {
            let lost = format!("its payload of {} bytes was too large and was not kept; ", payload.len());
            one_line = events::cut(&(lost + &one_line), MOST_REASON);
        }
        let payload = if fits { payload } else { Bytes::new() };
        let subject = events::cut(subject, PARKED_HEADERS / 2);
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

    /// A part of a message whose other parts could be handled. `part` is unique within the message; `most` is
    /// [`Bus::most_bytes`].
    pub fn parked_part(
        stream: &str,
        sequence: u64,
        part: &str,
        subject: &str,
        reason: &str,
        payload: impl Into<Bytes>,
        most: usize,
    ) -> Self {
        let whole = Self::parked(stream, sequence, subject, reason, payload.into(), most);
        Self { id: format!("{}/{part}", whole.id), ..whole }
    }

    /// Any bytes on any subject, e.g. for tests of untrusted input.
    pub fn new(subject: String, id: String, payload: impl Into<Bytes>) -> Self {
        Self { subject, id, payload: payload.into(), headers: Vec::new() }
    }

    /// Checks the size. Only parked messages may use the reserve.
    fn check(&self, most: usize) -> Result<(), PublishError> {
        let most = if self.headers.is_empty() { most.saturating_sub(RESERVE) } else { most };
        let (subject, bytes) = (self.subject.clone(), self.payload.len());
        if bytes > most { Err(PublishError::TooLarge { subject, bytes, most }) } else { Ok(()) }
    }

    fn message(&self) -> PublishMessage {
        let message = PublishMessage::build().payload(self.payload.clone()).message_id(&self.id);
        self.headers.iter().fold(message, |message, (name, value)| message.header(*name, value.as_str()))
    }
}

/// JetStream did not store a message.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The server rejects the message, or has not answered for two minutes.
    #[error("publishing to {subject} failed")]
    Failed {
        /// Subject of the message.
        subject: String,
        /// Cause.
        source: async_nats::jetstream::context::PublishError,
    },
    /// The message exceeds the size limit.
    #[error("a message for {subject} has {bytes} bytes; the limit is {most}")]
    TooLarge {
        /// Subject of the message.
        subject: String,
        /// Size of its payload in bytes.
        bytes: usize,
        /// Limit in bytes: the server's `max_payload` minus the reserve for parking.
        most: usize,
    },
}

/// A message that was sent and is not yet acknowledged.
pub struct PendingAck {
    bus: Bus,
    outgoing: Outgoing,
    first: Result<PublishAckFuture, async_nats::jetstream::context::PublishError>,
}

impl Bus {
    /// Sends a message and returns immediately. [`PendingAck::wait`] waits for the acknowledgement and repeats a failed
    /// send.
    pub async fn send(&self, outgoing: Outgoing) -> PendingAck {
        let first = match outgoing.check(self.most_bytes()) {
            Ok(()) => self.attempt(&outgoing).await,
            Err(_) => Err(PublishErrorKind::MaxPayloadExceeded.into()),
        };
        PendingAck { bus: self.clone(), outgoing, first }
    }

    /// Sends a message and waits until it is stored.
    ///
    /// # Errors
    /// Fails if the server rejects the message or does not answer for two minutes, or the message is too large.
    pub async fn publish(&self, outgoing: Outgoing) -> Result<(), PublishError> {
        self.send(outgoing).await.wait().await
    }

    /// Largest message that the server accepts, in bytes, including headers: its `max_payload`.
    pub fn most_bytes(&self) -> usize {
        self.client.max_payload()
    }

    async fn attempt(
        &self,
        outgoing: &Outgoing,
    ) -> Result<PublishAckFuture, async_nats::jetstream::context::PublishError> {
        let subject = async_nats::Subject::from(outgoing.subject.as_str());
        self.send_publish(subject, outgoing.message()).await
    }
}

impl PendingAck {
    /// Waits until the message is stored, and resends it while the server does not answer. Recreates a missing stream
    /// if this user may.
    ///
    /// # Errors
    /// Fails if the server rejects the message or does not answer for two minutes, or the message is too large.
    pub async fn wait(self) -> Result<(), PublishError> {
        let Self { bus, outgoing, first } = self;
        outgoing.check(bus.most_bytes())?;
        let deadline = Instant::now() + PATIENCE;
        let mut attempt = first;
        loop {
            let result = match attempt {
                Ok(ack) => bus.stored(ack).await,
                Err(error) => Err(error),
            };
            match result {
                Ok(()) => {
                    bus.publishing.works(PUBLISHING);
                    return Ok(());
                }
                Err(error) if is_transient(error.kind()) && Instant::now() < deadline => {
                    bus.after_failure(&outgoing.subject, &error).await;
                }
                Err(source) => return Err(PublishError::Failed { subject: outgoing.subject, source }),
            }
            attempt = bus.attempt(&outgoing).await;
        }
    }
}

impl Bus {
    async fn after_failure(&self, subject: &str, error: &async_nats::jetstream::context::PublishError) {
        if error.kind() == PublishErrorKind::StreamNotFound
            && let Some(config) = self.streams.storing(subject)
            && let Err(error) = self.restore_stream(config).await
        {
            tracing::debug!(error, stream = config.name, "cannot read the stream's state yet");
        }
        // The pause is constant: concurrent publishers share the failure count.
        self.publishing.failed(PUBLISHING, error, self.is_connected());
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether a retry can help: no answer in time, a broken connection, or a stream without a leader. A server that is
/// starting up reports the latter.
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
