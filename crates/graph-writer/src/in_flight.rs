//! Deliveries in work or in a queue. Progress acknowledgements every few seconds prevent their redelivery while the
//! work continues. They are settled by their sequence.

use bus::{Delivery, Outcome};
use graph::Pulse;
use observe::{Mark, Settled, metrics};
use parking_lot::{Mutex, MutexGuard};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{sync::Notify, time::timeout};

/// Greatest number of messages in one pull.
const PULL: usize = 16;

/// Limits of messages and bytes in flight. The more messages, the fewer and larger are the transactions that they form;
/// most messages are small.
#[derive(Clone)]
pub(crate) struct Budget {
    messages: usize,
    bytes: usize,
    used: Arc<Mutex<Used>>,
    freed: Arc<Notify>,
}

#[derive(Default)]
struct Used {
    messages: usize,
    bytes: usize,
    /// Approximate size of the last few messages.
    usual: usize,
}

/// Part of the limits that one message takes, released when dropped.
pub(crate) struct Permit {
    budget: Budget,
    bytes: usize,
}

impl Budget {
    pub(crate) fn new(messages: usize, bytes: usize) -> Self {
        Self { messages, bytes, used: Arc::default(), freed: Arc::default() }
    }

    /// Waits until there is room. Returns the number of messages that one pull may fetch. Their size is only known
    /// afterwards: one pull may exceed the limit of bytes, and there is no room again until the excess is released.
    pub(crate) async fn room(&self) -> usize {
        loop {
            let freed = self.freed.notified();
            if let Some(room) = self.left() {
                return room;
            }
            freed.await;
        }
    }

    fn left(&self) -> Option<usize> {
        let Used { messages, bytes, usual } = *self.lock();
        let (messages, bytes) = (self.messages.checked_sub(messages)?, self.bytes.checked_sub(bytes)?);
        let of_usual = (bytes / usual.max(1)).max(1);
        (messages > 0 && bytes > 0).then(|| of_usual.min(messages).min(PULL))
    }

    /// Takes room for a message of this size.
    pub(crate) fn take(&self, bytes: usize) -> Permit {
        let mut used = self.lock();
        used.messages += 1;
        used.bytes += bytes;
        used.usual = (used.usual * 3 + bytes) / 4;
        Permit { budget: self.clone(), bytes }
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        self.used.lock()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut used = self.budget.lock();
        used.messages -= 1;
        used.bytes -= self.bytes;
        drop(used);
        self.budget.freed.notify_one();
    }
}

/// Longest time of work without a sign of progress. Longer than every limit of a single step ([`graph::Limits`]).
pub(crate) const SILENCE: Duration = Duration::from_mins(10);
/// Time limit for the progress acknowledgements of all deliveries together, or for returning all of them.
const SIGN: Duration = Duration::from_secs(5);

/// Deliveries by their sequence in the stream.
#[derive(Clone, Default)]
pub(crate) struct InFlight {
    held: Arc<tokio::sync::Mutex<HashMap<u64, InFlightDelivery>>>,
    pulse: Pulse,
    /// Whether they are asset events, whose ends are metrics.
    are_assets: bool,
}

struct InFlightDelivery {
    delivery: Delivery,
    /// Released when the delivery is settled.
    _permit: Permit,
}

impl InFlight {
    /// Asset events.
    pub(crate) fn of_assets() -> Self {
        Self { are_assets: true, ..Self::default() }
    }

    /// Returns a pulse for one piece of work on these deliveries. Its beats count for all of them.
    pub(crate) fn pulse(&self) -> Pulse {
        Pulse::under(&self.pulse)
    }

    /// Takes charge of a delivery. A redelivery of one in flight replaces it.
    pub(crate) async fn add(&self, delivery: Delivery, permit: Permit) {
        let mut held = self.held.lock().await;
        if held.is_empty() {
            self.pulse.beat();
        }
        held.insert(delivery.sequence(), InFlightDelivery { delivery, _permit: permit });
    }

    /// Ends a delivery. Does nothing if it was settled before.
    pub(crate) async fn settle(&self, sequence: u64, outcome: Outcome) {
        self.pulse.beat();
        let Some(held) = self.held.lock().await.remove(&sequence) else { return };
        self.count(&held, &outcome);
        if let Err(error) = held.delivery.settle(outcome).await {
            tracing::warn!(error = errors::chain(&error), sequence, "cannot settle; the message will be redelivered");
        }
    }

    /// Returns all remaining deliveries, so that another writer gets them immediately. Those that cannot be returned in
    /// time are redelivered after the ack wait.
    pub(crate) async fn hand_back(&self) {
        let mut held = self.held.lock().await;
        let back = held.drain().map(|(_, held)| {
            let outcome = Outcome::Retry(Duration::ZERO);
            self.count(&held, &outcome);
            held.delivery.settle(outcome)
        });
        if !within(SIGN, back).await {
            tracing::debug!("NATS does not accept all returned messages");
        }
    }

    fn count(&self, held: &InFlightDelivery, outcome: &Outcome) {
        if self.are_assets {
            metrics().events.settled(match outcome {
                Outcome::Ack => Settled::Applied(held.delivery.age()),
                Outcome::Retry(_) => Settled::Returned,
                Outcome::Park(_) => Settled::Parked,
            });
        }
    }

