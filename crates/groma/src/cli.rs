//! Command line of `groma`.

use crate::{
    ask, diff, doctor, explain, findings, forget, install, nats, neo4j, parked, path, record, replay, status, streams,
    sync,
};
use clap::{Parser, Subcommand};

/// One Neo4j graph of everything in all your AWS accounts.
///
/// Exit status: 0 complete, 1 nothing could be done, 2 wrong usage, 3 finished but some scopes could not be seen,
/// 4 findings (groma ask --fail-on, groma path --fail-on-path), 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "groma", version, propagate_version = true)]
pub struct Cli {
    /// Logging.
    #[command(flatten)]
    pub log: process::LogArgs,
    /// Command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// Commands of `groma`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Survey AWS into the graph, with every role in this process
    Sync(Box<sync::Args>),
    /// Check the requirements of a sync, with a fix for each problem
    Doctor(Box<doctor::Args>),
    /// Show unfinished syncs, results of surveys, queues and the age of the graph
    ///
    /// Exit status 3: the last survey of everything or a later one failed or could not see something, a sync has lost its
    /// scheduler, a place of the graph is stale, or the graph is empty. Accepted gaps do not count.
    Status(status::Args),
    /// Ask the graph the questions of the library: findings by severity, in several formats
    Ask(ask::Args),
    /// Explain a label, relationship or property: who fills it, with which permissions, which questions use it
    Explain(explain::Args),
    /// Show the shortest paths between two assets: how the internet reaches an instance, how a role becomes administrator
    ///
    /// A path leads through security groups, load balancers, peerings and permissions, or begins at a public bucket, function or
    /// role. Permissions come from identity policies, trust policies and boundaries, not from policies of buckets, keys or
    /// secrets. The search ignores network ACLs, route tables and service control policies; each answer lists such
    /// limits. A step with "may" holds only under conditions. Exit status 3: a limit has ended the search, so there may be further
    /// paths. Exit status 4: there is an open path, with --fail-on-path.
    Path(path::Args),
    /// Query the graph for a few security findings
    Findings(findings::Args),
    /// Write a sync from the streams into a file
    Record(record::Args),
    /// Write a recorded sync into the graph, without AWS
    Replay(Box<replay::Args>),
    /// Show the changes between two syncs
    Diff(diff::Args),
    /// Count or remove nodes and edges of places that no survey covers any longer
    Forget(forget::Args),
    /// Show Groma's streams on NATS and their consumers
    Streams(streams::Args),
    /// List messages that could not be handled, with the reason; send them back or delete them
    Parked(parked::Args),
    /// Prepare a NATS server on which each role reaches only the subjects that it needs
    Nats(nats::Args),
    /// Prepare a Neo4j database before the first sync
    Neo4j(neo4j::Args),
    /// Run only the credential broker
    Broker(broker::ProcessArgs),
    /// Run only the collectors of the given services
    Collector(collectors::Args),
    /// Run only the scheduler, with brokers, collectors and writers that run elsewhere
    Scheduler(scheduler::ProcessArgs),
    /// Run only the graph-writer
    GraphWriter(graph_writer::ProcessArgs),
    /// Print a completion script for a shell
    Completions(install::CompletionsArgs),
    /// Write manual pages
    Man(install::ManArgs),
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
