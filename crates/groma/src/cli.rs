//! What can be typed.

use crate::{diff, doctor, findings, forget, nats, neo4j, parked, record, replay, streams, sync};
use clap::{Parser, Subcommand};

/// One Neo4j graph of everything in all your AWS accounts.
///
/// Exit status: 0 complete, 1 nothing could be done, 2 wrong usage, 3 finished but some scopes could not be seen.
#[derive(Debug, Parser)]
#[command(name = "groma", version, propagate_version = true)]
pub struct Cli {
    /// Logging.
    #[command(flatten)]
    pub log: role::LogArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What Groma can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Survey AWS into the graph, with every role in this process
    Sync(Box<sync::Args>),
    /// Look at everything that a sync needs, with a fix for what is not right
    Doctor(Box<doctor::Args>),
    /// Ask the graph what a security engineer would ask first
    Findings(findings::Args),
    /// Write a sync that is in the streams into a file
    Record(record::Args),
    /// Make the graph of a recorded sync, without AWS
    Replay(Box<replay::Args>),
    /// Say what changed between two syncs
    Diff(diff::Args),
    /// Count or remove nodes and edges of places that no survey covers any more
    Forget(forget::Args),
    /// Show Groma's streams on NATS and who reads them
    Streams(streams::Args),
    /// List the messages that nobody could handle, with the reason; send them back or delete them
    Parked(parked::Args),
    /// Prepare a NATS server on which each role reaches only what it needs
    Nats(nats::Args),
    /// Prepare a Neo4j database before the first sync
    Neo4j(neo4j::Args),
    /// Run the credential broker alone
    Broker(broker::Alone),
    /// Run the collectors of some services alone
    Collector(collectors::Args),
    /// Run the scheduler alone: survey with brokers, collectors and writers that run elsewhere
    Scheduler(scheduler::Alone),
    /// Run the graph-writer alone
    GraphWriter(graph_writer::Alone),
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
