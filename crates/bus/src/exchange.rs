//! Every exchange with the server, each with a limit on this side. The client's own limits do not do: it waits without one
//! for room in its queue, which is full while the connection is away, and for answers that were lost with a connection.
//! `clippy.toml` forbids these calls everywhere else.

#![allow(clippy::disallowed_methods, reason = "the one place that waits for NATS: each wait here has a limit")]

use crate::{Bus, LookupError, streams::PAUSE};
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
use futures::TryStreamExt;
use std::time::{Duration, Instant};

/// Longest wait for one exchange: twice what the server may take for an answer, so that its own words come first.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// The server did not answer in time.
#[derive(Debug, thiserror::Error)]
#[error("NATS did not answer within {0:?}")]
pub(crate) struct NoAnswer(Duration);

/// What an exchange comes to within [`LIMIT`].
async fn limited<T, E: Into<Error>>(exchange: impl Future<Output = Result<T, E>>) -> Result<T, Error> {
    match tokio::time::timeout(LIMIT, exchange).await {
        Ok(result) => result.map_err(Into::into),
        Err(_late) => Err(NoAnswer(LIMIT).into()),
    }
}

/// Requests without a stream.
impl Bus {
    /// Asks once. The limit also covers the time until the request is on its way.
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

    /// Subscribes, and returns when the server has heard of it.
    pub(crate) async fn subscribe(&self, subject: Subject, queue: String) -> Result<Subscriber, Error> {
        let subscriber = limited(self.client.queue_subscribe(subject, queue)).await?;
        // A server that is away hears of it when it is back.
        limited(self.client.flush()).await.ok();
        Ok(subscriber)
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

    /// None where the server says that there is no such stream.
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

    /// The message at a place. Any replica may answer, and one that lags does not have it yet, so the stream's leader is
    /// asked before an absence is believed.
    pub(crate) async fn message_at(&self, stream: &str, sequence: u64) -> Result<Option<StreamMessage>, Error> {
        let handle = self.jetstream.get_stream_no_info(stream).await?;
        match limited(handle.direct_get(sequence)).await {
            Ok(message) => Ok(Some(message)),
            Err(error) if is_missing(&error) => if_any(limited(handle.get_raw_message(sequence)).await),
            Err(error) => Err(error),
        }
    }

    /// The first message after a place that stands on a subject, asked of the leader.
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

    /// The last message on a subject, asked of the leader.
    pub(crate) async fn last_message(&self, stream: &str, filter: &str) -> Result<Option<StreamMessage>, Error> {
        let handle = self.jetstream.get_stream_no_info(stream).await?;
        if_any(limited(handle.get_last_raw_message_by_subject(filter)).await)
    }

    pub(crate) async fn delete_message(&self, stream: &str, sequence: u64) -> Result<(), Error> {
        let handle = self.jetstream.get_stream_no_info(stream).await?;
        limited(handle.delete_message(sequence)).await.map(drop)
    }

    /// Subjects that match and hold messages.
    pub(crate) async fn stream_subjects(&self, stream: &str, filter: &str) -> Result<Vec<String>, Error> {
        let handle = self.jetstream.get_stream_no_info(stream).await?;
        let subjects = async {
            let info = handle.info_with_subjects(filter).await?;
            info.map_ok(|(subject, _)| subject).try_collect::<Vec<_>>().await
        };
        limited(subjects).await
    }

    /// Removes what is on the subjects that match; how many messages that were.
    pub(crate) async fn purge_subjects(&self, stream: &str, filter: &str) -> Result<u64, Error> {
        let handle = self.jetstream.get_stream_no_info(stream).await?;
        limited(handle.purge().filter(filter).into_future()).await.map(|purged| purged.purged)
    }
}

/// Consumers.
impl Bus {
    pub(crate) async fn create_consumer(&self, stream: &str, config: pull::Config) -> Result<PullConsumer, Error> {
        let handle = self.jetstream.get_stream_no_info(stream).await?;
        limited(handle.create_consumer(config)).await
    }

    /// The consumer if it is there and this user may see it.
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

/// A pull: what it asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pull {
    /// At most this many messages, as they come, until the server ends the pull after this long.
    Wait(usize, Duration),
    /// At most this many of the messages that are there.
    Now(usize),
}

/// Calls `take` with each message that a pull brings until it is over, `take` has enough (`false`), or `limit` has passed.
/// Neither `limit` nor an error undoes what was taken; messages that the server sent and that were not taken are delivered
/// again after the ack wait.
///
/// async-nats gives up a waiting pull five seconds after its end, and waits for the answer to one that does not wait for
/// ever: when the server is killed after it got the request, the connection that is made next knows nothing of it.
/// Heartbeats do not help, a batch does not look at them.
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

/// Sends an acknowledgement; nothing says whether it arrives.
pub(crate) async fn acknowledge(message: &Message, kind: AckKind) -> Result<(), Error> {
    limited(message.ack_with(kind)).await
}

/// None where the server says that there is no such message.
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

/// Whether nobody hears a request: JetStream is away, or on a closed bus this user may not ask.
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

/// Whether it may be otherwise in a moment: no answer in time, or a cluster that has no leader yet.
fn is_passing(error: &Error) -> bool {
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

/// How long a look into a stream is tried again while the server restarts or elects.
const LOOK: Duration = Duration::from_secs(30);

/// A look into a stream, also while JetStream starts: nobody hears a request then.
pub(crate) async fn look<T, F: Future<Output = Result<T, Error>>>(
    stream: &'static str,
    ask: impl Fn() -> F,
) -> Result<T, LookupError> {
    let deadline = Instant::now() + LOOK;
    loop {
        match ask().await {
            Err(error) if (is_passing(&error) || is_unheard(&error)) && Instant::now() < deadline => {
                tracing::debug!(%error, stream, "looking into the stream again");
                tokio::time::sleep(PAUSE).await;
            }
            answer => return answer.map_err(LookupError::of(stream)),
        }
    }
}

/// Asks until the answer is more than that the server is not ready, or until `deadline`: while a server of a cluster is
/// stopped and the others elect a leader.
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
