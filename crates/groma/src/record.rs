//! `groma record`: a sync out of the streams into a file.

use crate::replay::source::Streams;
use anyhow::Context;
use std::{io::BufWriter, path::PathBuf};

/// `groma record`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// The sync, by the id that its report says
    #[arg(long, value_name = "ID")]
    pub sync: String,
    /// File to write; it appears when it is whole
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// NATS.
    #[command(flatten)]
    pub bus: role::BusArgs,
}

/// Records one sync.
///
/// # Errors
/// When there is no such sync, or the file cannot be written.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let streams = Streams::connect(&args.bus).await?;
    let name = args.output.display().to_string();
    let unwritable = || format!("cannot write {name}");
    let folder = args.output.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.map_or_else(|| PathBuf::from("."), PathBuf::from);
    // Beside the file, so that it can take its name; only its owner may read what an organization holds.
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(unwritable)?;
    let copied = streams.copy(&args.sync, BufWriter::new(file.as_file_mut())).await?;
    file.as_file().sync_all().with_context(unwritable)?;
    let bytes = file.as_file().metadata().with_context(unwritable)?.len();
    file.persist(&args.output).with_context(unwritable)?;

    let (events, listings) = (copied.assets, copied.inventory.complete().count());
    println!("Recorded sync {}: {listings} listings, {events} asset events, {bytes} bytes in {name}.", args.sync);
    if copied.foreign > 0 {
        eprintln!("{} message(s) that no graph-writer would believe were left out", copied.foreign);
    }
    let gaps = copied.inventory.gaps().count();
    if gaps == 0 {
        return Ok(role::exit::COMPLETE);
    }
    eprintln!("{gaps} listing(s) are no longer whole in the stream, and so not in the recording:");
    for gap in copied.inventory.gaps() {
        eprintln!("  {gap}");
    }
    Ok(role::exit::INCOMPLETE)
}
