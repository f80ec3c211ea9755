//! Reads part of a stream from its first message to its last, without a durable position and without acknowledgements.

use crate::{
    Bus, Found, LookupError,
    exchange::{Pull, pull as pulled},
    lookup::look,
};
use async_nats::jetstream::{
    Message,
    consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull},
};
use std::{collections::VecDeque, time::Duration};

/// Messages per fetch. An asset event has about half a megabyte at most.
const TOGETHER: usize = 64;
/// The server deletes the consumer of a reader that sends no request for this duration.
const FORGOTTEN: Duration = Duration::from_mins(5);
/// Time limit of one fetch. The messages are already stored.
const FETCH: Duration = Duration::from_secs(30);
/// Extra time for the end of a pull to arrive.
const GRACE: Duration = Duration::from_secs(5);

/// Number of restarts in a row after the server sent messages that did not arrive.
const RESTARTS: u32 = 5;

/// The messages that were on a subject when reading began, in stream order.
pub struct Reading {
    bus: Bus,
    stream: &'static str,
    filter: String,
    consumer: PullConsumer,
    fetched: VecDeque<Found>,
    /// Number of messages not yet fetched.
    left: u64,
    /// Sequence of the last fetched message.
    last: u64,
    /// Number of messages delivered by this consumer.
    delivered: u64,
    restarts: u32,
}

impl Bus {
    /// Starts reading every message that is now on a subject (or pattern) of a stream.
    ///
    /// # Errors
    /// Fails if the stream does not exist or may not be read.
    pub async fn read(&self, stream: &'static str, filter: String) -> Result<Reading, LookupError> {
        let consumer = self.reader(stream, &filter, 0).await?;
        let left = consumer.cached_info().num_pending;
        let (bus, fetched) = (self.clone(), VecDeque::new());
        Ok(Reading { bus, stream, filter, consumer, fetched, left, last: 0, delivered: 0, restarts: 0 })
    }

    async fn reader(&self, stream: &'static str, filter: &str, after: u64) -> Result<PullConsumer, LookupError> {
        let config = || pull::Config {
            // With a name, the filter is part of the request's subject, where permissions apply to it.
            name: Some(format!("reader-{}", self.token())),
            filter_subject: filter.to_owned(),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: after + 1 },
            ack_policy: AckPolicy::None,
            inactive_threshold: FORGOTTEN,
            ..pull::Config::default()
        };
        look(stream, || self.create_consumer(stream, config())).await
    }
}

impl Reading {
    /// Returns the next message; `None` after the last.
    ///
    /// # Errors
    /// Fails if the server does not answer, or messages did not arrive after five restarts. The rest cannot be read by
    /// calling again.
    pub async fn next(&mut self) -> Result<Option<Found>, LookupError> {
        while self.fetched.is_empty() && self.left > 0 {
            self.fetch().await?;
        }
        Ok(self.fetched.pop_front())
    }

    async fn fetch(&mut self) -> Result<(), LookupError> {
        let Self { consumer, fetched, left, last, delivered, .. } = self;
        let take = |message: Message| {
            let info = message.info()?;
            // Without acknowledgements, the server does not resend a lost message.
            if info.consumer_sequence != *delivered + 1 {
                return Err("messages were lost on the way".into());
            }
            (*delivered, *last, *left) = (info.consumer_sequence, info.stream_sequence, info.pending);
            let (sequence, stored, subject) =
                (info.stream_sequence, info.published.into(), message.subject.to_string());
            fetched.push_back(Found { sequence, subject, stored, payload: message.message.payload.clone() });
            Ok(*left > 0)
        };
        let ended = pulled(consumer, Pull::Wait(TOGETHER, FETCH), FETCH + GRACE, take).await;
        if !self.fetched.is_empty() {
            // If the next fetch fails too, it returns the error.
            self.restarts = 0;
            return Ok(());
        }
        let error = ended.err().unwrap_or_else(|| "stored messages did not arrive".into());
        if self.restarts == RESTARTS {
            return Err(LookupError::of(self.stream)(error));
        }
        tracing::debug!(error, stream = self.stream, after = self.last, "restarting the read");
        self.restarts += 1;
        self.consumer = self.bus.reader(self.stream, &self.filter, self.last).await?;
        self.delivered = 0;
        Ok(())
    }
}
