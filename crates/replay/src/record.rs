//! Copies a sync from the streams into a recording: its asset events, and the events of its scheduler and collectors.
//! Events of the graph-writer at its end are left out, because the writer of a replay publishes its own.

use crate::{Filter, FormatError, Inventory, Writer};
use bus::{ASSETS, Bus, LookupError, SYNCS};
use events::{AssetEvent, RecordingHeader, Sync, SyncEvent, subjects, sync_event};
use std::io::{self, Write};

/// Number of syncs named if a sync does not exist.
const NAMED: usize = 5;

/// A sync could not be recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The streams have no event of the sync.
    #[error("no sync {id} in the streams of this NATS; {}", known_syncs(.known))]
    Unknown {
        /// Requested sync id.
        id: String,
        /// Ids of the newest syncs in the streams.
        known: Vec<String>,
    },
    /// The sync is running or was interrupted.
    #[error("sync {id} was not collected completely: it is still running, or was interrupted")]
    NotCollected {
        /// Requested sync id.
        id: String,
    },
    /// Reading the streams failed.
    #[error("cannot read the sync from the streams")]
    Streams(#[from] LookupError),
    /// Writing the output failed.
    #[error("cannot write the recording")]
    Write(#[from] io::Error),
    /// Reading the written recording failed.
    #[error("the recording")]
    Format(#[from] FormatError),
}

fn known_syncs(known: &[String]) -> String {
    if known.is_empty() { "it has none".to_owned() } else { format!("the newest are {}", known.join(", ")) }
}

/// Result of recording a sync.
#[derive(Debug, Default)]
pub struct Copied {
    /// Number of asset events.
    pub assets: u64,
    /// Number of progress events.
    pub progress: u64,
    /// Number of messages that a graph-writer would reject, and that are left out.
    pub foreign: u64,
    /// Inventory of the recording.
    pub inventory: Inventory,
}

/// Copies one sync and flushes `output`.
///
/// # Errors
/// Returns a [`RecordError`]. The partial output is then recognized as truncated.
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

/// Progress events of a sync up to the end of its collection.
async fn progress_of(bus: &Bus, id: &str) -> Result<Vec<(SyncEvent, bytes::Bytes)>, RecordError> {
    let mut events = Vec::new();
    let mut reading = bus.read(SYNCS, subjects::sync_of(id)).await?;
    // Reports may follow `collected`: a scheduler publishes them again if the stream lost them.
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

/// Completely collected syncs in the streams with at least this update tag (Unix seconds), the oldest first.
///
/// # Errors
/// Fails if the stream cannot be read.
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
