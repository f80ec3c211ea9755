//! `groma-graph-writer`: asset events from NATS into Neo4j, as a process of its own.

use clap::Parser;
use graph::{Args, GraphStore};
use graph_writer::{Options, Writer};
use role::{BusArgs, LogArgs, exit};
use std::process::ExitCode;

/// Write Groma's asset events into Neo4j
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    neo4j: Args,
    #[command(flatten)]
    bus: BusArgs,
    #[command(flatten)]
    log: LogArgs,
}

fn main() -> ExitCode {
    let Cli { neo4j, bus, log } = Cli::parse();
    role::init(&log);
    let config = match neo4j.validate() {
        Ok(config) => config,
        Err(errors) => {
            for error in errors {
                eprintln!("error: {error}");
            }
            return ExitCode::from(exit::USAGE);
        }
    };
    role::run_main(async move {
        let store = GraphStore::connect(&config).await?;
        let bus = role::connect(&bus, "groma-graph-writer").await?;
        Writer::new(bus, store, Options::from(&config)).run(role::shutdown()).await?;
        Ok(exit::COMPLETE)
    })
}
