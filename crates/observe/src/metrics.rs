//! All metrics of a process.

use crate::{
    aws::AwsMetrics,
    events::EventMetrics,
    graph::GraphMetrics,
    leases::LeaseMetrics,
    queue::QueueMetrics,
    readiness::ReadinessMetrics,
    registrar::{Described, Registrar},
    syncs::SyncMetrics,
    work::WorkMetrics,
};
use prometheus_client::{encoding::text, registry::Registry};
use std::sync::LazyLock;

/// All metrics. A process shows only those that its roles record.
#[derive(Debug)]
pub struct Metrics {
    /// Calls of AWS.
    pub aws: AwsMetrics,
    /// Work of collectors.
    pub work: WorkMetrics,
    /// Queues on the bus.
    pub queue: QueueMetrics,
    /// Asset events.
    pub events: EventMetrics,
    /// Transactions with Neo4j.
    pub graph: GraphMetrics,
    /// Leases.
    pub leases: LeaseMetrics,
    /// Syncs.
    pub syncs: SyncMetrics,
    /// Readiness.
    pub readiness: ReadinessMetrics,
    registry: Registry,
    described: Vec<Described>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registrar = Registrar::default();
        let aws = AwsMetrics::new(&mut registrar);
        let work = WorkMetrics::new(&mut registrar);
        let queue = QueueMetrics::new(&mut registrar);
        let events = EventMetrics::new(&mut registrar);
        let graph = GraphMetrics::new(&mut registrar);
        let leases = LeaseMetrics::new(&mut registrar);
        let syncs = SyncMetrics::new(&mut registrar);
        let readiness = ReadinessMetrics::new(&mut registrar);
        let (registry, described) = registrar.into_parts();
        Self { aws, work, queue, events, graph, leases, syncs, readiness, registry, described }
    }
}

impl Metrics {
    /// Descriptions of all metrics.
    pub fn described(&self) -> &[Described] {
        &self.described
    }

    /// OpenMetrics text of all recorded series.
    ///
    /// # Errors
    /// Fails if a metric cannot be encoded.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Metrics of this process.
pub fn metrics() -> &'static Metrics {
    static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::default);
    &METRICS
}
