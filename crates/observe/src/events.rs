//! Asset events: published by collectors, applied by graph-writers.

use crate::{
    labels::{NoLabels, Outcome, Service},
    registrar::{Buckets, Counters, Histograms, Registrar},
};
use std::time::Duration;

/// Metrics of asset events.
#[derive(Debug)]
pub struct EventMetrics {
    batches: Counters<Service>,
    assets: Counters<Service>,
    settled: Counters<Outcome>,
    latency: Histograms<NoLabels>,
    rows_parked: Counters<NoLabels>,
    held: Counters<NoLabels>,
}

/// Settlement of an event in a graph-writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// In the graph, with the time since the stream stored it.
    Applied(Duration),
    /// Returned to the stream, to be delivered again.
    Returned,
    /// Parked.
    Parked,
}

impl EventMetrics {
    pub(crate) fn new(registrar: &mut Registrar) -> Self {
        Self {
            batches: registrar.counter("batches_published", "Batches of assets that collectors published."),
            assets: registrar.counter("assets_published", "Assets (rows of nodes) in these batches."),
            settled: registrar.counter(
                "events_settled",
                "Asset events that ended in this graph-writer: applied (in the graph), returned (delivered again), parked.",
            ),
            latency: registrar.histogram(
                "event_latency",
                Buckets::LONG,
                "Time from the publication of an asset event until the graph has it, by NATS's clock and the writer's.",
            ),
            rows_parked: registrar.counter("rows_parked", "Rows that Neo4j cannot store; the rest of their event is applied."),
            held: registrar.counter(
                "batches_held",
                "Applied batches with relationships whose source or target was not in the graph yet.",
            ),
        }
    }

    /// Shows the counter of parked rows with 0, so that Prometheus sees its first increase.
    pub fn begin_writing(&self) {
        self.rows_parked.get_or_create(&NoLabels).inc_by(0);
    }

    /// Records a published batch of a service.
    pub fn published(&self, service: &str, assets: u64) {
        let service = Service::of(service);
        self.batches.get_or_create(&service).inc();
        self.assets.get_or_create(&service).inc_by(assets);
    }

    /// Records the end of an event in a graph-writer.
    pub fn settled(&self, settled: Settled) {
        let outcome = match settled {
            Settled::Applied(latency) => {
                self.latency.get_or_create(&NoLabels).observe(latency.as_secs_f64());
                "applied"
            }
            Settled::Returned => "returned",
            Settled::Parked => "parked",
        };
        self.settled.get_or_create(&Outcome::of(outcome)).inc();
    }

    /// Records rows that were parked alone.
    pub fn rows_parked(&self, rows: usize) {
        self.rows_parked.get_or_create(&NoLabels).inc_by(rows.try_into().unwrap_or(u64::MAX));
    }

    /// Records applied batches with held edges.
    pub fn held(&self, batches: usize) {
        self.held.get_or_create(&NoLabels).inc_by(batches.try_into().unwrap_or(u64::MAX));
    }
}
