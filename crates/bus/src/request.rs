//! Request-reply on core NATS, on subjects that no stream covers: for content that must not be stored.

use crate::Bus;
use async_nats::{RequestErrorKind, Subject};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use std::time::Duration;

/// Error of [`Bus::ask`].
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The subject has no subscriber, or on a closed bus this user may not send to it.
    #[error("no responder on {subject}: is the broker running, and may this NATS user send requests to it?")]
    NobodyThere {
        /// Subject of the request.
        subject: String,
    },
    /// A subscriber exists, but did not answer in time.
    #[error("no answer on {subject} within {timeout:?}")]
    TimedOut {
        /// Subject of the request.
        subject: String,
        /// Time limit that passed.
        timeout: Duration,
    },
    /// The connection failed.
    #[error("request on {subject} failed")]
    Connection {
        /// Subject of the request.
        subject: String,
        /// Cause.
        source: async_nats::RequestError,
    },
}

/// Error of [`Bus::serve`].
#[derive(Debug, thiserror::Error)]
#[error("cannot subscribe to {subject}")]
pub struct SubscribeError {
    subject: String,
    source: async_nats::Error,
}

/// Error of [`Bus::tell`].
#[derive(Debug, thiserror::Error)]
#[error("cannot publish to {subject}")]
pub struct TellError {
    subject: String,
    source: async_nats::Error,
}

/// A received request.
pub struct Served {
    bus: Bus,
    reply: Option<Subject>,
    /// Subject of the request, where a pattern was served.
    pub subject: String,
    /// Payload of the request.
    pub payload: Bytes,
}

impl Bus {
    /// Sends a request and waits for one reply.
    ///
    /// # Errors
    /// Returns a [`RequestError`] if there is no subscriber, no reply in time, or no connection.
    pub async fn ask(&self, subject: &str, payload: Vec<u8>, timeout: Duration) -> Result<Bytes, RequestError> {
        match self.request(Subject::from(subject), payload.into(), timeout).await {
            Ok(message) => Ok(message.payload),
            Err(error) => Err(match error.kind() {
                RequestErrorKind::NoResponders => RequestError::NobodyThere { subject: subject.to_owned() },
                RequestErrorKind::TimedOut => RequestError::TimedOut { subject: subject.to_owned(), timeout },
                _ => RequestError::Connection { subject: subject.to_owned(), source: error },
            }),
        }
    }

    /// Publishes a message to the present subscribers; nothing stores it.
    ///
    /// # Errors
    /// Fails if the connection is closed, or has been down for ten seconds.
    pub async fn tell(&self, subject: &str, payload: Vec<u8>) -> Result<(), TellError> {
        let failed = |source| TellError { subject: subject.to_owned(), source };
        self.reply(Subject::from(subject), payload.into()).await.map_err(failed)
    }

    /// Subscribes to requests on a subject, shared among all subscribers with the same queue name.
    ///
    /// # Errors
    /// Fails if the connection is closed, or has been down for ten seconds.
    pub async fn serve(
        &self,
        subject: &str,
        queue: &str,
    ) -> Result<impl Stream<Item = Served> + use<>, SubscribeError> {
        let failed = |source| SubscribeError { subject: subject.to_owned(), source };
        let subscription = self.subscribe(Subject::from(subject), queue.to_owned()).await.map_err(failed)?;
        let bus = self.clone();
        Ok(subscription.map(move |message| Served {
            bus: bus.clone(),
            reply: message.reply.filter(is_inbox),
            subject: message.subject.to_string(),
            payload: message.payload,
        }))
    }
}

/// Whether a reply may go to this subject. The requester chooses it, and could choose one on which it may not publish
/// itself: of a stream, or of the JetStream API. `_R_` is the prefix under which the server routes replies to other
/// NATS accounts.
fn is_inbox(reply: &Subject) -> bool {
    reply.starts_with("_INBOX.") || reply.starts_with("_R_.")
}

impl Served {
    /// Largest reply in bytes.
    pub fn most_bytes(&self) -> usize {
        self.bus.most_bytes()
    }

    /// Sends the reply. Does nothing if the request has no inbox as its reply subject.
    pub async fn answer(self, payload: Vec<u8>) {
        let Some(reply) = self.reply else { return };
        if let Err(error) = self.bus.reply(reply, payload.into()).await {
            tracing::warn!(%error, "cannot reply to a request");
        }
    }
}
