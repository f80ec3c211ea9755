//! `groma parked`: lists messages that could not be handled, shows one, sends them back or deletes them.

pub mod decoded;
pub mod shown;

use anyhow::Context;
use bus::{Bus, PARKED, ParkedMessage};
use process::exit;

/// Flags of `groma parked`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    /// Command for parked messages; without one, they are listed.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Flags of the list.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Flags of `groma parked` without a command.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct ListArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// NATS.
    #[command(flatten)]
    pub bus: process::BusArgs,
}

/// Commands for parked messages.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show one message with its content
    ///
    /// Shows names, ids and counts, but no property values.
    Show(ShowArgs),
    /// Publish messages to their original stream again, and remove them from the parked stream
    Retry(RetryArgs),
    /// Delete messages permanently
    Drop(DropArgs),
}

/// Flags of `groma parked show`.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// Sequence of the message, as listed by `groma parked`
    #[arg(value_name = "SEQ")]
    pub sequence: u64,
    /// Output and NATS.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Flags of `groma parked retry`.
#[derive(Debug, clap::Args)]
pub struct RetryArgs {
    /// Sequences of the messages, as listed by `groma parked`
    #[arg(value_name = "SEQ", required_unless_present = "all")]
    pub sequences: Vec<u64>,
    /// All messages that are parked now
    #[arg(long, conflicts_with = "sequences")]
    pub all: bool,
    /// NATS.
    #[command(flatten)]
    pub bus: process::BusArgs,
}

/// Flags of `groma parked drop`.
#[derive(Debug, clap::Args)]
pub struct DropArgs {
    /// Sequences of the messages, as listed by `groma parked`
    #[arg(value_name = "SEQ", required = true)]
    pub sequences: Vec<u64>,
    /// NATS.
    #[command(flatten)]
    pub bus: process::BusArgs,
}

/// Lists parked messages, or runs the command on them.
///
/// # Errors
/// Fails if NATS cannot be reached or has no parked stream, or the message to show does not exist.
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

async fn connect(bus: &process::BusArgs) -> anyhow::Result<Bus> {
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

/// Sequences of the messages that are parked now. Messages parked again during the command are not included.
async fn every_sequence(bus: &Bus) -> anyhow::Result<Vec<u64>> {
    Ok(all(bus).await?.iter().map(|parked| parked.sequence).collect())
}

/// Runs `act` on each message in turn and prints the result. A failure does not stop the others.
async fn each(sequences: Vec<u64>, act: impl AsyncFn(u64) -> anyhow::Result<String>) -> u8 {
    let mut status = exit::COMPLETE;
    if sequences.is_empty() {
        println!("no messages are parked");
    }
    for sequence in sequences {
        match act(sequence).await {
            Ok(done) => println!("{sequence}: {done}"),
            Err(error) => {
                eprintln!("{sequence}: {}", shown::printable(&errors::chain(error.as_ref())));
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
    bus.parked(sequence).await?.with_context(|| format!("message {sequence} is not parked: `groma parked` lists all"))
}
