//! Progress of a survey, for its user.

use events::SyncProgress;

/// Progress of a survey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The broker listed the accounts.
    Accounts {
        /// Number of accounts that can be surveyed.
        reachable: usize,
        /// Number of accounts that cannot be surveyed.
        unreachable: usize,
    },
    /// Work was published or reported.
    Work {
        /// Number of items with a report.
        done: usize,
        /// Number of known items; region discovery adds more.
        all: usize,
        /// Number of collected assets.
        assets: u64,
    },
    /// Everything is collected; the graph-writer is finishing.
    Writing,
}

impl Progress {
    /// Enters this step into the sync's answer to those who ask for it.
    pub(crate) fn enter(&self, answer: &mut SyncProgress) {
        let count = |number: usize| number as u64;
        match *self {
            Self::Accounts { reachable, .. } => answer.accounts = count(reachable),
            Self::Work { done, all, assets } => {
                *answer = SyncProgress { items_done: count(done), items: count(all), assets, writing: false, ..*answer }
            }
            Self::Writing => answer.writing = true,
        }
    }
}
