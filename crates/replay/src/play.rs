//! Plays a recording onto a bus. Message ids are those of the original sync, so that a repeat is harmless.
//!
//! If rows are excluded (a filter by type), the replay is a separate sync: its new id sorts before every real id. A
//! graph that has the real sync ignores it as older. The real sync, played later, starts over and misses no row. A
//! second filter adds to the first.

use crate::{Event, Filter, FormatError, Inventory, Reader};
use bus::{Bus, Outgoing, PendingAck, PublishError};
use events::{
    AssetEvent, Scope, ScopeReport, SyncCollected, SyncEvent, SyncId, WorkReport, message_id, subjects, sync_event,
};
use std::{collections::VecDeque, io::Read, time::Duration};
use tokio::time::Instant;

/// Number of messages sent before the first acknowledgement is awaited.
const TOGETHER: usize = 64;

/// A recording could not be played completely.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The file cannot be read, although the first pass succeeded.
    #[error("the recording changed while it was played")]
    Format(#[from] FormatError),
    /// The bus rejects a message or does not answer.
    #[error("cannot publish the recording")]
    Publish(#[from] PublishError),
}

/// The part of a recording to play, and the id of the played sync.
pub struct Playback<'a> {
    inventory: &'a Inventory,
    filter: &'a Filter,
    sync: SyncId,
}

impl<'a> Playback<'a> {
    /// Plays the recording of this inventory with the filter of the inventory.
    pub fn new(inventory: &'a Inventory, filter: &'a Filter) -> Self {
        let mut sync = inventory.sync.clone();
        if filter.drops_rows() {
            // '-' sorts before all digits and letters, with which ids begin.
            sync.id = format!("-{}", ulid::Ulid::generate());
        }
        Self { inventory, filter, sync }
    }

    /// The sync as seen by a graph-writer.
    pub fn sync(&self) -> &SyncId {
        &self.sync
    }

    /// Reports of the played scopes, each with the number of kept node rows of the attempt that counts.
    pub fn scopes(&self) -> impl Iterator<Item = ScopeReport> + '_ {
        self.inventory.reported().filter_map(|report| self.scope_report(report.message()))
    }

    /// Returns the event as played; `None` if it is excluded.
    pub fn asset(&self, event: AssetEvent) -> Option<AssetEvent> {
        let scope = event.scope.as_ref()?;
        let run = self.inventory.run(scope, event.attempt)?;
        if !self.filter.keeps(scope) || self.is_emptied(scope) {
            return None;
        }
        let nodes = run.nodes;
        Some(AssetEvent { sync: Some(self.sync.clone()), ..self.filter.narrow(event, nodes) })
    }

    /// Returns the progress event as played; `None` if it is excluded.
    pub fn progress(&self, event: SyncEvent) -> Option<SyncEvent> {
        use sync_event::Event as Progress;
        let inner = match event.event? {
            Progress::Reported(report) => Progress::Reported(self.report(report)?),
            Progress::Collected(collected) => {
                // With a filter the sync is not whole: excluded places are not stale.
                let whole = collected.whole && *self.filter == Filter::default();
                Progress::Collected(SyncCollected { scopes: self.scopes().count() as u64, whole, ..collected })
            }
            started @ Progress::Started(_) => started,
            Progress::Finished(_) | Progress::Abandoned(_) | Progress::Closing(_) | Progress::Concluded(_) => {
                return None;
            }
        };
        Some(SyncEvent { sync: Some(self.sync.clone()), event: Some(inner) })
    }

    fn report(&self, mut report: WorkReport) -> Option<WorkReport> {
        let item = report.item.as_mut()?;
        if !self.filter.keeps_place(&item.account_id, &item.region, &item.service) {
            return None;
        }
        item.sync = Some(self.sync.clone());
        let scopes = report.scopes.into_iter().filter_map(|scope| self.scope_report(scope)).collect();
        Some(WorkReport { scopes, ..report })
    }

    fn scope_report(&self, report: ScopeReport) -> Option<ScopeReport> {
        let scope = report.scope.as_ref()?;
        if !self.filter.keeps(scope) || (self.is_emptied(scope) && report.failure.is_none()) {
            return None;
        }
        if !self.filter.drops_rows() {
            return Some(report);
        }
        let assets = self.inventory.newest(scope).map_or(0, |(_, run)| run.nodes);
        Some(ScopeReport { assets, ..report })
    }

    /// Whether all rows of a scope are excluded, so that the replay does not mention it.
    fn is_emptied(&self, scope: &Scope) -> bool {
        self.filter.drops_rows() && self.inventory.newest(scope).is_none_or(|(_, run)| run.nodes + run.edges == 0)
    }

    fn outgoing(&self, event: Event) -> Option<Outgoing> {
        let same = *self.filter == Filter::default();
        match event {
            Event::Asset(event, payload) if !self.filter.drops_rows() => {
                let event = self.asset(event)?;
                Some(Outgoing::new(subjects::asset(&event), message_id::asset(&event), payload))
            }
            Event::Sync(event, payload) if same => {
                let event = self.progress(event)?;
                Some(Outgoing::new(subjects::sync(&event), message_id::sync(&event), payload))
            }
            Event::Asset(event, _) => self.asset(event).map(|event| Outgoing::asset(&event)),
            Event::Sync(event, _) => self.progress(event).map(|event| Outgoing::sync(&event)),
        }
    }
}

