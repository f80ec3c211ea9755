//! The scheduler as its own process.

use process::UsageError;

/// Flags of the process.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct ProcessArgs {
    /// Flags of the scheduler.
    #[command(flatten)]
    pub scheduler: crate::role::Args,
    /// Flags of NATS.
    #[command(flatten)]
    pub bus: process::BusArgs,
    /// Health and metrics.
    #[command(flatten)]
    pub monitor: process::MonitorArgs,
}

impl ProcessArgs {
    /// Surveys once, or repeatedly until shutdown.
    ///
    /// # Errors
    /// Fails if the monitor's address or NATS cannot be used or a single survey fails.
    pub async fn run(self) -> anyhow::Result<u8> {
        let timetable = self.scheduler.timetable();
        let request = self.scheduler.request;
        let request = request.validate().map_err(UsageError::new)?;
        let _monitor = self.monitor.start().await?;
        let shutdown = process::shutdown();
        let connecting = process::connect(&self.bus, "groma-scheduler");
        let Some(bus) = shutdown.run_until_cancelled(connecting).await else { return Ok(process::exit::INTERRUPTED) };
        let bus = bus?;
        crate::role::run(bus, request, timetable, shutdown).await
    }
}
