//! A collector as its own process.

use crate::Collector;
use anyhow::Context;
use process::{UsageError, exit};
use tokio::task::JoinSet;

/// Flags of the process.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct ProcessArgs {
    /// Flags of the collector.
    #[command(flatten)]
    pub collector: crate::Args,
    /// Flags of NATS.
    #[command(flatten)]
    pub bus: process::BusArgs,
    /// Health and metrics.
    #[command(flatten)]
    pub monitor: process::MonitorArgs,
}

impl ProcessArgs {
    /// Collects these services until it is told to stop. Each has its own connection, because on a closed bus each has its
    /// own identity. The limits on concurrent work apply to each service.
    ///
    /// # Errors
    /// The monitor's address or NATS cannot be used, or a collector ends by itself.
    pub async fn run(self, services: &[&'static dyn Collector]) -> anyhow::Result<u8> {
        let options = self.collector.validate().map_err(UsageError::new)?;
        let _monitor = self.monitor.start().await?;
        // The process is not ready before each of its services has a connection.
        let starting = observe::health().part("collectors");
        let shutdown = process::shutdown_within(options.drain_timeout + process::signal::DRAIN);
        let mut running = JoinSet::new();
        for service in services {
            let bus = process::connect(&self.bus, &format!("groma-collector-{}", service.name())).await?;
            running.spawn(service.run(bus, options.clone(), shutdown.clone()));
        }
        drop(starting);
        while let Some(ended) = running.join_next().await {
            ended.context("a collector panicked")??;
        }
        Ok(exit::COMPLETE)
    }
}
