//! Collects EC2 for whoever puts work on the bus, until SIGTERM.

use clap::{CommandFactory, Parser, error::ErrorKind};
use collector::Options;
use collector_ec2::SERVICE;
use role::{BusArgs, LogArgs, exit};
use std::process::ExitCode;

/// Collects EC2: instances, networks, storage and what stands before them
#[derive(Parser, Debug)]
#[command(name = "groma-collector-ec2", version)]
struct Cli {
    #[command(flatten)]
    collector: collector::Args,
    #[command(flatten)]
    bus: BusArgs,
    #[command(flatten)]
    log: LogArgs,
}

fn main() -> ExitCode {
    let Cli { collector, bus, log } = Cli::parse();
    role::init(&log);
    match collector.validate() {
        Ok(options) => role::run_main(collect(bus, options)),
        Err(errors) => {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Cli::command().error(ErrorKind::ValueValidation, lines.join("\n")).exit()
        }
    }
}

async fn collect(bus: BusArgs, options: Options) -> anyhow::Result<u8> {
    let shutdown = role::shutdown();
    let bus = role::connect(&bus, "groma-collector-ec2").await?;
    collector::run(&SERVICE, bus, options, shutdown).await?;
    Ok(exit::COMPLETE)
}
