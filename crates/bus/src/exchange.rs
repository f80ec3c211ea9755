//! Every exchange with the server, each with a time limit on this side. The limits of the client are not enough: it
//! waits indefinitely for room in its queue, which is full while the connection is down, and for answers lost with a
//! connection. `clippy.toml` forbids these calls everywhere else.

#![allow(clippy::disallowed_methods, reason = "the only module that waits for NATS: each wait here has a limit")]

use crate::Bus;
use async_nats::{
    Error, Message as CoreMessage, Subject, Subscriber,
    jetstream::{
        AckKind, ErrorCode, Message,
        consumer::{Info as ConsumerInfo, PullConsumer, pull},
        context::{
            ConsumerInfoError, ConsumerInfoErrorKind, CreateStreamError, CreateStreamErrorKind, PublishAckFuture,
            PublishError, PublishErrorKind, RequestError, RequestErrorKind,
        },
        message::{PublishMessage, StreamMessage},
        response::Response,
        stream::{
            Config, ConsumerError, ConsumerErrorKind, DirectGetError, DirectGetErrorKind, Info, LastRawMessageError,
            LastRawMessageErrorKind, PurgeError, PurgeErrorKind,
        },
    },
};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use std::time::{Duration, Instant};

/// Time limit for one exchange: twice the server's own limit, so that the server's error arrives first.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// Time limit until the server knows a subscription. A user that may not publish to its own inbox cannot find out.
const ROUND_TRIP: Duration = Duration::from_secs(2);

/// Pause between two checks.
pub(crate) const PAUSE: Duration = Duration::from_millis(250);

/// The server did not answer in time.
#[derive(Debug, thiserror::Error)]
#[error("NATS did not answer within {0:?}")]
pub(crate) struct NoAnswer(Duration);

/// Runs an exchange with the limit [`LIMIT`].
async fn limited<T, E: Into<Error>>(exchange: impl Future<Output = Result<T, E>>) -> Result<T, Error> {
    match tokio::time::timeout(LIMIT, exchange).await {
        Ok(result) => result.map_err(Into::into),
        Err(_late) => Err(NoAnswer(LIMIT).into()),
    }
}

/// Requests that need no stream.
impl Bus {
    /// Sends one request. The limit includes the time until the request is sent.
    pub(crate) async fn request(
        &self,
        subject: Subject,
        payload: Bytes,
        timeout: Duration,
    ) -> Result<CoreMessage, async_nats::RequestError> {
        let request = async_nats::Request::new().payload(payload).timeout(Some(timeout));
        let late = |_late| async_nats::RequestError::new(async_nats::RequestErrorKind::TimedOut);
        tokio::time::timeout(timeout, self.client.send_request(subject, request)).await.map_err(late)?
    }

    /// Subscribes, and returns once the server knows the subscription.
    pub(crate) async fn subscribe(&self, subject: Subject, queue: String) -> Result<Subscriber, Error> {
        let subscriber = limited(self.client.queue_subscribe(subject, queue)).await?;
        // A server that is down receives the subscription when the connection is back.
        if !matches!(tokio::time::timeout(ROUND_TRIP, self.round_trip()).await, Ok(Ok(Some(_)))) {
            tracing::debug!("cannot tell whether NATS knows a subscription");
        }
        Ok(subscriber)
    }

    /// Returns once the server of this connection has handled all earlier messages, by sending a message to itself. The
    /// client's own flush waits for the socket only.
    async fn round_trip(&self) -> Result<Option<CoreMessage>, Error> {
        let inbox = Subject::from(self.client.new_inbox());
        let mut answers = self.client.subscribe(inbox.clone()).await?;
        self.client.publish(inbox, Bytes::new()).await?;
        Ok(answers.next().await)
    }

    pub(crate) async fn reply(&self, to: Subject, payload: Bytes) -> Result<(), Error> {
        limited(self.client.publish(to, payload)).await
    }
}

/// Streams and their messages.
impl Bus {
    pub(crate) async fn send_publish(
        &self,
        subject: Subject,
        message: PublishMessage,
    ) -> Result<PublishAckFuture, PublishError> {
        let late = |_late| PublishError::new(PublishErrorKind::TimedOut);
        tokio::time::timeout(LIMIT, self.jetstream.send_publish(subject, message)).await.map_err(late)?
    }

    pub(crate) async fn stored(&self, ack: PublishAckFuture) -> Result<(), PublishError> {
        let late = |_late| PublishError::new(PublishErrorKind::TimedOut);
        tokio::time::timeout(LIMIT, ack.into_future()).await.map_err(late)?.map(drop)
    }

    /// Returns `None` if the server has no such stream.
    pub(crate) async fn stream_info(&self, stream: &str) -> Result<Option<Info>, Error> {
        match limited(self.jetstream.request(format!("STREAM.INFO.{stream}"), &())).await? {
            Response::Ok::<Info>(info) => Ok(Some(info)),
            Response::Err { error } if error.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(None),
            Response::Err { error } => Err(error.into()),
        }
    }

