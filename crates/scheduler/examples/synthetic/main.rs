//! Syncs of any size: writes recordings of synthetic organizations, publishes them, and waits for the graph.
//!
//! ```text
//! synthetic write FILE --tag 1000 --assets 1000000 --accounts 4      # writes a recording
//! synthetic publish FILE --nats URL                                  # publishes it as collectors would
//! synthetic wait FILE --nats URL                                     # waits until the graph holds it, prints `finished`
//! ```
//!
//! Used by `just scale --assets`. `groma replay FILE` can also replay a recording.

mod organization;

use anyhow::{Context, bail};
use bus::{Bus, BusConfig};
use clap::Parser;
use events::sync_event::Event;
use organization::Organization;
use replay::{Filter, Inventory, Playback, Reader};
use scheduler::Follower;
use std::{
    fs::File,
    io::{BufReader, BufWriter},
    path::{Path, PathBuf},
    time::Duration,
};

/// Time limit until the graph is finished.
const LIMIT: Duration = Duration::from_hours(1);

#[derive(Parser)]
enum Command {
    /// Write a recording
    Write {
        /// File to write
        file: PathBuf,
        #[command(flatten)]
        organization: Organization,
    },
    /// Publish a recording
    Publish(Recorded),
    /// Wait until the graph holds a published recording
    Wait(Recorded),
}

#[derive(clap::Args)]
struct Recorded {
    /// Recording
    file: PathBuf,
    /// URL of NATS
    #[arg(long)]
    nats: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Write { file, organization } => {
            let output = BufWriter::new(File::create(&file)?);
            organization.write(output)
        }
        Command::Publish(Recorded { file, nats }) => publish(&file, &nats).await,
        Command::Wait(Recorded { file, nats }) => wait(&file, &nats).await,
    }
}

async fn publish(file: &Path, nats: &str) -> anyhow::Result<()> {
    let bus = Bus::connect(&BusConfig::new(nats, "synthetic")).await?;
    bus.ensure_streams().await?;
    let filter = Filter::default();
    let mut input = BufReader::new(File::open(file)?);
    let inventory = Inventory::read(Reader::new(&mut input)?, &filter)?;
    let playback = Playback::new(&inventory, &filter);
    replay::play(&bus, Reader::again(&mut input)?, &playback, None).await?;
    Ok(())
}

async fn wait(file: &Path, nats: &str) -> anyhow::Result<()> {
    let sync = Reader::new(BufReader::new(File::open(file)?))?.sync().clone();
    let bus = Bus::connect(&BusConfig::new(nats, "synthetic")).await?;
    let mut follower = Follower::new(&bus, &sync.id);
    let finished = async {
        loop {
            for event in follower.next().await {
                if let Event::Finished(finished) = event {
                    return finished;
                }
            }
        }
    };
    let finished = tokio::time::timeout(LIMIT, finished).await.context("the graph did not finish")?;
    if finished.lost_total + finished.rejected_total > 0 || finished.cleanup.is_some() {
        bail!("the graph is not complete: {finished:?}");
    }
    println!(
        "{} nodes, {} relationships, {} nodes removed, {} relationships removed",
        finished.nodes, finished.edges, finished.nodes_removed, finished.edges_removed
    );
    Ok(())
}
