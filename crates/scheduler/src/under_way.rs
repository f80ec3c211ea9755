//! The sync that is under way and how far it is, so that whoever ends it early leaves nothing behind and can say what the
//! graph holds.

use crate::succession;
use bus::Bus;
use events::Sync;
use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

/// How far a survey had come when it was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// No work was published.
    #[default]
    Beginning,
    /// Not all work was reported.
    Collecting,
    /// All is collected, and the graph was being finished.
    Writing,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Beginning => "before anything was collected: the graph is as it was",
            Self::Collecting => {
                "while collecting: what was written by then stays in the graph, and nothing was removed from it"
            }
            Self::Writing => {
                "when everything was collected and the graph was being finished: graph-writers that are still running \
                 finish it"
            }
        })
    }
}

/// The sync under way, if there is one.
#[derive(Debug, Default)]
pub struct UnderWay(Mutex<(Option<Sync>, Phase)>);

impl UnderWay {
    /// A sync begins.
    pub fn begin(&self, sync: &Sync) {
        *self.state() = (Some(sync.clone()), Phase::Collecting);
    }

    /// All of the sync is collected.
    pub fn is_collected(&self) {
        self.state().1 = Phase::Writing;
    }

    /// The sync is over.
    pub fn end(&self) {
        self.state().0 = None;
    }

    /// Ends the sync early, in some seconds at most, and says how far it was. A sync that is collected is the
    /// graph-writers'.
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
