//! Settings of a writer.

use graph::GraphConfig;
use std::time::Duration;

/// Messages held at the same time.
const IN_FLIGHT: usize = 512;

/// Settings of a writer.
#[derive(Debug, Clone)]
pub struct Options {
    /// Concurrent transactions: of different accounts, or of a large one.
    pub lanes: usize,
    /// Messages held at the same time, if they are small.
    pub in_flight: usize,
    /// Time after which a dead writer's unfinished messages are delivered to another.
    pub ack_wait: Duration,
    /// Time for which the assets stream must have been used up before scopes with missing batches are called lost.
    pub patience: Duration,
    /// Whether a sync's end analyses the whole graph. Not for a part of a sync: results from a mixture of two syncs
    /// would carry the newer tag, and the complete newer sync would not find them old.
    pub analyse: bool,
    /// Name of the durable consumers; writers of the same name share the work.
    pub durable: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lanes: 2,
            in_flight: IN_FLIGHT,
            ack_wait: bus::ACK_WAIT,
            patience: Duration::from_secs(2),
            analyse: true,
            durable: bus::GRAPH_WRITER.to_owned(),
        }
    }
}

impl From<&GraphConfig> for Options {
    fn from(config: &GraphConfig) -> Self {
        Self { lanes: config.connections, ..Self::default() }
    }
}
