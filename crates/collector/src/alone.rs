//! A collector as its own process.

use crate::Service;
use role::{UsageError, exit};

/// Flags of the process.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Alone {
    /// Flags of the collector.
    #[command(flatten)]
    pub collector: crate::Args,
    /// Flags of NATS.
    #[command(flatten)]
    pub bus: role::BusArgs,
}

impl Alone {
    /// Collects one service until shutdown.
    ///
    /// # Errors
    /// Fails if NATS cannot be used.
    pub async fn run<C: Send + Sync + 'static>(self, service: &'static Service<C>) -> anyhow::Result<u8> {
        let options = self.collector.validate().map_err(UsageError::new)?;
        let shutdown = role::shutdown_within(options.drain_timeout + role::signal::DRAIN);
        let bus = role::connect(&self.bus, &format!("groma-collector-{}", service.name)).await?;
        crate::run(service, bus, options, shutdown).await?;
        Ok(exit::COMPLETE)
    }
}
