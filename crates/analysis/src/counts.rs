//! Numbers of changes in the graph.

use std::ops::AddAssign;

/// Numbers of changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Edges written (also again) and nodes changed.
    pub written: u64,
    /// Edges and nodes removed.
    pub removed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.written += other.written;
        self.removed += other.removed;
    }
}
