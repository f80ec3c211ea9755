//! The current sync and its phase. Code that ends the sync early uses them to remove its work and to report the state
//! of the graph.

use crate::{phase::Phase, succession};
use bus::Bus;
use events::SyncId;
use parking_lot::{Mutex, MutexGuard};

/// The current sync, if any.
#[derive(Debug, Default)]
pub struct UnderWay(Mutex<(Option<SyncId>, Phase)>);

impl UnderWay {
    /// Records the start of a sync. One that follows a finished sync repeats a part of it.
    pub fn begin(&self, sync: &SyncId) {
        let mut state = self.state();
        let phase = match state.1 {
            Phase::Beginning | Phase::Collecting => Phase::Collecting,
            Phase::Writing | Phase::Repeating => Phase::Repeating,
        };
        *state = (Some(sync.clone()), phase);
    }

    /// Records that the sync is collected.
    pub fn is_collected(&self) {
        self.state().1 = Phase::Writing;
    }

    /// Records the end of the sync. The graph is finished then, if it was collected.
    pub fn end(&self) {
        let mut state = self.state();
        let phase = if state.1 == Phase::Writing { Phase::Repeating } else { state.1 };
        *state = (None, phase);
    }

    /// Ends the sync early, within some seconds, and returns its phase. A collected sync is left to the graph-writers.
    pub async fn give_up(&self, bus: &Bus) -> Phase {
        let (sync, phase) = self.state().clone();
        if let Some(sync) = sync.filter(|_| phase != Phase::Writing) {
            succession::abandon(bus, &sync).await;
        }
        phase
    }

    fn state(&self) -> MutexGuard<'_, (Option<SyncId>, Phase)> {
        self.0.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(under_way: &UnderWay) -> Phase {
        under_way.state().1
    }

    #[test]
    fn an_interruption_says_what_became_of_the_graph() {
        let (under_way, sync) = (UnderWay::default(), SyncId::default());
        assert_eq!(phase(&under_way).to_string(), "before anything was collected: the graph is unchanged");
        for _ in 0..2 {
            under_way.begin(&sync);
            let said = "while collecting: assets written so far stay in the graph, and none were removed from it";
            assert_eq!(phase(&under_way).to_string(), said, "also with another tag");
            under_way.end();
        }
        under_way.begin(&sync);
        under_way.is_collected();
        let said = "after everything was collected, while the graph was being finished: running graph-writers will \
                    finish it";
        assert_eq!(phase(&under_way).to_string(), said);
        under_way.end();
        let said = "while lost scopes were being collected again: everything else is in the graph";
        assert_eq!(phase(&under_way).to_string(), said, "before the next sync begins");
        under_way.begin(&sync);
        assert_eq!(phase(&under_way).to_string(), said);
    }
}
