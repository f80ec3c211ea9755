//! Runs of scopes, ordered by age.

use events::SyncId;

/// One attempt of one sync at a scope. Ordered by age: update tag first, then sync (a ULID), then attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    /// The sync's update tag.
    pub tag: i64,
    /// The sync's id.
    pub sync: String,
    /// The attempt.
    pub attempt: u32,
}

impl Run {
    /// Returns the run that an event belongs to.
    pub fn of(sync: &SyncId, attempt: u32) -> Self {
        Self { tag: sync.update_tag, sync: sync.id.clone(), attempt }
    }
}
