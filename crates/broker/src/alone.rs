//! The broker as a process of its own.

use bus::Bus;
use role::{UsageError, exit};

/// Flags of that process.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Alone {
    /// The broker's own.
    #[command(flatten)]
    pub broker: crate::Args,
    /// NATS.
    #[command(flatten)]
    pub bus: role::BusArgs,
}

impl Alone {
    /// Answers leases until it is told to stop.
    ///
    /// # Errors
    /// When AWS configuration or NATS cannot be used.
    pub async fn run(self) -> anyhow::Result<u8> {
        let config = self.broker.validate().map_err(UsageError::new)?;
        let shutdown = role::shutdown();
        let broker = crate::build(config)?;
        // Leases travel by request-reply alone: the broker needs no stream.
        let bus = Bus::connect(&self.bus.config("groma-broker")).await?;
        broker.run(bus, shutdown, None).await?;
        Ok(exit::COMPLETE)
    }
}
