//! `groma parked`: the messages that nobody could handle; what they are, again to where they came from, or away.

pub mod decoded;
pub mod shown;

use anyhow::Context;
use bus::{Bus, PARKED, ParkedMessage};
use role::exit;

/// `groma parked`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    /// What to do with them; without it, they are listed.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to list them.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Without a command.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct ListArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// NATS.
    #[command(flatten)]
    pub bus: role::BusArgs,
}

/// What can be done with a parked message.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show one with what its bytes say
    ///
    /// Values of properties are left out: names, ids and counts are shown.
    Show(ShowArgs),
    /// Publish them again where they came from, and take them off the parked stream
    Retry(RetryArgs),
    /// Delete them for good
    Drop(DropArgs),
}

/// `groma parked show`.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// Its number, as `groma parked` lists it
    #[arg(value_name = "SEQ")]
    pub sequence: u64,
    /// How to show it.
    #[command(flatten)]
    pub list: ListArgs,
}

/// `groma parked retry`.
#[derive(Debug, clap::Args)]
pub struct RetryArgs {
    /// Their numbers, as `groma parked` lists them
    #[arg(value_name = "SEQ", required_unless_present = "all")]
    pub sequences: Vec<u64>,
    /// All that are parked now
    #[arg(long, conflicts_with = "sequences")]
    pub all: bool,
    /// NATS.
    #[command(flatten)]
    pub bus: role::BusArgs,
}

/// `groma parked drop`.
#[derive(Debug, clap::Args)]
pub struct DropArgs {
    /// Their numbers, as `groma parked` lists them
    #[arg(value_name = "SEQ", required = true)]
    pub sequences: Vec<u64>,
    /// NATS.
    #[command(flatten)]
    pub bus: role::BusArgs,
}

/// Lists parked messages, or does with them what the command says.
///
/// # Errors
/// When NATS cannot be reached or has no parked stream, or a message to be shown is not there.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    match args.command {
        None => {
            let bus = connect(&args.list.bus).await?;
            shown::list(&all(&bus).await?, args.list.json)?;
            Ok(exit::COMPLETE)
        }
        Some(Command::Show(ShowArgs { sequence, list })) => {
            let parked = find(&connect(&list.bus).await?, sequence).await?;
            shown::one(&parked, list.json)?;
            Ok(exit::COMPLETE)
        }
        Some(Command::Retry(RetryArgs { sequences, all, bus })) => {
            let bus = connect(&bus).await?;
            let sequences = if all { every_sequence(&bus).await? } else { sequences };
            Ok(each(sequences, async |sequence| retry(&bus, sequence).await).await)
        }
        Some(Command::Drop(DropArgs { sequences, bus })) => {
            let bus = connect(&bus).await?;
            Ok(each(sequences, async |sequence| discard(&bus, sequence).await).await)
        }
    }
}

async fn connect(bus: &role::BusArgs) -> anyhow::Result<Bus> {
    Ok(Bus::connect(&bus.config("groma-parked")).await?)
}

async fn all(bus: &Bus) -> anyhow::Result<Vec<ParkedMessage>> {
    let mut all = Vec::new();
    let mut after = 0;
    while let Some(parked) = bus.next_parked(after).await? {
        after = parked.sequence;
        all.push(parked);
    }
    Ok(all)
}

/// What is parked at this moment, and not what comes back while it is being retried.
async fn every_sequence(bus: &Bus) -> anyhow::Result<Vec<u64>> {
    Ok(all(bus).await?.iter().map(|parked| parked.sequence).collect())
}

/// One after the other, the rest whatever became of one; each is said.
async fn each(sequences: Vec<u64>, act: impl AsyncFn(u64) -> anyhow::Result<String>) -> u8 {
    let mut status = exit::COMPLETE;
    if sequences.is_empty() {
        println!("nothing is parked");
    }
    for sequence in sequences {
        match act(sequence).await {
            Ok(done) => println!("{sequence}: {done}"),
            Err(error) => {
                eprintln!("{sequence}: {}", shown::printable(&bus::chain(error.as_ref())));
                status = exit::NOTHING_DONE;
            }
        }
    }
    status
}

async fn retry(bus: &Bus, sequence: u64) -> anyhow::Result<String> {
    let parked = find(bus, sequence).await?;
    bus.send_back(&parked).await?;
    Ok(format!("sent back to {}", shown::printable(&parked.subject)))
}

async fn discard(bus: &Bus, sequence: u64) -> anyhow::Result<String> {
    find(bus, sequence).await?;
    bus.erase(PARKED, sequence).await?;
    Ok("deleted".to_owned())
}

async fn find(bus: &Bus, sequence: u64) -> anyhow::Result<ParkedMessage> {
    bus.parked(sequence).await?.with_context(|| format!("no message {sequence} is parked: `groma parked` lists all"))
}
