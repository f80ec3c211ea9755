//! Deliveries that wait or are worked on: kept from being delivered to somebody else by a sign of life every few seconds,
//! and settled by their place in the stream.

use bus::{Delivery, Outcome};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

/// Messages that one pull fetches at most.
const PULL: usize = 16;

/// What may be in flight: so many messages, of so many bytes together. The more there are, the fewer and larger are the
/// transactions that they make; most messages are small.
pub(crate) struct Shares {
    messages: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

/// What one message takes of it, given back when it is dropped.
pub(crate) struct Share {
    _message: Option<OwnedSemaphorePermit>,
    _bytes: Option<OwnedSemaphorePermit>,
}

impl Shares {
    pub(crate) fn new(messages: usize, bytes: usize) -> Self {
        Self { messages: Arc::new(Semaphore::new(messages)), bytes: Arc::new(Semaphore::new(bytes)) }
    }

    /// Waits until there is room; how many messages may be fetched at once. Their size is only known afterwards, so that
    /// the limit of bytes may be exceeded by what one pull fetches.
    pub(crate) async fn room(&self) -> usize {
        let (Ok(_message), Ok(_byte)) = (self.messages.acquire().await, self.bytes.acquire().await) else { return 0 };
        (self.messages.available_permits() + 1).min(PULL)
    }

    /// Takes a message of this size in, for which there was room.
    pub(crate) fn take(&self, bytes: usize) -> Share {
        let left = bytes.min(self.bytes.available_permits());
        let bytes = u32::try_from(left).ok().and_then(|left| self.bytes.clone().try_acquire_many_owned(left).ok());
        Share { _message: self.messages.clone().try_acquire_owned().ok(), _bytes: bytes }
    }
}

/// Deliveries by their place in the stream.
#[derive(Clone, Default)]
pub(crate) struct InFlight(Arc<Mutex<HashMap<u64, Held>>>);

struct Held {
    delivery: Delivery,
    /// Given back when it is settled.
    _share: Share,
}

impl InFlight {
    /// Takes charge of a delivery. One that came again while it was in flight replaces the first.
    pub(crate) async fn add(&self, delivery: Delivery, share: Share) {
        self.0.lock().await.insert(delivery.sequence(), Held { delivery, _share: share });
    }

    /// Ends a delivery; one that was settled before is not an error.
    pub(crate) async fn settle(&self, sequence: u64, outcome: Outcome) {
        let held = self.0.lock().await.remove(&sequence);
        if let Some(held) = held
            && let Err(error) = held.delivery.settle(outcome).await
        {
            tracing::warn!(error = bus::chain(&error), sequence, "settling failed; the message will come again");
        }
    }

    /// Hands back all that is left, to be delivered to somebody else at once.
    pub(crate) async fn hand_back(&self) {
        for (_, held) in self.0.lock().await.drain() {
            held.delivery.settle(Outcome::Retry(Duration::ZERO)).await.ok();
        }
    }

    /// Gives signs of life, several within the ack wait, until it is dropped.
    pub(crate) async fn keep_alive(&self, ack_wait: Duration) {
        loop {
            tokio::time::sleep(ack_wait / 3).await;
            for held in self.0.lock().await.values() {
                if let Err(error) = held.delivery.progress().await {
                    tracing::debug!(%error, "no sign of life could be given");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn room_is_for_so_many_messages_and_bytes() {
        let shares = Shares::new(20, 100);
        let room = || shares.room().now_or_never();
        assert_eq!(room(), Some(PULL));
        let small: Vec<Share> = (0..18).map(|_| shares.take(1)).collect();
        assert_eq!(room(), Some(2));
        let large = shares.take(1_000);
        assert_eq!(room(), None, "no byte is left");
        drop(large);
        assert_eq!(room(), Some(2));
        drop(small);
        assert_eq!(room(), Some(PULL));
    }
}
