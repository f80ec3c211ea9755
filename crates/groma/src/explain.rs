//! `groma explain`: facts about a name of the graph.

use crate::{UsageError, output::write};
use clap::ValueEnum;

/// Flags of `groma explain`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Label, relationship type or property of the graph: AWSEC2Instance, MEMBER_OF_IP_RULE, AWSVpc.state
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// Format of an explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Lines for a person
    Text,
    /// Everything, for a program
    Json,
}

/// Prints the facts. Needs neither AWS nor Neo4j.
///
/// # Errors
/// Fails if the graph has no such name.
pub fn run(args: &Args) -> anyhow::Result<u8> {
    let found = ::explain::explain(&args.name).map_err(|error| UsageError::new([error]))?;
    write(&match args.format {
        Format::Text => ::explain::text(&found),
        Format::Json => ::explain::json(&found),
    })?;
    Ok(process::exit::COMPLETE)
}
