//! The graph-writer as a process of its own.

use crate::{Options, Writer};
use graph::GraphStore;
use role::{UsageError, exit};
use std::time::Duration;

/// How long a writer waits for Neo4j when it starts: as long as for the streams.
const PATIENCE: Duration = Duration::from_mins(1);

/// Flags of that process.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Alone {
    /// Neo4j.
    #[command(flatten)]
    pub graph: graph::Args,
    /// NATS.
    #[command(flatten)]
    pub bus: role::BusArgs,
}

impl Alone {
    /// Writes the graph until it is told to stop.
    ///
    /// # Errors
    /// When NATS cannot be used, or Neo4j not within a minute.
    pub async fn run(self) -> anyhow::Result<u8> {
        let config = self.graph.validate().map_err(UsageError::new)?;
        let shutdown = role::shutdown();
        let store = GraphStore::connect_within(&config, PATIENCE).await?;
        let bus = role::connect(&self.bus, "groma-graph-writer").await?;
        Writer::new(bus, store, Options::from(&config)).run(shutdown).await?;
        Ok(exit::COMPLETE)
    }
}
