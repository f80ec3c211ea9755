//! A sync out of the streams into a recording: its asset events, and what its scheduler and collectors said of it. What the
//! graph-writer said at its end is left out: whoever plays the recording has a writer that says it anew.

use crate::{Filter, FormatError, Inventory, Writer};
use bus::{ASSETS, Bus, LookupError, SYNCS};
use events::{AssetEvent, RecordingHeader, Sync, SyncEvent, subjects, sync_event};
use std::io::{self, Write};

/// Syncs that are named when one is not there.
const NAMED: usize = 5;

/// A sync could not be recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// No event of it.
    #[error("no sync {id} in the streams of this NATS; {}", known_syncs(.known))]
    Unknown {
        /// Its id.
        id: String,
        /// The newest syncs that are there.
        known: Vec<String>,
    },
    /// It runs, or was interrupted.
    #[error("sync {id} has not been collected to its end: it still runs, or was interrupted")]
    NotCollected {
        /// Its id.
        id: String,
    },
    /// The bus.
    #[error("cannot read the sync from the streams")]
    Streams(#[from] LookupError),
    /// The output.
    #[error("cannot write the recording")]
    Write(#[from] io::Error),
    /// What was just written.
    #[error("the recording")]
    Format(#[from] FormatError),
}

fn known_syncs(known: &[String]) -> String {
    if known.is_empty() { "it holds none".to_owned() } else { format!("the newest are {}", known.join(", ")) }
}

/// What was recorded.
#[derive(Debug, Default)]
pub struct Copied {
    /// Asset events.
    pub assets: u64,
    /// Events of the sync's progress.
    pub progress: u64,
    /// Messages that a graph-writer would not believe, and so are left out.
    pub foreign: u64,
    /// What is in the recording.
    pub inventory: Inventory,
}

/// Copies one sync; `output` is flushed.
///
/// # Errors
/// [`RecordError`]; what was written until then reads as cut off.
pub async fn record<W: Write>(bus: &Bus, id: &str, recorded_by: &str, output: W) -> Result<Copied, RecordError> {
    let progress = progress_of(bus, id).await?;
    let sync = progress.iter().find_map(|(event, _)| event.sync.clone()).unwrap_or_default();
    let header = RecordingHeader { sync: Some(sync.clone()), recorded_by: recorded_by.to_owned() };
    let mut writer = Writer::new(output, header)?;
    let mut copied =
        Copied { inventory: Inventory { sync: sync.clone(), ..Inventory::default() }, ..Copied::default() };
    let everything = Filter::default();
    let mut assets = bus.read(ASSETS, subjects::assets_of_sync(id)).await?;
    while let Some(found) = assets.next().await? {
        match events::read::<AssetEvent>(&found.payload) {
            Ok(event) if event.sync.as_ref() == Some(&sync) && subjects::carries_asset(&found.subject, &event) => {
                writer.asset(&found.payload)?;
                copied.inventory.asset(&event, &everything);
                copied.assets += 1;
            }
            _ => copied.foreign += 1,
        }
    }
    for (event, payload) in progress {
        if event.sync.as_ref() == Some(&sync) {
            writer.sync(&payload)?;
            copied.inventory.progress(event.event, &everything);
            copied.progress += 1;
        }
    }
    writer.finish()?;
    Ok(copied)
}

/// What was said of a sync up to the end of its collection.
async fn progress_of(bus: &Bus, id: &str) -> Result<Vec<(SyncEvent, bytes::Bytes)>, RecordError> {
    let mut events = Vec::new();
    let mut reading = bus.read(SYNCS, subjects::sync_of(id)).await?;
    // Reports may follow it: a scheduler publishes them again if the stream has lost them.
    let mut collected = None;
    while let Some(found) = reading.next().await? {
        let event = events::read::<SyncEvent>(&found.payload).ok();
        let own = event.filter(|event| subjects::carries_sync(&found.subject, event));
        let Some(event) = own.filter(|event| event.sync.as_ref().is_some_and(|sync| sync.id == id)) else { continue };
        match event.event {
            Some(sync_event::Event::Collected(_)) => collected = Some((event, found.payload)),
            Some(sync_event::Event::Started(_) | sync_event::Event::Reported(_)) => {
                events.push((event, found.payload));
            }
            _ => {}
        }
    }
    match (collected, events.is_empty()) {
        (Some(collected), _) => {
            events.push(collected);
            Ok(events)
        }
        (None, false) => Err(RecordError::NotCollected { id: id.to_owned() }),
        (None, true) => {
            let known = syncs_since(bus, 0).await?;
            let known = known.into_iter().rev().take(NAMED).map(|sync| sync.id).collect();
            Err(RecordError::Unknown { id: id.to_owned(), known })
        }
    }
}

/// Syncs in the streams that were collected to their end and began at this second or later, the oldest first.
///
/// # Errors
/// When the stream cannot be read.
pub async fn syncs_since(bus: &Bus, tag: i64) -> Result<Vec<Sync>, LookupError> {
    let mut syncs = Vec::new();
    let mut reading = bus.read(SYNCS, subjects::syncs_of_kind("collected")).await?;
    while let Some(found) = reading.next().await? {
        let event = events::read::<SyncEvent>(&found.payload).ok();
        let event = event.filter(|event| subjects::carries_sync(&found.subject, event));
        syncs.extend(event.and_then(|event| event.sync).filter(|sync| sync.update_tag >= tag));
    }
    syncs.sort_by(|a, b| (a.update_tag, &a.id).cmp(&(b.update_tag, &b.id)));
    syncs.dedup();
    Ok(syncs)
}
