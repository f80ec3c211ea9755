//! Core request-reply, on subjects that no stream covers: what must not be stored anywhere.

use crate::Bus;
use async_nats::{RequestErrorKind, Subject};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use std::time::Duration;

/// No answer to a request.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Nobody listens, or on a closed bus this user may not ask.
    #[error("nobody answers {subject}: is the broker running, and may this NATS user ask it?")]
    NobodyThere {
        /// Subject asked.
        subject: String,
    },
    /// Somebody listens and did not answer in time.
    #[error("no answer on {subject} within {timeout:?}")]
    TimedOut {
        /// Subject asked.
        subject: String,
        /// How long was waited.
        timeout: Duration,
    },
    /// The connection failed.
    #[error("asking on {subject} failed")]
    Connection {
        /// Subject asked.
        subject: String,
        /// Why.
        source: async_nats::RequestError,
    },
}

/// Subscribing to a subject failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {subject}")]
pub struct SubscribeError {
    subject: String,
    source: async_nats::Error,
}

/// Sending a message failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot send on {subject}")]
pub struct TellError {
    subject: String,
    source: async_nats::Error,
}

/// A request to be answered.
pub struct Served {
    bus: Bus,
    reply: Option<Subject>,
    /// Where it was asked.
    pub subject: String,
    /// What was asked.
    pub payload: Bytes,
}

impl Bus {
    /// Asks and waits for one answer.
    ///
    /// # Errors
    /// [`RequestError`].
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

    /// Sends a message without an answer to the present subscribers.
    ///
    /// # Errors
    /// The connection is closed, or has been down for ten seconds.
    pub async fn tell(&self, subject: &str, payload: Vec<u8>) -> Result<(), TellError> {
        let failed = |source| TellError { subject: subject.to_owned(), source };
        self.reply(Subject::from(subject), payload.into()).await.map_err(failed)
    }

    /// Requests on a subject, shared among all servers with the same queue name.
    ///
    /// # Errors
    /// The connection is closed, or has been down for ten seconds.
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

/// Whether an answer may go there. Who asks names the subject of the answer, and might name one on which it may not publish
/// itself: that of a stream, or of the JetStream API. `_R_` is where the server takes answers to other NATS accounts.
fn is_inbox(reply: &Subject) -> bool {
    reply.starts_with("_INBOX.") || reply.starts_with("_R_.")
}

impl Served {
    /// Bytes that an answer may have.
    pub fn most_bytes(&self) -> usize {
        self.bus.most_bytes()
    }

    /// Sends the answer; nowhere, when who asked named no inbox.
    pub async fn answer(self, payload: Vec<u8>) {
        let Some(reply) = self.reply else { return };
        if let Err(error) = self.bus.reply(reply, payload.into()).await {
            tracing::warn!(%error, "cannot answer a request");
        }
    }
}
