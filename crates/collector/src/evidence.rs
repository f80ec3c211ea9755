//! Evidence about hung AWS endpoints, by sync. A new sync starts without any: an endpoint that hung during the last one
//! may answer again, and otherwise its places would be missing from the new sync too.

use crate::Endpoints;
use parking_lot::Mutex;
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// Limit of concurrent syncs with their own evidence. Beyond it, the evidence of the oldest sync is dropped.
const SYNCS: usize = 16;

/// Endpoints of a worker, by sync.
#[derive(Debug)]
pub(crate) struct Evidence {
    /// See [`Endpoints::new`].
    silence: Duration,
    /// Newest last.
    syncs: Mutex<VecDeque<(String, Arc<Endpoints>)>>,
}

impl Evidence {
    /// Starts without evidence.
    pub(crate) fn new(silence: Duration) -> Self {
        Self { silence, syncs: Mutex::default() }
    }

    /// Returns the evidence that this sync's work items share.
    pub(crate) fn of(&self, sync_id: &str) -> Arc<Endpoints> {
        let mut syncs = self.syncs.lock();
        if let Some((_, known)) = syncs.iter().find(|(id, _)| id == sync_id) {
            return known.clone();
        }
        if syncs.len() >= SYNCS {
            syncs.pop_front();
        }
        let new = Arc::new(Endpoints::new(self.silence));
        syncs.push_back((sync_id.to_owned(), new.clone()));
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_one_sync_share_their_evidence_and_the_next_sync_starts_without() {
        let evidence = Evidence::new(Duration::from_secs(45));
        let first = evidence.of("a");
        assert!(Arc::ptr_eq(&first, &evidence.of("a")));
        assert!(!Arc::ptr_eq(&first, &evidence.of("b")));
        assert!(Arc::ptr_eq(&first, &evidence.of("a")), "concurrent syncs keep their own");
    }

    #[test]
    fn the_number_of_syncs_is_bounded() {
        let evidence = Evidence::new(Duration::from_secs(45));
        (0..=SYNCS * 2).for_each(|sync| drop(evidence.of(&sync.to_string())));
        assert_eq!(evidence.syncs.lock().len(), SYNCS);
    }
}
