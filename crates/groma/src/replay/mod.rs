//! `groma replay`: writes a recorded sync to a graph, without AWS. The recording is published to a private NATS, from which
//! a graph-writer in this process reads it like a live sync. Every file is read to its end first, so that an incomplete
//! file writes nothing.

pub mod apply;
pub mod dry_run;
pub mod filter_args;
pub mod outcome;
pub mod since;
pub mod source;

use crate::{
    UsageError,
    sync::{private_nats::PrivateNats, report},
};
use ::replay::Filter;
use anyhow::bail;
use filter_args::FilterArgs;
use graph::{GraphConfig, GraphStore};
use source::Recording;
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

/// `groma replay`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Recording to replay
    #[arg(value_name = "FILE", required_unless_present_any = ["sync", "since", "kept"], conflicts_with_all = ["sync", "since", "kept"])]
    pub file: Option<PathBuf>,
    /// Replay the events that a `groma sync` collected but could not write, from the folder that it named
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["sync", "since"])]
    pub kept: Option<PathBuf>,
    /// Replay this sync from the streams of NATS
    #[arg(long, value_name = "ID", conflicts_with = "since")]
    pub sync: Option<String>,
    /// Replay every sync in the streams of NATS that began since this time, the oldest first: `6h`, `2026-01-31`, `2026-01-31T06:00:00Z` or Unix seconds
    #[arg(long, value_name = "WHEN", value_parser = since::parse)]
    pub since: Option<i64>,
    /// Write nothing; print the numbers of new, changed and removed nodes and edges
    #[arg(long)]
    pub dry_run: bool,
    /// Most messages per second [default: as fast as they can be written]
    #[arg(long, value_name = "MESSAGES", value_parser = positive)]
    pub rate: Option<f64>,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
    /// Part of the recording.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Graph to write.
    #[command(flatten)]
    pub graph: graph::Args,
    /// NATS with the streams that `--sync` and `--since` read.
    #[command(flatten)]
    pub bus: process::BusArgs,
}

fn positive(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0).ok_or("a number greater than 0")
}

/// Replays, prints a report, and returns the exit status.
///
/// # Errors
/// The arguments are invalid, a recording or the graph cannot be read, or the replay fails.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let graph = args.graph.clone().validate().map_err(UsageError::new)?;
    let filter = args.filter.filter();
    let shutdown = process::shutdown();
    let Some(recordings) = shutdown.run_until_cancelled(recordings(&args, &filter)).await else {
        eprintln!("interrupted while reading: nothing was written");
        return Ok(process::exit::INTERRUPTED);
    };
    let mut recordings = recordings?;
    for recording in &recordings {
        recording.holds_what_is_asked_for(&filter)?;
    }
    if args.dry_run {
        let comparing = dry_run::run(&mut recordings, &filter, &graph, args.json);
        let status = shutdown.run_until_cancelled(comparing).await;
        return status.unwrap_or(Ok(process::exit::INTERRUPTED));
    }
    let replaying = apply_all(recordings, &filter, &args, &graph, &shutdown);
    let Some(status) = shutdown.run_until_cancelled(replaying).await else {
        eprintln!("interrupted: the graph has the part replayed so far; replaying it again is harmless");
        return Ok(process::exit::INTERRUPTED);
    };
    status
}

async fn recordings(args: &Args, filter: &Filter) -> anyhow::Result<Vec<Recording>> {
    match (&args.file, &args.kept, &args.sync, args.since) {
        (Some(file), ..) => Ok(vec![Recording::open(file, filter)?]),
        (None, Some(folder), ..) => kept(folder, args, filter).await,
        (None, None, Some(sync), _) => Ok(vec![source::Streams::connect(&args.bus).await?.record(sync, filter).await?]),
        (None, None, None, Some(tag)) => source::Streams::connect(&args.bus).await?.since(tag, filter).await,
        (None, None, None, None) => bail!(UsageError::new(["name a FILE, --kept, --sync or --since"])),
    }
}

/// Reads every sync in the streams that an earlier `groma sync` kept.
async fn kept(folder: &Path, args: &Args, filter: &Filter) -> anyhow::Result<Vec<Recording>> {
    let nats = PrivateNats::reopen(folder).await?;
    let url = Some(nats.url().to_owned());
    let private = process::BusArgs { nats: url, nats_creds: None, nats_nkey: None, nats_ca: None, ..args.bus.clone() };
    let recordings = source::Streams::connect(&private).await?.since(0, filter).await;
    nats.stop().await;
    recordings
}

async fn apply_all(
    recordings: Vec<Recording>,
    filter: &Filter,
    args: &Args,
    graph: &GraphConfig,
    shutdown: &tokio_util::sync::CancellationToken,
) -> anyhow::Result<u8> {
    let store = GraphStore::connect(graph).await?;
    let mut player = apply::Player::start(store, graph, filter, shutdown).await?;
    let (mut outcomes, mut failure) = (Vec::new(), None);
    for mut recording in recordings {
        let began = Instant::now();
        match player.play(&mut recording, filter, args.rate).await {
            Ok(outcome) => outcomes.push((outcome, began.elapsed())),
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    player.stop().await;
    let list = args.since.is_some() || args.kept.is_some();
    let status = report::print(&outcomes, report::REPLAYED, args.json, list)?;
    failure.map_or(Ok(status), Err)
}
