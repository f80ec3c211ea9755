//! Progress on a terminal. Prints nothing if standard error is not a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use scheduler::Progress;
use std::time::Duration;

/// Status line with the progress of the sync.
pub struct Bar(ProgressBar);

impl Bar {
    /// Creates a status line without progress.
    pub fn new() -> Self {
        let style = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]");
        let bar = ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_millis(100));
        bar.set_message("discovering accounts");
        Self(bar)
    }

    /// Shows a step.
    pub fn show(&self, step: &Progress) {
        self.0.set_message(match step {
            Progress::Accounts { reachable, unreachable: 0 } => format!("{reachable} accounts"),
            Progress::Accounts { reachable, unreachable } => {
                format!("{reachable} accounts; {unreachable} cannot be reached")
            }
            Progress::Work { done, all, assets } => format!("{done} of {all} work items, {assets} assets"),
            Progress::Writing => "finishing the graph".to_owned(),
        });
    }

    /// Removes the line.
    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl Default for Bar {
    fn default() -> Self {
        Self::new()
    }
}
