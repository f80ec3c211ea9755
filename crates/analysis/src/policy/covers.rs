//! Three-valued answers about elements and statements.

use std::ops::Not;

/// Whether an element selects something, or a statement applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Covers {
    /// In no case.
    No,
    /// Depends on data outside the graph.
    Maybe,
    /// In all cases.
    Yes,
}

impl Not for Covers {
    type Output = Self;
    fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }
}
