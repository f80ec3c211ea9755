//! Queues on the bus, as the scheduler sees them.

use crate::{
    labels::{NoLabels, Service},
    registrar::{Gauges, Registrar, saturated, show},
};

/// Metrics of the bus.
#[derive(Debug)]
pub struct QueueMetrics {
    work_waiting: Gauges<Service>,
    work_unsettled: Gauges<Service>,
    events_waiting: Gauges<NoLabels>,
    events_unsettled: Gauges<NoLabels>,
    parked: Gauges<NoLabels>,
}

/// A queue on the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue<'a> {
    /// Work items of a service.
    Work(&'a str),
    /// Asset events for the graph-writers.
    Events,
}

impl QueueMetrics {
    pub(crate) fn new(registrar: &mut Registrar) -> Self {
        Self {
            work_waiting: registrar.gauge("work_waiting", "Work items that no collector has taken yet."),
            work_unsettled: registrar.gauge("work_unsettled", "Work items that were taken and not settled; those of a killed collector until they are taken again."),
            events_waiting: registrar.gauge("events_waiting", "Asset events that no graph-writer has taken yet."),
            events_unsettled: registrar.gauge("events_unsettled", "Asset events that were taken and not settled; those of a killed graph-writer until they are taken again."),
            parked: registrar.gauge("parked_messages", "Messages on the stream GROMA_PARKED (see `groma parked`)."),
        }
    }

    /// Records the messages of a queue: those not yet delivered, and those delivered but not settled. `None`: NATS does
    /// not say, so the series end.
    pub fn holds(&self, queue: Queue<'_>, messages: Option<(u64, usize)>) {
        let waiting = messages.map(|(waiting, _)| saturated(waiting));
        let unsettled = messages.map(|(_, unsettled)| saturated(unsettled));
        match queue {
            Queue::Work(service) => {
                let service = Service::of(service);
                show(&self.work_waiting, &service, waiting);
                show(&self.work_unsettled, &service, unsettled);
            }
            Queue::Events => {
                show(&self.events_waiting, &NoLabels, waiting);
                show(&self.events_unsettled, &NoLabels, unsettled);
            }
        }
    }

    /// Records the number of parked messages. `None`: NATS does not say, so the series ends.
    pub fn parked(&self, messages: Option<u64>) {
        show(&self.parked, &NoLabels, messages.map(saturated));
    }
}
