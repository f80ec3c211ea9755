//! The `main` of a binary that holds one role.

use crate::LogArgs;
use clap::{Args, CommandFactory, FromArgMatches, Parser};
use std::process::ExitCode;

/// The role's own flags, and those for logging.
#[derive(Parser)]
#[command(version)]
struct Cli<A: Args> {
    #[command(flatten)]
    role: A,
    #[command(flatten)]
    log: LogArgs,
}

/// Parses the command line of a binary of this name, starts logging and runs its one role to its exit status.
pub fn alone<A: Args, F>(name: &'static str, about: &'static str, run: impl FnOnce(A) -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<u8>>,
{
    let command = Cli::<A>::command().name(name).about(about).long_about(None);
    let parsed = Cli::<A>::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit());
    crate::init(&parsed.log);
    crate::run_main(run(parsed.role))
}
