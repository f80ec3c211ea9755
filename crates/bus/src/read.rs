//! Reading a part of a stream from its first message to its last, without a durable place and without acknowledging:
//! for copying what is there.

use crate::{
    Bus, Found, LookupError,
    exchange::{Pull, look, pull as pulled},
};
use async_nats::jetstream::{
    Message,
    consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull},
};
use std::{collections::VecDeque, time::Duration};

/// Messages fetched at once: asset events have at most half a megabyte or so.
const TOGETHER: usize = 64;
/// The server forgets a reader that asks for nothing for this long.
const FORGOTTEN: Duration = Duration::from_mins(5);
/// How long one fetch may take; the messages are there already.
const FETCH: Duration = Duration::from_secs(30);
/// Extra time for the end of a pull to arrive.
const GRACE: Duration = Duration::from_secs(5);

/// How often reading begins anew after messages that the server sent did not arrive.
const RESTARTS: u32 = 5;

/// The messages that stood on a subject when reading began, in their order.
pub struct Reading {
    bus: Bus,
    stream: &'static str,
    filter: String,
    consumer: PullConsumer,
    fetched: VecDeque<Found>,
    /// Messages that are not fetched yet.
    left: u64,
    /// Sequence of the last message that was fetched.
    last: u64,
    /// Messages that this consumer has delivered.
    delivered: u64,
    restarts: u32,
}

impl Bus {
    /// Reads every message that is now on a subject (or pattern) of a stream.
    ///
    /// # Errors
    /// When the stream does not exist or may not be read.
    pub async fn read(&self, stream: &'static str, filter: String) -> Result<Reading, LookupError> {
        let consumer = self.reader(stream, &filter, 0).await?;
        let left = consumer.cached_info().num_pending;
        let (bus, fetched) = (self.clone(), VecDeque::new());
        Ok(Reading { bus, stream, filter, consumer, fetched, left, last: 0, delivered: 0, restarts: 0 })
    }

    async fn reader(&self, stream: &'static str, filter: &str, after: u64) -> Result<PullConsumer, LookupError> {
        let config = || pull::Config {
            // With a name the filter stands in the subject of the request, where permissions can see it.
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
    /// The next message; none after the last.
    ///
    /// # Errors
    /// When the server does not answer; what is left unread cannot be read by going on.
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
            // Without acknowledgements, a message that does not arrive is not sent again.
            if info.consumer_sequence != *delivered + 1 {
                return Err("messages did not arrive".into());
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
        let error = ended.err().unwrap_or_else(|| "messages that were there do not come".into());
        if self.restarts == RESTARTS {
            return Err(LookupError::of(self.stream)(error));
        }
        tracing::debug!(error, stream = self.stream, after = self.last, "reading begins anew");
        self.restarts += 1;
        self.consumer = self.bus.reader(self.stream, &self.filter, self.last).await?;
        self.delivered = 0;
        Ok(())
    }
}
