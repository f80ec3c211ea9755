//! Signs of progress on work without a report. Collectors publish assets of the sync (empty batches if a listing
//! continues without rows), or advance in the queue towards its items.
//!
//! Each sign is a sequence in a stream that only grows and has an upper limit, so no sign keeps a sync alive forever.

use bus::{ASSETS, Bus, Subscription, WORK};
use events::subjects;
use std::collections::{BTreeMap, BTreeSet};

/// The last signs.
#[derive(Debug)]
pub struct Signs {
    sync_id: String,
    assets: u64,
    /// Progress of each service's collectors in the queue.
    queues: BTreeMap<String, u64>,
}

impl Signs {
    /// Starts without any sign.
    pub fn new(sync_id: &str) -> Self {
        Self { sync_id: sync_id.to_owned(), assets: 0, queues: BTreeMap::new() }
    }

    /// Whether there is progress since the last call. `false` for a bus that does not answer.
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

    /// Progress in the queue up to this sync's own first item. Items before it belong to other syncs and are worked on
    /// first.
    async fn place_in_queue(&self, bus: &Bus, service: &str) -> Option<u64> {
        let mine = subjects::work_of_sync_and_service(&self.sync_id, service);
        let first = bus.next_on(WORK, &mine, 0).await.ok()??.sequence;
        let queue = Subscription::work(service, bus::ACK_WAIT).durable;
        Some(bus.backlog(WORK, &queue).await.ok()?.delivered_up_to.min(first))
    }
}
