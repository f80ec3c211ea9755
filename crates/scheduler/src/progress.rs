//! Progress of a survey, for its user.

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
