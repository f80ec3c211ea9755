//! `groma status`: running syncs, the results of surveys, queues, and how old the graph is.

mod read;
mod text;

use crate::{UsageError, output::write};
use bus::Bus;
use graph::GraphStore;
use questions::format;
use read::{Status, StatusReader};
use std::{cell::Cell, io::IsTerminal, time::Duration};

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
/// private bus. The exit status is 3 if something needs attention ([`Status::is_complete`]).
///
/// # Errors
/// Fails if NATS cannot be reached, or Neo4j cannot be reached or read.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let config = args.graph.validate().map_err(UsageError::new)?;
    let bus = match args.bus.nats {
        Some(_) => Some(Bus::connect(&args.bus.config("groma-status")).await?),
        None => None,
    };
    let store = GraphStore::connect(&config).await?;
    let mut reader = StatusReader::new(bus.as_ref(), &store);
    if !args.watch {
        return show(&reader.read().await?, args.json, "", true);
    }
    let clear = if std::io::stdout().is_terminal() && !args.json { CLEAR } else { "" };
    let exit = Cell::new(process::exit::COMPLETE);
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        let looking = async {
            let status = reader.read().await?;
            exit.set(show(&status, args.json, clear, false)?);
            tokio::time::sleep(INTERVAL).await;
            anyhow::Ok(())
        };
        tokio::select! {
            looked = looking => looked?,
            _ = &mut interrupted => return Ok(exit.get()),
        }
    }
}

/// Prints a status, and returns its exit status.
fn show(status: &Status, json: bool, clear: &str, pretty: bool) -> anyhow::Result<u8> {
    let text = match (json, pretty) {
        (true, true) => format::printed(status),
        (true, false) => format::line(status),
        (false, _) => text::text(status),
    };
    write(&format!("{clear}{text}"))?;
    Ok(if status.complete { process::exit::COMPLETE } else { process::exit::INCOMPLETE })
}
