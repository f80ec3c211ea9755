//! The Organizations collector alone: takes work items from the bus until it is told to stop.

use clap::Parser;
use role::exit;
use std::process::ExitCode;

/// Collects Organizations into Groma's assets stream.
#[derive(Parser)]
#[command(name = "groma-collector-organizations", version)]
struct Cli {
    #[command(flatten)]
    collector: collector::Args,
    #[command(flatten)]
    bus: role::BusArgs,
    #[command(flatten)]
    log: role::LogArgs,
}

fn main() -> ExitCode {
    let Cli { collector, bus, log } = Cli::parse();
    let options = match collector.validate() {
        Ok(options) => options,
        Err(errors) => {
            for error in errors {
                eprintln!("error: {error}");
            }
            return ExitCode::from(exit::USAGE);
        }
    };
    role::init(&log);
    role::run_main(async move {
        let shutdown = role::shutdown();
        let bus = role::connect(&bus, "groma-collector-organizations").await?;
        collector::run(&collector_organizations::SERVICE, bus, options, shutdown).await?;
        Ok(exit::COMPLETE)
    })
}
