//! Collectors of some services as one process.

use crate::{ALL, named};
use clap::builder::PossibleValuesParser;
use collector::ProcessArgs;

/// `groma collector SERVICE…`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Services to collect
    #[arg(required = true, value_name = "SERVICE", value_parser = PossibleValuesParser::new(ALL.iter().map(|it| it.name()).collect::<Vec<_>>()))]
    pub services: Vec<String>,
    /// The process's own.
    #[command(flatten)]
    pub process: ProcessArgs,
}

/// Collects the services until it is told to stop.
///
/// # Errors
/// NATS cannot be used, or a collector ends by itself.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let Args { mut services, process } = args;
    services.sort();
    services.dedup();
    let collectors: Vec<_> = services.iter().filter_map(|name| named(name)).collect();
    process.run(&collectors).await
}
