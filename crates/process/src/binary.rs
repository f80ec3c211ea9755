//! The `main` function of a binary with one role.

use crate::LogArgs;
use clap::{Args, CommandFactory, FromArgMatches, Parser};
use std::process::ExitCode;

/// Flags of the role and of logging.
#[derive(Parser)]
#[command(version)]
struct Cli<A: Args> {
    #[command(flatten)]
    role: A,
    #[command(flatten)]
    log: LogArgs,
}

/// Parses the command line, starts logging, runs the role and returns its exit status.
pub fn main<A: Args, F>(name: &'static str, about: &'static str, run: impl FnOnce(A) -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<u8>>,
{
    let command = Cli::<A>::command().name(name).about(about).long_about(None);
    let parsed = Cli::<A>::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit());
    crate::init(&parsed.log);
    crate::run_main(run(parsed.role))
}
