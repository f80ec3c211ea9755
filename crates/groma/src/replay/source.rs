//! Where recordings come from: files of the user's, or syncs in the streams, which become files of this process's own, so
//! that both are read again as often as need be and take no memory.

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

/// Who wrote a recording.
pub const RECORDED_BY: &str = concat!("groma ", env!("CARGO_PKG_VERSION"));

/// A recording that is known to be whole.
pub struct Recording {
    /// How the user knows it.
    pub name: String,
    /// Its inventory, until it is taken.
    inventory: Option<Inventory>,
    /// What it holds of what can be filtered by.
    offered: Filter,
    file: BufReader<File>,
}

impl Recording {
    /// Reads a file to its end.
    ///
    /// # Errors
    /// When it is no recording, or not whole, with the place.
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
        let refused = |error: FormatError| anyhow::anyhow!("{name} {}", bus::chain(&error));
        let reader = Reader::again(file).map_err(refused)?;
        Inventory::read(reader, filter).map_err(refused)
    }

    /// What it holds, through the filter that it was opened with.
    ///
    /// # Errors
    /// It has to be read again, and is no longer whole.
    pub fn take_inventory(&mut self, filter: &Filter) -> anyhow::Result<Inventory> {
        match self.inventory.take() {
            Some(inventory) => Ok(inventory),
            None => self.read(filter),
        }
    }

    /// The file, to be read again from its beginning.
    pub fn file(&mut self) -> &mut BufReader<File> {
        &mut self.file
    }

    /// From its beginning.
    ///
    /// # Errors
    /// When the file is no longer what it was.
    pub fn reader(&mut self) -> Result<Reader<&mut BufReader<File>>, FormatError> {
        Reader::again(&mut self.file)
    }

    /// Whether there is something of everything that a filter names: a name that is nowhere is a mistake in typing.
    ///
    /// # Errors
    /// Every name that is nowhere, with what there is.
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

/// The streams of a NATS; nothing of them is changed.
pub struct Streams(Bus);

impl Streams {
    /// Connects.
    ///
    /// # Errors
    /// When NATS cannot be reached.
    pub async fn connect(args: &role::BusArgs) -> anyhow::Result<Self> {
        Ok(Self(Bus::connect(&args.config("groma-replay")).await?))
    }

    /// Records one sync into `output`.
    ///
    /// # Errors
    /// When there is no such sync, or it cannot be read or written.
    pub async fn copy(&self, sync: &str, output: impl std::io::Write) -> Result<::replay::Copied, RecordError> {
        record(&self.0, sync, RECORDED_BY, output).await
    }

    /// One sync as a recording that is gone with this process.
    ///
    /// # Errors
    /// As [`Streams::copy`].
    pub async fn record(&self, sync: &str, filter: &Filter) -> anyhow::Result<Recording> {
        let mut file = tempfile::tempfile().context("cannot make a temporary file")?;
        self.copy(sync, BufWriter::new(&mut file)).await?;
        file.rewind().context("cannot read a temporary file")?;
        Recording::whole(format!("sync {sync}"), file, filter)
    }

    /// Every sync that was collected and began at this second or later, the oldest first.
    ///
    /// # Errors
    /// When there is none, or one cannot be read.
    pub async fn since(&self, tag: i64, filter: &Filter) -> anyhow::Result<Vec<Recording>> {
        let syncs = syncs_since(&self.0, tag).await?;
        let mut recordings = Vec::new();
        for sync in &syncs {
            let mut recording = self.record(&sync.id, filter).await?;
            if syncs.len() > 1 {
                // Each is read again when its turn comes, so that only one is in memory.
                recording.inventory = None;
            }
            recordings.push(recording);
        }
        if recordings.is_empty() {
            bail!("no sync in the streams of this NATS began since then and was collected to its end");
        }
        Ok(recordings)
    }
}
