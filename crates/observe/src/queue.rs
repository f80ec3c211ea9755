//! Queues on the bus, as the scheduler sees them.

use crate::{
    labels::{NoLabels, Service},
    registrar::{Gauges, Registrar, saturated},
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
            work_unsettled: registrar.gauge("work_unsettled", "Work items in the hands of collectors."),
            events_waiting: registrar.gauge("events_waiting", "Asset events that no graph-writer has taken yet."),
            events_unsettled: registrar.gauge("events_unsettled", "Asset events in the hands of graph-writers."),
            parked: registrar.gauge("parked_messages", "Messages on the stream GROMA_PARKED (see `groma parked`)."),
        }
    }

    /// Records the messages of a queue: those not yet delivered, and those delivered but not settled.
    pub fn holds(&self, queue: Queue<'_>, waiting: u64, unsettled: usize) {
        let (waiting, unsettled) = (saturated(waiting), saturated(unsettled));
        match queue {
            Queue::Work(service) => {
                let service = Service::of(service);
                self.work_waiting.get_or_create(&service).set(waiting);
                self.work_unsettled.get_or_create(&service).set(unsettled);
            }
            Queue::Events => {
                self.events_waiting.get_or_create(&NoLabels).set(waiting);
                self.events_unsettled.get_or_create(&NoLabels).set(unsettled);
            }
        }
    }

    /// Records the number of parked messages.
    pub fn parked(&self, messages: u64) {
        self.parked.get_or_create(&NoLabels).set(saturated(messages));
    }
}
