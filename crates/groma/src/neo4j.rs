//! `groma neo4j init`: prepares a database for the first sync.

use crate::UsageError;
use graph::GraphStore;
use graph_writer::{
    Expected,
    prepare::{Prepared, prepare},
};

/// Flags of `groma neo4j`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// Commands of `groma neo4j`.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Create the indexes and constraints of all types, and have Neo4j plan the writer's statements
    ///
    /// The first sync creates the indexes itself. Run this command first if index creation needs a more privileged
    /// user, or to make the first sync fast on a database that has just started. It changes no data and may be repeated.
    Init(InitArgs),
}

/// Flags of `groma neo4j init`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct InitArgs {
    /// Neo4j.
    #[command(flatten)]
    pub graph: graph::Args,
}

/// Prepares the database.
///
/// # Errors
/// Fails if the database cannot be reached, or rejects a statement.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let Command::Init(InitArgs { graph }) = args.command;
    let store = GraphStore::connect(&graph.validate().map_err(UsageError::new)?).await?;
    let Prepared { indexes, statements } = prepare(&store, &Expected::of_catalog()).await?;
    let indexes = indexes + known_findings::prepare(&store).await?;
    println!("{indexes} indexes and constraints are online; {statements} statements are planned.");
    Ok(process::exit::COMPLETE)
}
