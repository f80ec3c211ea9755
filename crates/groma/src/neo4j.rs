//! `groma neo4j init`: a database that is ready before the first sync.

use crate::UsageError;
use graph::GraphStore;
use graph_writer::{
    Expected,
    prepare::{Prepared, prepare},
};

/// `groma neo4j`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done for a Neo4j database.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make the indexes and constraints of all types, and have Neo4j plan the statements that are coming
    ///
    /// The first sync makes the indexes itself, so this is for those who want them made by another user, who may, or
    /// want the first sync fast on a database that has just started: it also writes some made-up assets, rolls them
    /// back or, a few under the label GromaRehearsal, removes them. It changes no other data, and may be run again.
    Init(InitArgs),
}

/// `groma neo4j init`.
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
/// When it cannot be reached, or refuses.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let Command::Init(InitArgs { graph }) = args.command;
    let store = GraphStore::connect(&graph.validate().map_err(UsageError::new)?).await?;
    let Prepared { indexes, statements } = prepare(&store, &Expected::of_catalog()).await?;
    println!("{indexes} indexes and constraints are there; {statements} statements are planned.");
    Ok(role::exit::COMPLETE)
}
