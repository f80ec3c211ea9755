//! Work items and listings of collectors.

use crate::{
    labels::{ApiOutcome, Service, ServiceOutcome},
    registrar::{Buckets, Counters, Gauges, Histograms, Registrar},
};
use std::time::Duration;

/// Metrics of a collector's work.
#[derive(Debug)]
pub struct WorkMetrics {
    waits: Histograms<Service>,
    held: Gauges<Service>,
    items: Counters<ServiceOutcome>,
    durations: Histograms<ServiceOutcome>,
    listings: Counters<ApiOutcome>,
}

/// End of a work item in one collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemEnding {
    /// Reported.
    Reported,
    /// Returned to the queue.
    Returned,
    /// Parked, because it could not be read.
    Parked,
}

/// A held work item, until dropped.
#[derive(Debug)]
pub struct HeldItem(Gauges<Service>, Service);

impl Drop for HeldItem {
    fn drop(&mut self) {
        self.0.get_or_create(&self.1).dec();
    }
}

impl WorkMetrics {
    pub(crate) fn new(registrar: &mut Registrar) -> Self {
        Self {
            waits: registrar.histogram(
                "work_wait",
                Buckets::LONG,
                "Time from the publication of a work item until a collector first took it, by NATS's clock and the \
                 collector's.",
            ),
            held: registrar.gauge("work_held", "Work items that this process works on."),
            items: registrar.counter(
                "work_items",
                "Work items that ended in this process: reported, returned (to the queue), parked (unreadable).",
            ),
            durations: registrar.histogram("work_item", Buckets::LONG, "Time that this process held a work item."),
            listings: registrar.counter(
                "listings",
                "Listings that ended, by API operation: finished, or the class of the failure, such as access_denied.",
            ),
        }
    }

    /// Records that a collector took an item. `waited`: since its publication, at its first delivery.
    pub fn taken(&self, service: &str, waited: Option<Duration>) -> HeldItem {
        let service = Service::of(service);
        if let Some(waited) = waited {
            self.waits.get_or_create(&service).observe(waited.as_secs_f64());
        }
        self.held.get_or_create(&service).inc();
        HeldItem(self.held.clone(), service)
    }

    /// Records the end of an item, and how long it was held.
    pub fn ended(&self, service: &str, ending: ItemEnding, took: Duration) {
        let outcome = match ending {
            ItemEnding::Reported => "reported",
            ItemEnding::Returned => "returned",
            ItemEnding::Parked => "parked",
        };
        let labels = ServiceOutcome::of(service, outcome);
        self.items.get_or_create(&labels).inc();
        self.durations.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Records the end of a listing: `None` if it finished, or the words for the class of its failure.
    pub fn listed(&self, service: &str, listing: &str, failure: Option<&str>) {
        let outcome = failure.map_or_else(|| "finished".to_owned(), |words| words.replace(' ', "_"));
        self.listings.get_or_create(&ApiOutcome::of(service, listing, &outcome)).inc();
    }
}
