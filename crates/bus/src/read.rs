//! Reading a part of a stream from its first message to its last, without a durable place and without acknowledging:
//! for copying what is there.

use crate::{
    Bus, Found, LookupError,
    exchange::{Pull, pull as pulled},
};
use async_nats::jetstream::{
    Message,
    consumer::{AckPolicy, PullConsumer, pull},
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

/// The messages that stood on a subject when reading began, in their order.
pub struct Reading {
    stream: &'static str,
    consumer: PullConsumer,
    fetched: VecDeque<Found>,
    /// Messages that are not fetched yet.
    left: u64,
}

impl Bus {
    /// Reads every message that is now on a subject (or pattern) of a stream.
    ///
    /// # Errors
    /// When the stream does not exist or may not be read.
    pub async fn read(&self, stream: &'static str, filter: String) -> Result<Reading, LookupError> {
        let failed = LookupError::of(stream);
        let config = pull::Config {
            // With a name the filter stands in the subject of the request, where permissions can see it.
            name: Some(format!("reader-{}", self.token())),
            filter_subject: filter,
            ack_policy: AckPolicy::None,
            inactive_threshold: FORGOTTEN,
            ..pull::Config::default()
        };
        let consumer = self.create_consumer(stream, config).await.map_err(failed)?;
        let left = consumer.cached_info().num_pending;
        Ok(Reading { stream, consumer, fetched: VecDeque::new(), left })
    }
}

impl Reading {
    /// The next message; none after the last.
    ///
    /// # Errors
    /// When the server does not answer; what is left unread cannot be read by going on.
    pub async fn next(&mut self) -> Result<Option<Found>, LookupError> {
        if self.fetched.is_empty() && self.left > 0 {
            self.fetch().await?;
        }
        Ok(self.fetched.pop_front())
    }

    async fn fetch(&mut self) -> Result<(), LookupError> {
        let failed = LookupError::of(self.stream);
        let Self { consumer, fetched, left, .. } = self;
        let take = |message: Message| {
            let info = message.info()?;
            *left = info.pending;
            let (sequence, subject) = (info.stream_sequence, message.subject.to_string());
            fetched.push_back(Found { sequence, subject, payload: message.message.payload.clone() });
            Ok(*left > 0)
        };
        let ended = pulled(consumer, Pull::Wait(TOGETHER, FETCH), FETCH + GRACE, take).await;
        match ended {
            Ok(()) if self.fetched.is_empty() => Err(failed("messages that were there do not come".into())),
            Err(error) if self.fetched.is_empty() => Err(failed(error)),
            // If the next fetch fails too, it returns the error.
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
