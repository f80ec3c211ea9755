//! The broker alone: leases AWS sessions over the bus until it is told to stop.

use clap::Parser;
use role::exit;
use std::process::ExitCode;

/// Finds AWS accounts and leases short sessions of them to Groma's collectors.
#[derive(Parser)]
#[command(name = "groma-broker", version)]
struct Cli {
    #[command(flatten)]
    broker: broker::Args,
    #[command(flatten)]
    bus: role::BusArgs,
    #[command(flatten)]
    log: role::LogArgs,
}

fn main() -> ExitCode {
    let Cli { broker, bus, log } = Cli::parse();
    let config = match broker.validate() {
        Ok(config) => config,
        Err(errors) => {
            for error in errors {
                eprintln!("error: {error}");
            }
            return ExitCode::from(exit::USAGE);
        }
    };
    role::init(&log);
    role::run_main(async move {
        let broker = broker::build(config).await?;
        let shutdown = role::shutdown();
        // Leases travel by request-reply alone: the broker needs no stream.
        let bus = bus::Bus::connect(&bus.config("groma-broker")).await?;
        broker.run(bus, shutdown, None).await?;
        Ok(exit::COMPLETE)
    })
}
