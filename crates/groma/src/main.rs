//! `groma`: parse, run, answer with an exit status.

use clap::Parser;
use groma::{Cli, Command, UsageError, alone, doctor, findings, nats, streams, sync};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Cli { log, command } = Cli::parse();
    role::init(&log);
    role::run_main(async move {
        match run(command).await {
            Err(error) if error.is::<UsageError>() => {
                eprintln!("error: {error}");
                Ok(role::exit::USAGE)
            }
            result => result,
        }
    })
}

async fn run(command: Command) -> anyhow::Result<u8> {
    match command {
        Command::Sync(args) => sync::run(*args).await,
        Command::Doctor(args) => doctor::run(*args).await,
        Command::Findings(args) => findings::run(args).await,
        Command::Streams(args) => streams::run(args).await,
        Command::Nats(args) => nats::run(args),
        Command::Broker(args) => alone::broker(args).await,
        Command::Collector(args) => alone::collector(args).await,
        Command::Scheduler(args) => alone::scheduler(args).await,
        Command::GraphWriter(args) => alone::graph_writer(args).await,
    }
}
