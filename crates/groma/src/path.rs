//! `groma path`: paths between two assets.

use crate::{UsageError, output::write};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use graph::GraphStore;
use paths::{EndError, Format, Limits, find, search};
use std::time::Duration;

/// Flags of `groma path`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Begin: the word `internet`, or the id, ARN or name of an asset; an instance has only an id
    #[arg(value_name = "FROM")]
    pub from: String,
    /// End: the word `administrator`, or the id, ARN or name of an asset
    #[arg(value_name = "TO")]
    pub to: String,
    /// Output format; pictures show only open paths
    #[arg(long, default_value = "text", value_parser = format_parser())]
    pub format: Format,
    /// Maximum number of steps of a path
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub steps: u8,
    /// Maximum number of open paths, and of blocked ones; the shortest come first
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub paths: u8,
    /// Seconds after which the search ends
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub seconds: u16,
    /// Exit with status 4 if there is an open path, also if it only may hold
    #[arg(long)]
    pub fail_on_path: bool,
    /// Neo4j.
    #[command(flatten)]
    pub graph: graph::Args,
}

fn format_parser() -> impl TypedValueParser<Value = Format> {
    // The parser admits no other name.
    PossibleValuesParser::new(Format::NAMES).map(|name| Format::named(&name).unwrap_or(Format::Text))
}

/// Prints the shortest paths.
///
/// # Errors
/// Fails if an end is no asset, if no path connects assets of the two kinds, or if the graph cannot be read.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let Args { from, to, format, steps, paths, seconds, fail_on_path, graph } = args;
    let store = GraphStore::connect(&graph.validate().map_err(UsageError::new)?).await?;
    let ends = Box::pin(find(&store, &from, &to)).await;
    let (begin, end) = ends.map_err(|error| match error {
        EndError::Graph(error) => anyhow::Error::from(error),
        wrong => UsageError::new([wrong]).into(),
    })?;
    let limits = Limits {
        hops: steps.into(),
        paths: paths.into(),
        time: Duration::from_secs(seconds.into()),
        ..Limits::default()
    };
    let found = Box::pin(search(&store, &begin, &end, limits)).await?;
    write(&format.text(&found, &from, &to))?;
    let is_open = !found.paths.is_empty();
    if format.is_picture() && !is_open {
        eprintln!(
            "no open path, so the picture is empty; --format text shows the blocked paths and the limits of the search"
        );
    }
    if let Some(cut) = &found.cut {
        eprintln!("{cut}: there may be further paths");
    }
    Ok(match found.cut {
        _ if fail_on_path && is_open => process::exit::FINDINGS,
        Some(_) => process::exit::INCOMPLETE,
        None => process::exit::COMPLETE,
    })
}
