//! The broker as its own process.

use bus::Bus;
use process::{UsageError, exit};

/// Flags of the process.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct ProcessArgs {
    /// Flags of the broker.
    #[command(flatten)]
    pub broker: crate::Args,
    /// Flags of NATS.
    #[command(flatten)]
    pub bus: process::BusArgs,
    /// Health and metrics.
    #[command(flatten)]
    pub monitor: process::MonitorArgs,
}

impl ProcessArgs {
    /// Answers requests until shutdown.
    ///
    /// # Errors
    /// Fails if the AWS configuration, the monitor's address or NATS cannot be used.
    pub async fn run(self) -> anyhow::Result<u8> {
        let config = self.broker.validate().map_err(UsageError::new)?;
        let _monitor = self.monitor.start().await?;
        let shutdown = process::shutdown();
        let broker = crate::build(config)?;
        // Leases use request-reply only: the broker needs no stream.
        let bus = Bus::connect(&self.bus.config("groma-broker")).await?;
        broker.run(bus, shutdown, None).await?;
        Ok(exit::COMPLETE)
    }
}
