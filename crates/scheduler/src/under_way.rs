//! The current sync and its phase. Code that ends the sync early uses them to remove its work and to report the state
//! of the graph.

use crate::succession;
use bus::Bus;
use events::Sync;
use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

/// Phase of a survey at its interruption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// No work is published yet.
    #[default]
    Beginning,
    /// Some work has no report yet.
    Collecting,
    /// Everything is collected; the graph-writers finish the graph.
    Writing,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Beginning => "before anything was collected: the graph is unchanged",
            Self::Collecting => {
                "while collecting: assets written so far stay in the graph, and none were removed from it"
            }
            Self::Writing => {
                "after everything was collected, while the graph was being finished: running graph-writers will finish it"
            }
        })
    }
}

/// The current sync, if any.
#[derive(Debug, Default)]
pub struct UnderWay(Mutex<(Option<Sync>, Phase)>);

impl UnderWay {
    /// Records the start of a sync.
    pub fn begin(&self, sync: &Sync) {
        *self.state() = (Some(sync.clone()), Phase::Collecting);
    }

    /// Records that the sync is collected.
    pub fn is_collected(&self) {
        self.state().1 = Phase::Writing;
    }

    /// Records the end of the sync.
    pub fn end(&self) {
        self.state().0 = None;
    }

    /// Ends the sync early, within some seconds, and returns its phase. A collected sync is left to the graph-writers.
    pub async fn give_up(&self, bus: &Bus) -> Phase {
        let (sync, phase) = self.state().clone();
        if let Some(sync) = sync.filter(|_| phase == Phase::Collecting) {
            succession::abandon(bus, &sync).await;
        }
        phase
    }

    fn state(&self) -> std::sync::MutexGuard<'_, (Option<Sync>, Phase)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
