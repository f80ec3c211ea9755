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
}

impl ProcessArgs {
    /// Answers requests until shutdown.
    ///
    /// # Errors
    /// Fails if the AWS configuration or NATS cannot be used.
    pub async fn run(self) -> anyhow::Result<u8> {
        let config = self.broker.validate().map_err(UsageError::new)?;
        let shutdown = process::shutdown();
        let broker = crate::build(config)?;
        // Leases use request-reply only: the broker needs no stream.
        let bus = Bus::connect(&self.bus.config("groma-broker")).await?;
        broker.run(bus, shutdown, None).await?;
        Ok(exit::COMPLETE)
    }
}
