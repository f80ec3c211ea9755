//! `groma path`: ways between two assets.

use crate::{UsageError, output::write};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use graph::GraphStore;
use paths::{EndError, Format, Limits, find, search};
use std::time::Duration;

/// Flags of `groma path`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Begin: `internet`, or the id, ARN or name of an asset
    #[arg(value_name = "FROM")]
    pub from: String,
    /// End: `administrator`, or the id, ARN or name of an asset
    #[arg(value_name = "TO")]
    pub to: String,
    /// Output format; pictures show only open ways
    #[arg(long, default_value = "text", value_parser = format_parser())]
    pub format: Format,
    /// Most steps of a way
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=20))]
    pub steps: u8,
    /// Most ways; the shortest come first
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub ways: u8,
    /// Seconds after which the search ends
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub seconds: u16,
    /// Neo4j.
    #[command(flatten)]
    pub graph: graph::Args,
}

fn format_parser() -> impl TypedValueParser<Value = Format> {
    // The parser admits no other name.
    PossibleValuesParser::new(Format::NAMES).map(|name| Format::named(&name).unwrap_or(Format::Text))
}

/// Prints the shortest ways.
///
/// # Errors
/// Fails if an end is no asset, or the graph cannot be read.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let Args { from, to, format, steps, ways, seconds, graph } = args;
    let store = GraphStore::connect(&graph.validate().map_err(UsageError::new)?).await?;
    let ends = find(&store, &from, &to).await;
    let (begin, end) = ends.map_err(|error| match error {
        EndError::Graph(error) => anyhow::Error::from(error),
        wrong => UsageError::new([wrong]).into(),
    })?;
    let limits = Limits {
        hops: steps.into(),
        ways: ways.into(),
        time: Duration::from_secs(seconds.into()),
        ..Limits::default()
    };
    let found = search(&store, &begin, &end, limits).await?;
    write(&format.text(&found, &from, &to))?;
    match found.cut {
        Some(cut) => {
            eprintln!("{cut}: there may be further ways");
            Ok(process::exit::INCOMPLETE)
        }
        None => Ok(process::exit::COMPLETE),
    }
}
