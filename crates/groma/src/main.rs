//! `groma`: parses the command line, runs the command and exits with its status.

use clap::{CommandFactory, Parser};
use groma::{
    Cli, Command, ask, diff, doctor, explain, findings, forget, install, nats, neo4j, parked, path, record, replay,
    status, streams, sync,
};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Cli { log, command } = Cli::parse();
    process::init(&log);
    process::run_main(run(command))
}

async fn run(command: Command) -> anyhow::Result<u8> {
    match command {
        Command::Sync(args) => sync::run(*args).await,
        Command::Doctor(args) => doctor::run(*args).await,
        Command::Ask(args) => ask::run(args).await,
        Command::Explain(args) => explain::run(&args),
        Command::Path(args) => path::run(args).await,
        Command::Findings(args) => findings::run(args).await,
        Command::Record(args) => record::run(args).await,
        Command::Replay(args) => replay::run(*args).await,
        Command::Diff(args) => diff::run(args).await,
        Command::Forget(args) => forget::run(args).await,
        Command::Status(args) => status::run(args).await,
        Command::Streams(args) => streams::run(args).await,
        Command::Parked(args) => parked::run(args).await,
        Command::Nats(args) => nats::run(args),
        Command::Neo4j(args) => neo4j::run(args).await,
        Command::Broker(alone) => alone.run().await,
        Command::Collector(args) => collectors::run(args).await,
        Command::Scheduler(alone) => alone.run().await,
        Command::GraphWriter(alone) => alone.run().await,
        Command::Completions(args) => install::completions(&args, Cli::command()),
        Command::Man(args) => install::man(&args, Cli::command()),
    }
}
