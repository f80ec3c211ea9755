//! Phases of a survey, and the state of the graph in each.

use std::fmt;

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
    /// The graph is finished, except scopes that were lost on the way to it. They are collected again.
    Repeating,
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
            Self::Repeating => "while lost scopes were being collected again: everything else is in the graph",
        })
    }
}