    pub(crate) async fn create_stream(&self, config: Config) -> Result<(), Error> {
        limited(self.jetstream.create_stream(config)).await.map(drop)
    }

    pub(crate) async fn update_stream(&self, config: &Config) -> Result<(), Error> {
        limited(self.jetstream.update_stream(config)).await.map(drop)
    }

    pub(crate) async fn delete_stream(&self, stream: &str) -> Result<(), Error> {
        limited(self.jetstream.delete_stream(stream)).await.map(drop)
    }

    /// Reads the message with this sequence. Any replica may answer, and a lagging one lacks new messages, so the
    /// stream's leader is asked before the message counts as missing.
    pub(crate) async fn message_at(&self, stream: &str, sequence: u64) -> Result<Option<StreamMessage>, Error> {
        let handle = self.jetstream.get_stream_no_info(stream).await?;
        match limited(handle.direct_get(sequence)).await {
            Ok(message) => Ok(Some(message)),
            Err(error) if is_missing(&error) => if_any(limited(handle.get_raw_message(sequence)).await),
            Err(error) => Err(error),
        }
    }

    /// Reads the first message after a sequence that matches the filter, from the leader.
    pub(crate) async fn message_after(
        &self,
        stream: &str,
        filter: &str,
        after: u64,
    ) -> Result<Option<StreamMessage>, Error> {
        let handle = self.jetstream.get_stream_no_info(stream).await?;
        let place = after.saturating_add(1);
        if_any(limited(handle.raw_message_builder().sequence(place).next_by_subject(filter).send()).await)
    }

    /// Reads the last message that matches the filter, from the leader.
    pub(crate) async fn last_message(&self, stream: &str, filter: &str) -> Result<Option<StreamMessage>, Error> {
        let handle = self.jetstream.get_stream_no_info(stream).await?;
        if_any(limited(handle.get_last_raw_message_by_subject(filter)).await)
    }

    pub(crate) async fn delete_message(&self, stream: &str, sequence: u64) -> Result<(), Error> {
        let handle = self.jetstream.get_stream_no_info(stream).await?;
        limited(handle.delete_message(sequence)).await.map(drop)
    }

    /// Lists the subjects that match the filter and hold messages, with their number.
    pub(crate) async fn stream_subjects(&self, stream: &str, filter: &str) -> Result<Vec<(String, usize)>, Error> {
        let handle = self.jetstream.get_stream_no_info(stream).await?;
        let subjects = async {
            let info = handle.info_with_subjects(filter).await?;
            info.try_collect::<Vec<_>>().await
        };
        limited(subjects).await
    }

    /// Removes the messages on matching subjects and returns their number.
    pub(crate) async fn purge_subjects(&self, stream: &str, filter: &str) -> Result<u64, Error> {
        let handle = self.jetstream.get_stream_no_info(stream).await?;
        limited(handle.purge().filter(filter).into_future()).await.map(|purged| purged.purged)
    }
}

/// Operations on consumers.
impl Bus {
    pub(crate) async fn create_consumer(&self, stream: &str, config: pull::Config) -> Result<PullConsumer, Error> {
        let handle = self.jetstream.get_stream_no_info(stream).await?;
        limited(handle.create_consumer(config)).await
    }

    /// Returns the consumer if it exists and this user may see it.
    pub(crate) async fn consumer(&self, stream: &str, name: &str) -> Result<Option<PullConsumer>, Error> {
        use ConsumerInfoErrorKind::{NoResponders, NotFound, StreamNotFound};
        let handle = self.jetstream.get_stream_no_info(stream).await?;
        match limited(handle.get_consumer(name)).await {
            Ok(consumer) => Ok(Some(consumer)),
            Err(error) => match error.downcast_ref::<ConsumerInfoError>() {
                Some(info) if matches!(info.kind(), NotFound | StreamNotFound | NoResponders) => Ok(None),
                _ => Err(error),
            },
        }
    }

    pub(crate) async fn consumer_info(&self, stream: &str, name: &str) -> Result<ConsumerInfo, Error> {
        let handle = self.jetstream.get_stream_no_info(stream).await?;
        limited(handle.consumer_info(name)).await
    }

    pub(crate) async fn consumer_infos(&self, stream: &str) -> Result<Vec<ConsumerInfo>, Error> {
        let handle = self.jetstream.get_stream_no_info(stream).await?;
        limited(handle.consumers().try_collect()).await
    }
}

/// Kind of a pull.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pull {
    /// At most this many messages as they arrive, until the server ends the pull after this duration.
    Wait(usize, Duration),
    /// At most this many of the messages already stored.
    Now(usize),
}

