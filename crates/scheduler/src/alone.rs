//! The scheduler as a process of its own.

use role::UsageError;

/// Flags of that process.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Alone {
    /// The scheduler's own.
    #[command(flatten)]
    pub scheduler: crate::role::Args,
    /// NATS.
    #[command(flatten)]
    pub bus: role::BusArgs,
}

impl Alone {
    /// Surveys once or again and again.
    ///
    /// # Errors
    /// When NATS cannot be used or the one survey fails.
    pub async fn run(self) -> anyhow::Result<u8> {
        let timetable = self.scheduler.timetable();
        let request = self.scheduler.request;
        let request = request.validate().map_err(UsageError::new)?;
        let shutdown = role::shutdown();
        let connecting = role::connect(&self.bus, "groma-scheduler");
        let Some(bus) = shutdown.run_until_cancelled(connecting).await else { return Ok(role::exit::INTERRUPTED) };
        let bus = bus?;
        crate::role::run(bus, request, timetable, shutdown).await
    }
}
