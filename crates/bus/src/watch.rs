//! Watches a stream without a durable position. The server keeps a consumer for each watcher. If the server loses it,
//! the watcher creates another one and continues at its position.

use crate::{Bus, ConsumeError, Consumer, consume::Kind, exchange::patiently, streams::PATIENCE};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use parking_lot::{Mutex, MutexGuard};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

/// The server deletes the consumer of a watcher that sends no request for this duration.
const FORGOTTEN: Duration = Duration::from_mins(5);
/// Ack wait: the server redelivers an unsettled message after this duration.
const ACK_WAIT: Duration = Duration::from_secs(30);

/// Filter and position of a watcher.
pub(crate) struct Watcher {
    filter: String,
    pub(crate) position: Arc<Position>,
}

impl Bus {
    /// Delivers every present and future message on a subject of a stream, without a durable position. The consumer has
    /// as many replicas as the stream. If it is lost nevertheless, the watcher restarts at the first unsettled message,
    /// so a message may be delivered twice, as with every consumer.
    ///
    /// # Errors
    /// Fails if the stream does not exist.
    pub async fn watch(&self, stream: &'static str, filter: String) -> Result<Consumer, ConsumeError> {
        let watcher = Watcher { filter, position: Arc::default() };
        let deadline = Instant::now() + PATIENCE;
        let created = patiently(deadline, || watcher.create(self, stream)).await;
        let handle =
            created.map_err(|source| ConsumeError::Consumer { stream, durable: "(watcher)".to_owned(), source })?;
        Ok(Consumer::new(self.clone(), stream, Kind::Watcher(watcher), handle))
    }
}

impl Watcher {
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
    async fn create(&self, bus: &Bus, stream: &str) -> Result<PullConsumer, async_nats::Error> {
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

/// Position of a watcher.
#[derive(Debug, Default)]
pub(crate) struct Position(Mutex<Progress>);

#[derive(Debug, Default)]
struct Progress {
    /// Creation time of the stream, in nanoseconds since 1970. `None`: not yet known.
    stream: Option<i128>,
    /// Sequence of the last delivered message.
    last: u64,
    /// Number of the last delivery. The server numbers a consumer's deliveries without gaps.
    deliveries: u64,
    /// Sequences of delivered, unsettled messages.
    open: BTreeSet<u64>,
    /// First sequence from which a delivery may have been lost.
    lost_from: Option<u64>,
}

impl Position {
    pub(crate) fn delivered(&self, sequence: u64, delivery: u64) {
        let mut progress = self.progress();
        if delivery > progress.deliveries + 1 {
            let from = progress.last + 1;
            progress.lost_from = Some(progress.lost_from.map_or(from, |lost| lost.min(from)));
        }
        progress.deliveries = delivery;
        progress.last = progress.last.max(sequence);
        progress.open.insert(sequence);
    }

    pub(crate) fn settled(&self, sequence: u64) {
        self.progress().open.remove(&sequence);
    }

    /// Start sequence of the next consumer such that no message is skipped, in the stream created at `stream`. A
    /// recreated stream is read from its beginning.
    fn restart(&self, stream: i128) -> u64 {
        let mut progress = self.progress();
        let open = progress.open.first().copied();
        let from = match progress.stream {
            Some(known) if known != stream => 1,
            _ => [open, progress.lost_from].into_iter().flatten().fold(progress.last + 1, u64::min),
        };
        *progress = Progress { stream: Some(stream), last: from - 1, ..Progress::default() };
        from
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.0.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A position after deliveries (sequence, delivery number), some of them settled.
    fn after(deliveries: &[(u64, u64)], settled: &[u64]) -> Position {
        let position = Position::default();
        assert_eq!(position.restart(1), 1);
        for (sequence, delivery) in deliveries {
            position.delivered(*sequence, *delivery);
        }
        for sequence in settled {
            position.settled(*sequence);
        }
        position
    }

    #[test]
    fn a_watcher_begins_anew_at_the_first_message_that_it_may_have_missed() {
        for (deliveries, settled, stream, from) in [
            (&[][..], &[][..], 1, 1),
            (&[(3, 1), (7, 2)], &[3, 7], 1, 8),
            (&[(3, 1), (7, 2)], &[7], 1, 3),
            // The second delivery was lost.
            (&[(3, 1), (7, 3)], &[3, 7], 1, 4),
            (&[(3, 1), (7, 3), (5, 4)], &[3, 5, 7], 1, 4),
            // The stream was recreated.
            (&[(3, 1), (7, 2)], &[3, 7], 2, 1),
        ] {
            assert_eq!(after(deliveries, settled).restart(stream), from, "{deliveries:?} {settled:?}");
        }
    }
}