/// Calls `take` with each message of a pull until the pull ends, `take` returns `false`, or `limit` has passed.
/// Messages already taken stay taken after `limit` or an error. After the ack wait, the server redelivers messages that
/// were sent but not taken.
///
/// async-nats ends a waiting pull five seconds after its expiry, but waits forever for the answer to a pull without
/// wait: if the server is killed after it received the request, the new connection has no record of it. Heartbeats do
/// not help, because a batch ignores them.
pub(crate) async fn pull(
    consumer: &PullConsumer,
    pull: Pull,
    limit: Duration,
    mut take: impl FnMut(Message) -> Result<bool, Error>,
) -> Result<(), Error> {
    let messages = async {
        let mut batch = match pull {
            Pull::Wait(most, end) => consumer.batch().max_messages(most).expires(end).messages().await?,
            Pull::Now(most) => consumer.fetch().max_messages(most).messages().await?,
        };
        while let Some(message) = batch.try_next().await? {
            if !take(message)? {
                break;
            }
        }
        Ok(())
    };
    match tokio::time::timeout(limit, messages).await {
        Ok(ended) => ended,
        Err(_late) => Err(NoAnswer(limit).into()),
    }
}

/// Sends an acknowledgement without confirmation from the server.
pub(crate) async fn acknowledge(message: &Message, kind: AckKind) -> Result<(), Error> {
    limited(message.ack_with(kind)).await
}

/// Turns the error "no message found" into `None`.
fn if_any(answer: Result<StreamMessage, Error>) -> Result<Option<StreamMessage>, Error> {
    match answer {
        Ok(message) => Ok(Some(message)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_missing(error: &Error) -> bool {
    let raw = error.downcast_ref::<LastRawMessageError>();
    let direct = error.downcast_ref::<DirectGetError>();
    raw.is_some_and(|error| error.kind() == LastRawMessageErrorKind::NoMessageFound)
        || direct.is_some_and(|error| error.kind() == DirectGetErrorKind::NotFound)
}

/// Whether the request has no responder: JetStream is down, or this user has no permission on a closed bus.
pub(crate) fn is_unheard(error: &Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error.as_ref());
    while let Some(error) = cause {
        let request = error.downcast_ref::<RequestError>();
        let create = error.downcast_ref::<CreateStreamError>();
        if request.is_some_and(|error| error.kind() == RequestErrorKind::NoResponders)
            || create.is_some_and(|error| error.kind() == CreateStreamErrorKind::JetStreamUnavailable)
        {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Whether the error is transient: no answer in time, or a cluster without a leader.
pub(crate) fn is_passing(error: &Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error.as_ref());
    while let Some(error) = cause {
        if passes(error) {
            return true;
        }
        cause = error.source();
    }
    false
}

fn passes(error: &(dyn std::error::Error + 'static)) -> bool {
    const UNAVAILABLE: usize = 503;
    let of_server = |error: async_nats::jetstream::Error| error.code() == UNAVAILABLE;
    let info = error.downcast_ref::<ConsumerInfoError>().map(|error| match error.kind() {
        ConsumerInfoErrorKind::JetStream(error) => of_server(error),
        kind => kind == ConsumerInfoErrorKind::TimedOut,
    });
    let consumer = error.downcast_ref::<ConsumerError>().map(|error| match error.kind() {
        ConsumerErrorKind::JetStream(error) => of_server(error),
        kind => kind == ConsumerErrorKind::TimedOut,
    });
    let stream = error.downcast_ref::<CreateStreamError>().map(|error| match error.kind() {
        CreateStreamErrorKind::JetStream(error) => of_server(error),
        kind => kind == CreateStreamErrorKind::TimedOut,
    });
    let purge = error.downcast_ref::<PurgeError>().map(|error| match error.kind() {
        PurgeErrorKind::JetStream(error) => of_server(error),
        kind => kind == PurgeErrorKind::TimedOut,
    });
    let last = error.downcast_ref::<LastRawMessageError>().map(|error| match error.kind() {
        LastRawMessageErrorKind::JetStream(error) => of_server(error),
        _ => false,
    });
    let direct = error.downcast_ref::<DirectGetError>().map(|error| match error.kind() {
        DirectGetErrorKind::ErrorResponse(status, _) => usize::from(status.as_u16()) == UNAVAILABLE,
        kind => kind == DirectGetErrorKind::TimedOut,
    });
    let request = error.downcast_ref::<RequestError>().map(|error| error.kind() == RequestErrorKind::TimedOut);
    let server = error.downcast_ref::<async_nats::jetstream::Error>().map(|error| error.code() == UNAVAILABLE);
    error.is::<NoAnswer>() || [info, consumer, stream, purge, last, direct, request, server].contains(&Some(true))
}

/// Repeats `ask` until `deadline` while the error is transient, for example while a cluster without one of its servers
/// elects a leader.
pub(crate) async fn patiently<T, F: Future<Output = Result<T, Error>>>(
    deadline: Instant,
    ask: impl Fn() -> F,
) -> Result<T, Error> {
    loop {
        match ask().await {
            Err(error) if is_passing(&error) && Instant::now() < deadline => tokio::time::sleep(PAUSE).await,
            answer => return answer,
        }
    }
}