    /// Acknowledges progress several times within the ack wait, until dropped. After [`SILENCE`] without progress,
    /// returns all deliveries instead.
    pub(crate) async fn keep_alive(&self, ack_wait: Duration, mark: &Mark) {
        loop {
            mark.now();
            tokio::time::sleep(ack_wait / 3).await;
            self.sign(SILENCE).await;
        }
    }

    async fn sign(&self, silence: Duration) {
        let held = self.held.lock().await;
        if held.is_empty() {
            return;
        }
        if self.pulse.silent_for() > silence {
            tracing::warn!(messages = held.len(), ?silence, "no progress; returning messages to other writers");
            drop(held);
            return self.hand_back().await;
        }
        if !within(SIGN, held.values().map(|held| held.delivery.progress())).await {
            tracing::debug!("NATS does not accept all acknowledgements of progress");
        }
    }
}

/// Runs the futures in order, and drops the rest when the time is over. Returns whether all have finished. The client's
/// queue is full while NATS accepts nothing: then each of them would wait.
async fn within<E: std::fmt::Display>(
    limit: Duration,
    signs: impl Iterator<Item = impl Future<Output = Result<(), E>>>,
) -> bool {
    let all = async {
        for sign in signs {
            if let Err(error) = sign.await {
                tracing::debug!(%error, "cannot answer a delivery");
            }
        }
    };
    timeout(limit, all).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use proptest::prelude::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn work_that_gives_no_sign_goes_back_and_other_work_stays() -> anyhow::Result<()> {
        const ACK_WAIT: Duration = Duration::from_mins(1);
        let nats = testkit::Nats::start().await?;
        let bus = bus::Bus::connect(&bus::BusConfig::new(nats.url(), "test")).await?;
        bus.ensure_streams().await?;
        let subject = "groma.v1.assets.s.1.r.s.L.batch".to_owned();
        bus.publish(bus::Outgoing::new(subject, "1".into(), vec![0; 8])).await?;
        let consumer = bus.consume(bus::Subscription::assets("test", ACK_WAIT)).await?;
        let delivery = consumer.next(1).await?.pop().expect("a delivery");
        let in_flight = InFlight::default();
        in_flight.add(delivery, Budget::new(1, 100).take(8)).await;
        in_flight.pulse().beat();
        in_flight.sign(ACK_WAIT).await;
        assert_eq!(in_flight.held.lock().await.len(), 1, "it goes on");
        in_flight.sign(Duration::ZERO).await;
        assert_eq!(in_flight.held.lock().await.len(), 0);
        // Long before the end of the ack wait.
        let again = consumer.next(1).await?.pop().expect("it is delivered again");
        assert_eq!(again.deliveries(), 2);
        Ok(())
    }

    #[tokio::test]
    async fn signs_that_nats_does_not_take_have_one_limit_together() {
        let tried = std::cell::Cell::new(0);
        let stuck = || {
            tried.set(tried.get() + 1);
            std::future::pending::<Result<(), String>>()
        };
        assert!(!within(Duration::from_millis(1), (0..512).map(|_| stuck())).await);
        assert_eq!(tried.get(), 1);
        assert!(within(SIGN, (0..512).map(|_| std::future::ready(Err("closed")))).await);
    }

    fn room(budget: &Budget) -> Option<usize> {
        budget.room().now_or_never()
    }

    #[test]
    fn room_is_for_so_many_messages_and_bytes() {
        let budget = Budget::new(20, 100);
        assert_eq!(room(&budget), Some(PULL));
        let small: Vec<Permit> = (0..18).map(|_| budget.take(1)).collect();
        assert_eq!(room(&budget), Some(2));
        let large = budget.take(1_000);
        assert_eq!(room(&budget), None, "no byte is left");
        drop(large);
        assert_eq!(room(&budget), Some(1), "the next may be as large");
        drop(small);
        assert_eq!(room(&budget), Some(1));
    }

    #[test]
    fn a_limit_that_was_exceeded_is_made_good_before_there_is_room_again() {
        let budget = Budget::new(1_000, 100);
        let mut in_flight: Vec<Permit> = (0..PULL).map(|_| budget.take(50)).collect();
        while room(&budget).is_none() {
            in_flight.pop();
        }
        assert_eq!(in_flight.len(), 1, "50 of 100 bytes");
        assert_eq!(room(&budget), Some(1));
    }

    proptest! {
        #[test]
        fn never_more_than_the_limit_and_one_pull(sizes in proptest::collection::vec(1..500usize, 1..200)) {
            let budget = Budget::new(64, 1_000);
            let (mut in_flight, mut sizes) = (std::collections::VecDeque::new(), sizes.into_iter());
            while sizes.len() > 0 {
                while let Some(room) = room(&budget).filter(|_| sizes.len() > 0) {
                    in_flight.extend(sizes.by_ref().take(room).map(|size| (size, budget.take(size))));
                    let bytes: usize = in_flight.iter().map(|(size, _)| size).sum();
                    prop_assert!(in_flight.len() <= 64 && bytes < 1_000 + PULL * 500, "{} {}", in_flight.len(), bytes);
                }
                in_flight.pop_front();
            }
        }
    }
}
