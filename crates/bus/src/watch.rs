//! Watching a stream without a durable place. The server holds a consumer for each watcher, and may lose it; then the watcher
//! creates another one and goes on where it was.

use crate::{Bus, ConsumeError, Consumer, consume::Kind, exchange::patiently, streams::PATIENCE};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The server forgets a watcher that asks for nothing for this long.
const FORGOTTEN: Duration = Duration::from_mins(5);
/// Unsettled deliveries are repeated after this long.
const ACK_WAIT: Duration = Duration::from_secs(30);

/// What a watcher reads, and how far it is.
pub(crate) struct Watcher {
    filter: String,
    pub(crate) position: Arc<Position>,
}

impl Bus {
    /// Every message that is now on a subject of a stream and all that come, without a durable place. The server keeps as many
    /// copies of the watcher's state as of the stream; should it be lost all the same, the watcher begins anew at the first
    /// message that was not settled. So a message may come twice, as from every consumer.
    ///
    /// # Errors
    /// When the stream does not exist.
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
    /// Another consumer from the watcher's place on, with the stream if that is gone too, unless the one of this name is there.
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
        tracing::warn!(
            stream,
            "a watcher's consumer was gone; created another one, from the first unsettled message on"
        );
        Ok(Some(handle))
    }

    /// A consumer from the watcher's place on.
    async fn create(&self, bus: &Bus, stream: &str) -> Result<PullConsumer, async_nats::Error> {
        let info = bus.stream_info(stream).await?.ok_or_else(|| format!("there is no stream {stream}"))?;
        let config = pull::Config {
            // With a name the filter stands in the subject of the request, where permissions can see it.
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

/// How far a watcher is.
#[derive(Debug, Default)]
pub(crate) struct Position(Mutex<Place>);

#[derive(Debug, Default)]
struct Place {
    /// When the stream was created, in nanoseconds since 1970; none before it is known.
    stream: Option<i128>,
    /// Last place in the stream that was delivered.
    last: u64,
    /// Number of the last delivery; the server numbers a consumer's deliveries without a gap.
    deliveries: u64,
    /// Delivered and not settled.
    open: BTreeSet<u64>,
    /// A delivery from here on was lost on its way.
    lost_from: Option<u64>,
}

impl Position {
    pub(crate) fn delivered(&self, sequence: u64, delivery: u64) {
        let mut place = self.place();
        if delivery > place.deliveries + 1 {
            let from = place.last + 1;
            place.lost_from = Some(place.lost_from.map_or(from, |lost| lost.min(from)));
        }
        place.deliveries = delivery;
        place.last = place.last.max(sequence);
        place.open.insert(sequence);
    }

    pub(crate) fn settled(&self, sequence: u64) {
        self.place().open.remove(&sequence);
    }

    /// Where another consumer has to begin so that nothing is missed, in the stream that was created at `stream`. One that
    /// was itself created anew is read from its beginning.
    fn restart(&self, stream: i128) -> u64 {
        let mut place = self.place();
        let open = place.open.first().copied();
        let from = match place.stream {
            Some(known) if known != stream => 1,
            _ => [open, place.lost_from].into_iter().flatten().fold(place.last + 1, u64::min),
        };
        *place = Place { stream: Some(stream), last: from - 1, ..Place::default() };
        from
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A position after deliveries, each with its place in the stream and its number, of which some are settled.
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
            // The second delivery was lost on its way.
            (&[(3, 1), (7, 3)], &[3, 7], 1, 4),
            (&[(3, 1), (7, 3), (5, 4)], &[3, 5, 7], 1, 4),
            // The stream is another one.
            (&[(3, 1), (7, 2)], &[3, 7], 2, 1),
        ] {
            assert_eq!(after(deliveries, settled).restart(stream), from, "{deliveries:?} {settled:?}");
        }
    }
}
