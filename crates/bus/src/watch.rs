//! Watches a stream without a durable position. The server keeps a consumer for each watcher. If the server loses it,
//! the watcher creates another one and continues at its position.

use crate::{Bus, position::Position};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use std::{sync::Arc, time::Duration};

/// The server deletes the consumer of a watcher that sends no request for this duration.
const FORGOTTEN: Duration = Duration::from_mins(5);
/// Ack wait: the server redelivers an unsettled message after this duration.
const ACK_WAIT: Duration = Duration::from_secs(30);

/// Filter and position of a watcher.
pub(crate) struct Watcher {
    filter: String,
    pub(crate) position: Arc<Position>,
}

impl Watcher {
    /// A watcher of this subject, before the first message.
    pub(crate) fn new(filter: String) -> Self {
        Self { filter, position: Arc::default() }
    }

    /// Creates another consumer at the watcher's position, and the stream if it is missing too. Returns `None` if the
    /// consumer `name` exists.
    pub(crate) async fn restore(
        &self,
        bus: &Bus,
        stream: &'static str,
        name: &str,
    ) -> Result<Option<PullConsumer>, async_nats::Error> {
        if bus.consumer(stream, name).await?.is_some() {
            return Ok(None);
        }
        if let Some(config) = bus.streams.named(stream) {
            bus.restore_stream(config).await?;
        }
        let handle = self.create(bus, stream).await?;
        tracing::warn!(stream, "a watcher's consumer was missing; created another one at the first unsettled message");
        Ok(Some(handle))
    }

    /// Creates a consumer at the watcher's position.
    pub(crate) async fn create(&self, bus: &Bus, stream: &str) -> Result<PullConsumer, async_nats::Error> {
        let info = bus.stream_info(stream).await?.ok_or_else(|| format!("no such stream: {stream}"))?;
        let config = pull::Config {
            // With a name, the filter is part of the request's subject, where permissions apply to it.
            name: Some(format!("watcher-{}", bus.token())),
            filter_subject: self.filter.clone(),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            inactive_threshold: FORGOTTEN,
            num_replicas: info.config.num_replicas,
            deliver_policy: match self.position.restart(info.created.unix_timestamp_nanos()) {
                0 | 1 => DeliverPolicy::All,
                start_sequence => DeliverPolicy::ByStartSequence { start_sequence },
            },
            ..pull::Config::default()
        };
        bus.create_consumer(stream, config).await
    }
}
