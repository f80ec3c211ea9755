//! The durable consumers: reader, stream and filter of each.

use crate::stream_configs::{ASSETS, SYNCS, WORK};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use events::subjects;
use std::time::Duration;

/// Default ack wait: the server redelivers an unsettled message after this duration.
pub const ACK_WAIT: Duration = Duration::from_secs(30);
/// Durable name of the graph-writers' consumer of asset events. The name of their consumer of `collected` events
/// derives from it.
pub const GRAPH_WRITER: &str = "graph-writer";
/// Limit of deliveries in flight over all graph-writers: far more than they ever hold.
const MOST_IN_FLIGHT: i64 = 4_096;

/// A durable consumer of a stream.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// One of the streams of this crate.
    pub stream: &'static str,
    /// Durable name; subscribers of the same name share the messages.
    pub durable: String,
    /// Subjects to deliver.
    pub filter: String,
    /// Ack wait: the server redelivers an unsettled message after this duration. [`crate::Delivery::progress`] restarts
    /// it.
    pub ack_wait: Duration,
    /// Limit of deliveries in flight over all subscribers.
    pub max_in_flight: i64,
}

impl Subscription {
    /// Work items of one service, shared by its collectors.
    pub fn work(service: &str, ack_wait: Duration) -> Self {
        Self {
            stream: WORK,
            durable: format!("collector-{service}"),
            filter: subjects::work_of(service),
            ack_wait,
            max_in_flight: -1,
        }
    }

    /// Asset events of all syncs, shared by the graph-writers of this name.
    pub fn assets(name: &str, ack_wait: Duration) -> Self {
        Self {
            stream: ASSETS,
            durable: name.to_owned(),
            filter: subjects::ASSETS.to_owned(),
            ack_wait,
            max_in_flight: MOST_IN_FLIGHT,
        }
    }

    /// `collected` events of all syncs, shared by the graph-writers of this name.
    pub fn collected(name: &str, ack_wait: Duration) -> Self {
        Self {
            stream: SYNCS,
            durable: format!("{name}-syncs"),
            filter: subjects::syncs_of_kind("collected"),
            ack_wait,
            max_in_flight: MOST_IN_FLIGHT,
        }
    }

    /// Whether an existing consumer has this configuration.
    pub(crate) fn is_current(&self, there: &PullConsumer) -> bool {
        let there = &there.cached_info().config;
        (&there.filter_subject, there.ack_wait, there.max_ack_pending)
            == (&self.filter, self.ack_wait, self.max_in_flight)
    }

    pub(crate) fn config(&self) -> pull::Config {
        pull::Config {
            durable_name: Some(self.durable.clone()),
            filter_subject: self.filter.clone(),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.ack_wait,
            max_ack_pending: self.max_in_flight,
            deliver_policy: DeliverPolicy::All,
            ..pull::Config::default()
        }
    }
}