/// Publishes the recording, at most `rate` messages per second. Returns the number of messages once all are stored.
///
/// # Errors
/// Returns a [`PlayError`]. Playing again is harmless.
pub async fn play<R: Read>(
    bus: &Bus,
    mut reader: Reader<R>,
    playback: &Playback<'_>,
    rate: Option<f64>,
) -> Result<u64, PlayError> {
    let began = Instant::now();
    let mut pending: VecDeque<PendingAck> = VecDeque::new();
    let mut played = 0;
    while let Some(event) = reader.next_event()? {
        // Readers of progress rely on the asset events before it.
        let most = if matches!(event, Event::Sync(..)) { 0 } else { TOGETHER };
        let Some(outgoing) = playback.outgoing(event) else { continue };
        while pending.len() > most {
            settle(&mut pending).await?;
        }
        if let Some(rate) = rate {
            tokio::time::sleep_until(
                began + Duration::from_secs_f64(f64::from(u32::try_from(played).unwrap_or(u32::MAX)) / rate),
            )
            .await;
        }
        pending.push_back(bus.send(outgoing).await);
        played += 1;
    }
    while !pending.is_empty() {
        settle(&mut pending).await?;
    }
    Ok(played)
}

async fn settle(pending: &mut VecDeque<PendingAck>) -> Result<(), PublishError> {
    match pending.pop_front() {
        Some(ack) => ack.wait().await,
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use std::collections::BTreeSet;

    fn played(filter: &Filter) -> (Vec<AssetEvent>, Vec<SyncEvent>, SyncId) {
        let bytes = sample::recording(&sample::events(), &sample::progress());
        let inventory = Inventory::read(Reader::new(&*bytes).expect("a recording"), filter).expect("whole");
        let playback = Playback::new(&inventory, filter);
        let assets = sample::events().into_iter().filter_map(|event| playback.asset(event)).collect();
        (assets, sample::progress().into_iter().filter_map(|event| playback.progress(event)).collect(), playback.sync)
    }

    fn set(text: &str) -> BTreeSet<String> {
        [text.to_owned()].into()
    }

    #[test]
    fn without_a_filter_everything_is_played_as_it_was() {
        let (assets, progress, _) = played(&Filter::default());
        assert_eq!((assets, progress), (sample::events(), sample::progress()));
    }

    #[test]
    fn a_service_that_is_left_out_is_in_no_event_and_no_report() {
        let (assets, progress, sync) = played(&Filter { services: set("ec2"), ..Filter::default() });
        assert_eq!(sync, sample::sync());
        assert!(assets.iter().all(|event| event.scope == Some(sample::vpcs())));
        assert_eq!((assets.len(), progress.len()), (4, 3));
    }

    #[test]
    fn a_type_is_played_as_a_sync_that_is_older_than_the_real_one() {
        let (assets, progress, sync) = played(&Filter { types: set("Instance"), ..Filter::default() });
        let real = sample::sync();
        assert!((sync.update_tag, &sync.id) < (real.update_tag, &real.id));
        assert!(assets.iter().all(|event| event.sync.as_ref() == Some(&sync)));
        assert!(progress.iter().all(|event| event.sync.as_ref() == Some(&sync)));
        let reports = progress.iter().filter_map(|event| match &event.event {
            Some(sync_event::Event::Reported(report)) => Some(&report.scopes),
            _ => None,
        });
        // Of two batches and three assets, one asset is left. Failed scopes still count as failed.
        let reports: Vec<_> = reports.flatten().map(|it| (it.batches, it.assets, it.failure.is_some())).collect();
        assert_eq!(reports, [(2, 1, false), (0, 0, true)]);
    }

    #[test]
    fn of_a_scope_without_such_rows_nothing_is_said() {
        let (assets, progress, _) = played(&Filter { types: set("Nothing"), ..Filter::default() });
        assert!(assets.is_empty(), "{assets:?}");
        assert_eq!(progress.len(), 4);
    }
}
