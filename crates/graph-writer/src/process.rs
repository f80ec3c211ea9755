//! The graph-writer as a separate process.

use crate::{Options, Writer};
use graph::GraphStore;
use process::{UsageError, exit};
use std::time::Duration;

/// Time limit for reaching Neo4j at the start: the same as for the streams.
const PATIENCE: Duration = Duration::from_mins(1);

/// Flags of the process.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct ProcessArgs {
    /// Neo4j.
    #[command(flatten)]
    pub graph: graph::Args,
    /// NATS.
    #[command(flatten)]
    pub bus: process::BusArgs,
    /// Health and metrics.
    #[command(flatten)]
    pub monitor: process::MonitorArgs,
}

impl ProcessArgs {
    /// Writes the graph until a signal stops it.
    ///
    /// # Errors
    /// The monitor's address or NATS cannot be used, or Neo4j is unavailable for a minute.
    pub async fn run(self) -> anyhow::Result<u8> {
        let config = self.graph.validate().map_err(UsageError::new)?;
        let _monitor = self.monitor.start().await?;
        let shutdown = process::shutdown();
        let store = GraphStore::connect_within(&config, PATIENCE).await?;
        let bus = process::connect(&self.bus, "groma-graph-writer").await?;
        Writer::new(bus, store, Options::from(&config)).run(shutdown).await?;
        Ok(exit::COMPLETE)
    }
}
