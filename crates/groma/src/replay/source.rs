//! Sources of recordings: the user's files, or syncs in the streams, which are copied to temporary files. So both can be
//! read repeatedly and need no memory.

use crate::UsageError;
use ::replay::{Filter, FormatError, Inventory, Reader, RecordError, record, syncs_since};
use anyhow::{Context, bail};
use bus::Bus;
use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufReader, BufWriter, Seek},
    path::Path,
};

/// Name of the program that writes recordings.
pub const RECORDED_BY: &str = concat!("groma ", env!("CARGO_PKG_VERSION"));

/// A recording that has been read to its end and is complete.
pub struct Recording {
    /// Name for the user: the path, or the sync.
    pub name: String,
    /// Its inventory, until it is taken.
    inventory: Option<Inventory>,
    /// Values that a filter may name.
    offered: Filter,
    file: BufReader<File>,
}

impl Recording {
    /// Reads a file to its end.
    ///
    /// # Errors
    /// The file is not a recording, or not complete; the error names the position.
    pub fn open(path: &Path, filter: &Filter) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
        if file.metadata().is_ok_and(|about| about.is_dir()) {
            bail!("cannot read {name}: it is a directory");
        }
        Self::whole(name, file, filter)
    }

    fn whole(name: String, file: File, filter: &Filter) -> anyhow::Result<Self> {
        let (inventory, offered, file) = (None, Filter::default(), BufReader::new(file));
        let mut recording = Self { name, inventory, offered, file };
        let inventory = recording.read(filter)?;
        recording.offered = inventory.offered.clone();
        recording.inventory = Some(inventory);
        Ok(recording)
    }

    fn read(&mut self, filter: &Filter) -> anyhow::Result<Inventory> {
        let Self { name, file, .. } = self;
        let refused = |error: FormatError| anyhow::anyhow!("{name} {}", errors::chain(&error));
        let reader = Reader::again(file).map_err(refused)?;
        Inventory::read(reader, filter).map_err(refused)
    }

    /// Returns the inventory with this filter, the same as on opening. The second call reads the file again.
    ///
    /// # Errors
    /// The file is read again and is no longer complete.
    pub fn take_inventory(&mut self, filter: &Filter) -> anyhow::Result<Inventory> {
        match self.inventory.take() {
            Some(inventory) => Ok(inventory),
            None => self.read(filter),
        }
    }

    /// Returns the file, to be read from its beginning.
    pub fn file(&mut self) -> &mut BufReader<File> {
        &mut self.file
    }

    /// Returns a reader at the beginning.
    ///
    /// # Errors
    /// The file has changed and is no longer a recording.
    pub fn reader(&mut self) -> Result<Reader<&mut BufReader<File>>, FormatError> {
        Reader::again(&mut self.file)
    }

    /// Checks that the recording contains every name of the filter. A missing one is probably a typing error.
    ///
    /// # Errors
    /// All missing names, with the existing ones.
    pub fn holds_what_is_asked_for(&self, filter: &Filter) -> Result<(), UsageError> {
        let offered = &self.offered;
        let pairs = [
            ("account", &filter.accounts, &offered.accounts),
            ("region", &filter.regions, &offered.regions),
            ("service", &filter.services, &offered.services),
            ("type", &filter.types, &offered.types),
        ];
        let missing = |(kind, asked, offered): (&str, &BTreeSet<String>, &BTreeSet<String>)| {
            let offered_names: Vec<_> = offered.iter().collect();
            let has = if offered_names.is_empty() { "none".to_owned() } else { events::listed(&offered_names, ", ") };
            let name = &self.name;
            asked
                .difference(offered)
                .map(|asked| format!("{name} has nothing of {kind} {asked}; it has {has}"))
                .collect::<Vec<_>>()
        };
        let errors: Vec<String> = pairs.into_iter().flat_map(missing).collect();
        if errors.is_empty() { Ok(()) } else { Err(UsageError::new(errors)) }
    }
}

/// The streams of a NATS. They are only read.
pub struct Streams(Bus);

impl Streams {
    /// Connects.
    ///
    /// # Errors
    /// NATS cannot be reached.
    pub async fn connect(args: &process::BusArgs) -> anyhow::Result<Self> {
        Ok(Self(Bus::connect(&args.config("groma-replay")).await?))
    }

    /// Records one sync into `output`.
    ///
    /// # Errors
    /// The streams do not have the sync, or it cannot be read or written.
    pub async fn copy(&self, sync: &str, output: impl std::io::Write) -> Result<::replay::Copied, RecordError> {
        record(&self.0, sync, RECORDED_BY, output).await
    }

    /// Records one sync into a temporary file, which is removed when this process ends.
    ///
    /// # Errors
    /// As [`Streams::copy`].
    pub async fn record(&self, sync: &str, filter: &Filter) -> anyhow::Result<Recording> {
        let mut file = tempfile::tempfile().context("cannot make a temporary file")?;
        self.copy(sync, BufWriter::new(&mut file)).await?;
        file.rewind().context("cannot read a temporary file")?;
        Recording::whole(format!("sync {sync}"), file, filter)
    }

    /// Records every collected sync that began at this second or later, the oldest first.
    ///
    /// # Errors
    /// No such sync exists, or one cannot be read.
    pub async fn since(&self, tag: i64, filter: &Filter) -> anyhow::Result<Vec<Recording>> {
        let syncs = syncs_since(&self.0, tag).await?;
        let mut recordings = Vec::new();
        for sync in &syncs {
            let mut recording = self.record(&sync.id, filter).await?;
            if syncs.len() > 1 {
                // Each inventory is read again when it is replayed, so that only one is in memory.
                recording.inventory = None;
            }
            recordings.push(recording);
        }
        if recordings.is_empty() {
            bail!("the streams of this NATS have no completely collected sync that began since then");
        }
        Ok(recordings)
    }
}
