//! `groma record`: writes a sync from the streams to a file.

use crate::replay::source::Streams;
use anyhow::Context;
use std::{io::BufWriter, path::PathBuf};

/// `groma record`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Id of the sync, as in its report
    #[arg(long, value_name = "ID")]
    pub sync: String,
    /// File to write; it appears once it is complete
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// NATS.
    #[command(flatten)]
    pub bus: process::BusArgs,
}

/// Records one sync.
///
/// # Errors
/// The streams do not have the sync, or the file cannot be written.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let streams = Streams::connect(&args.bus).await?;
    let name = args.output.display().to_string();
    let unwritable = || format!("cannot write {name}");
    let folder = args.output.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.map_or_else(|| PathBuf::from("."), PathBuf::from);
    // In the file's folder, so that it can be renamed. Only its owner may read an organization's data.
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(unwritable)?;
    let copied = streams.copy(&args.sync, BufWriter::new(file.as_file_mut())).await?;
    file.as_file().sync_all().with_context(unwritable)?;
    let bytes = file.as_file().metadata().with_context(unwritable)?.len();
    file.persist(&args.output).with_context(unwritable)?;

    let (events, listings) = (copied.assets, copied.inventory.complete().count());
    println!("Recorded sync {}: {listings} listings, {events} asset events, {bytes} bytes in {name}.", args.sync);
    if copied.foreign > 0 {
        eprintln!("left out {} message(s) that a graph-writer would reject", copied.foreign);
    }
    let gaps = copied.inventory.gaps().count();
    if gaps == 0 {
        return Ok(process::exit::COMPLETE);
    }
    eprintln!("{gaps} listing(s) are no longer complete in the stream, and so not in the recording:");
    for gap in copied.inventory.gaps() {
        eprintln!("  {gap}");
    }
    Ok(process::exit::INCOMPLETE)
}
