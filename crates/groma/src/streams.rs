//! `groma streams`: content of the JetStream streams and their consumers.

use bus::{Bus, StreamSummary};
use std::fmt::Write;

/// Flags of `groma streams`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// NATS.
    #[command(flatten)]
    pub bus: process::BusArgs,
}

/// Prints every stream with its consumers.
///
/// # Errors
/// Fails if NATS cannot be reached or has no streams of Groma.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let bus = Bus::connect(&args.bus.config("groma-streams")).await?;
    let streams = bus.stream_summaries().await.map_err(|error| anyhow::anyhow!(error))?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&streams)?);
    } else {
        print!("{}", text(&streams));
    }
    Ok(process::exit::COMPLETE)
}

fn text(streams: &[StreamSummary]) -> String {
    let mut out = String::new();
    for stream in streams {
        let StreamSummary { name, subjects, messages, bytes, replicas, storage, retention, .. } = stream;
        let subjects = subjects.join(", ");
        let held = format!("{messages} messages, {bytes} bytes");
        writeln!(out, "{name}  {subjects}  {held}  {retention}, {storage}, {replicas} replica(s)").ok();
        for consumer in &stream.consumers {
            writeln!(
                out,
                "  {}: {} waiting, {} unacknowledged, {} redelivered",
                consumer.name, consumer.waiting, consumer.unacknowledged, consumer.redelivered
            )
            .ok();
        }
    }
    out
}
