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
}

impl ProcessArgs {
    /// Surveys once, or repeatedly until shutdown.
    ///
    /// # Errors
    /// Fails if NATS cannot be used or a single survey fails.
    pub async fn run(self) -> anyhow::Result<u8> {
        let timetable = self.scheduler.timetable();
        let request = self.scheduler.request;
        let request = request.validate().map_err(UsageError::new)?;
        let shutdown = process::shutdown();
        let connecting = process::connect(&self.bus, "groma-scheduler");
        let Some(bus) = shutdown.run_until_cancelled(connecting).await else { return Ok(process::exit::INTERRUPTED) };
        let bus = bus?;
        crate::role::run(bus, request, timetable, shutdown).await
    }
}
