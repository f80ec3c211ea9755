//! Copies a sync from the streams into a recording: its asset events, and the events of its scheduler and collectors.
//! Events of the graph-writer at its end are left out, because the writer of a replay publishes its own.

use crate::{Filter, FormatError, Inventory, Writer};
use bus::{ASSETS, Bus, LookupError, SYNCS};
use events::{AssetEvent, RecordingHeader, SyncEvent, SyncId, subjects, sync_event};
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
    /// A stream dropped part of the sync while it was read.
    #[error("the streams lost progress of sync {id} while it was read")]
    Lost {
        /// Id of the sync.
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

/// Copies one sync and flushes `output`. Reads progress twice, so that it holds no report: asset events precede progress
/// in a recording.
///
/// # Errors
/// Returns a [`RecordError`]. The partial output is then recognized as truncated.
pub async fn record<W: Write>(bus: &Bus, id: &str, recorded_by: &str, output: W) -> Result<Copied, RecordError> {
    let Found { sync, progress, collected } = found(bus, id).await?;
    let header = RecordingHeader { sync: Some(sync.clone()), recorded_by: recorded_by.to_owned() };
    let mut writer = Writer::new(output, header)?;
    let mut copied = Copied { inventory: Inventory::of(sync.clone()), ..Copied::default() };
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
    let mut read = 0;
    let mut reading = bus.read(SYNCS, subjects::sync_of(id)).await?;
    while let Some(found) = reading.next().await? {
        let Some(event) = progress_of(&found, id).filter(is_before_the_end) else { continue };
        read += 1;
        copied.add_progress(&mut writer, &sync, event, &found.payload)?;
    }
    // A stream that dropped its oldest messages, or is a new one. Reports that came in addition are repeats.
    if read < progress {
        return Err(RecordError::Lost { id: id.to_owned() });
    }
    let (event, payload) = collected;
    copied.add_progress(&mut writer, &sync, event, &payload)?;
    writer.finish()?;
    Ok(copied)
}

impl Copied {
    fn add_progress<W: Write>(
        &mut self,
        writer: &mut Writer<W>,
        sync: &SyncId,
        event: SyncEvent,
        payload: &[u8],
    ) -> io::Result<()> {
        if event.sync.as_ref() == Some(sync) {
            writer.sync(payload)?;
            self.inventory.progress(event.event, &Filter::default());
            self.progress += 1;
        }
        Ok(())
    }
}

/// A sync in the syncs stream.
struct Found {
    sync: SyncId,
    /// Number of events before its end.
    progress: u64,
    /// The last `collected`: reports may follow it, because a scheduler publishes them again if the stream has lost them.
    collected: (SyncEvent, bytes::Bytes),
}

/// Whether the sync is there up to the end of its collection.
async fn found(bus: &Bus, id: &str) -> Result<Found, RecordError> {
    let (mut sync, mut progress, mut collected) = (None, 0, None);
    let mut reading = bus.read(SYNCS, subjects::sync_of(id)).await?;
    while let Some(found) = reading.next().await? {
        let Some(event) = progress_of(&found, id) else { continue };
        if is_before_the_end(&event) {
            progress += 1;
            sync = sync.or(event.sync);
        } else if matches!(event.event, Some(sync_event::Event::Collected(_))) {
            collected = Some((event, found.payload));
        }
    }
    match collected {
        Some(collected) => {
            let sync = sync.or_else(|| collected.0.sync.clone()).unwrap_or_default();
            Ok(Found { sync, progress, collected })
        }
        None if progress > 0 => Err(RecordError::NotCollected { id: id.to_owned() }),
        None => {
            let known = syncs_since(bus, 0).await?;
            let known = known.into_iter().rev().take(NAMED).map(|sync| sync.id).collect();
            Err(RecordError::Unknown { id: id.to_owned(), known })
        }
    }
}

/// A message of this sync, if it is on the right subject.
fn progress_of(found: &bus::Found, id: &str) -> Option<SyncEvent> {
    let event = events::read::<SyncEvent>(&found.payload).ok();
    let event = event.filter(|event| subjects::carries_sync(&found.subject, event));
    event.filter(|event| event.sync.as_ref().is_some_and(|sync| sync.id == id))
}

fn is_before_the_end(event: &SyncEvent) -> bool {
    matches!(event.event, Some(sync_event::Event::Started(_) | sync_event::Event::Reported(_)))
}

/// Syncs in the streams that were collected to their end and began at this second or later, the oldest first.
///
/// # Errors
/// Fails if the stream cannot be read.
pub async fn syncs_since(bus: &Bus, tag: i64) -> Result<Vec<SyncId>, LookupError> {
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
