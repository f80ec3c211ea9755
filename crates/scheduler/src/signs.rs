//! Signs that collectors are at work for a sync that they have not reported on: they publish its assets, or come nearer to
//! its items in the queue.
//!
//! Each sign is a place in a stream that only grows and has an end, so that no sign keeps a sync alive for ever.

use bus::{ASSETS, Bus, Subscription, WORK};
use events::subjects;
use std::collections::{BTreeMap, BTreeSet};

/// What was seen last.
#[derive(Debug)]
pub struct Signs {
    sync_id: String,
    assets: u64,
    /// How far the collectors of a service have come in the queue.
    queues: BTreeMap<String, u64>,
}

impl Signs {
    /// Nothing was seen yet.
    pub fn new(sync_id: &str) -> Self {
        Self { sync_id: sync_id.to_owned(), assets: 0, queues: BTreeMap::new() }
    }

    /// Whether there is a sign that was not there the last time. A bus that does not answer gives none.
    pub async fn have_moved(&mut self, bus: &Bus, services: &BTreeSet<&str>) -> bool {
        let mut moved = false;
        if let Some(newest) = self.newest_asset(bus).await {
            moved |= newest > std::mem::replace(&mut self.assets, newest);
        }
        for service in services {
            if let Some(place) = self.place_in_queue(bus, service).await {
                moved |= self.queues.insert((*service).to_owned(), place).is_some_and(|known| place > known);
            }
        }
        moved
    }

    async fn newest_asset(&self, bus: &Bus) -> Option<u64> {
        Some(bus.last_on(ASSETS, &subjects::assets_of_sync(&self.sync_id)).await.ok()??.sequence)
    }

    /// Up to this sync's own first item: those before it are another sync's, and have to be done first.
    async fn place_in_queue(&self, bus: &Bus, service: &str) -> Option<u64> {
        let mine = subjects::work_of_sync_and_service(&self.sync_id, service);
        let first = bus.next_on(WORK, &mine, 0).await.ok()??.sequence;
        let queue = Subscription::work(service, bus::ACK_WAIT).durable;
        Some(bus.backlog(WORK, &queue).await.ok()?.delivered_up_to.min(first))
    }
}
