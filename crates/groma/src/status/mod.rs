//! `groma status`: running syncs, the results of surveys, queues, and how old the graph is.

mod collect;
mod text;

use crate::UsageError;
use bus::Bus;
use collect::Status;
use graph::GraphStore;
use std::{
    io::{IsTerminal, Write},
    time::Duration,
};

/// Time between two looks of `--watch`.
const INTERVAL: Duration = Duration::from_secs(2);
/// Clears the terminal and moves to its first line.
const CLEAR: &str = "\u{1b}[2J\u{1b}[H";

/// Flags of `groma status`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Print JSON; with --watch, one line each time
    #[arg(long)]
    pub json: bool,
    /// Look again every two seconds, until interrupted
    #[arg(long)]
    pub watch: bool,
    /// NATS.
    #[command(flatten)]
    pub bus: process::BusArgs,
    /// Neo4j.
    #[command(flatten)]
    pub graph: graph::Args,
}

/// Prints the status once, or until interrupted. Without `--nats`, shows the graph only: `groma sync` may have used a
/// private bus. The exit status says whether the graph is whole.
///
/// # Errors
/// Fails if NATS or Neo4j cannot be reached or read.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let config = args.graph.validate().map_err(UsageError::new)?;
    let bus = match args.bus.nats {
        Some(_) => Some(Bus::connect(&args.bus.config("groma-status")).await?),
        None => None,
    };
    let store = GraphStore::connect(&config).await?;
    if !args.watch {
        let status = Status::collect(bus.as_ref(), &store).await?;
        return Ok(show(&status, args.json, "", true)?);
    }
    let clear = if std::io::stdout().is_terminal() && !args.json { CLEAR } else { "" };
    loop {
        let status = Status::collect(bus.as_ref(), &store).await?;
        let exit = show(&status, args.json, clear, false)?;
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            _ = tokio::signal::ctrl_c() => return Ok(exit),
        }
    }
}

/// Prints a status, and returns its exit status.
fn show(status: &Status, json: bool, clear: &str, pretty: bool) -> anyhow::Result<u8> {
    let text = match (json, pretty) {
        (true, true) => serde_json::to_string_pretty(status)? + "\n",
        (true, false) => serde_json::to_string(status)? + "\n",
        (false, _) => text::text(status),
    };
    let mut out = std::io::stdout().lock();
    write!(out, "{clear}{text}")?;
    out.flush()?;
    Ok(if status.is_whole() { process::exit::COMPLETE } else { process::exit::INCOMPLETE })
}
