//! Deliveries that wait or are worked on: kept from being delivered to somebody else by a sign of life every few seconds,
//! and settled by their place in the stream.

use bus::{Delivery, Outcome};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::{Mutex, OwnedSemaphorePermit};

/// Deliveries by their place in the stream.
#[derive(Clone, Default)]
pub(crate) struct InFlight(Arc<Mutex<HashMap<u64, Held>>>);

struct Held {
    delivery: Delivery,
    /// Its share of what may be in flight, given back when it is settled.
    _share: OwnedSemaphorePermit,
}

impl InFlight {
    /// Takes charge of a delivery. One that came again while it was in flight replaces the first.
    pub(crate) async fn add(&self, delivery: Delivery, share: OwnedSemaphorePermit) {
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
