//! The scheduler alone.

use anyhow::bail;
use clap::Parser;
use std::process::ExitCode;

/// Surveys all accounts of a running broker, once or again and again.
#[derive(Parser)]
#[command(name = "groma-scheduler", version)]
struct Cli {
    #[command(flatten)]
    scheduler: scheduler::role::Args,
    #[command(flatten)]
    bus: role::BusArgs,
    #[command(flatten)]
    log: role::LogArgs,
}

fn main() -> ExitCode {
    let Cli { scheduler, bus, log } = Cli::parse();
    role::init(&log);
    role::run_main(async move {
        let every = scheduler.every;
        let request = match scheduler.request.validate() {
            Ok(request) => request,
            Err(errors) => bail!(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
        };
        let shutdown = role::shutdown();
        let bus = role::connect(&bus, "groma-scheduler").await?;
        scheduler::role::run(bus, request, every, shutdown).await
    })
}
