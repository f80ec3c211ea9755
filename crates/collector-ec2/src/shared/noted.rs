//! Ids that one listing of a work item notes for others, so that no call is made twice. If a listing did not begin or did
//! not complete, the others request its ids again.

use crate::mention::mentioned;
use collector::await_sibling;
use futures::lock::{Mutex, MutexGuard};
use std::collections::{BTreeMap, BTreeSet};

/// Ids by name.
pub(crate) type Ids = BTreeMap<String, String>;

/// Ids in use, by the listing that notes them.
#[derive(Debug, Default)]
pub(crate) struct InUse {
    /// Images of instances.
    pub(crate) instances: Noted,
    /// Images of launch template versions.
    pub(crate) launch_templates: Noted,
    /// Images of launch configurations.
    pub(crate) launch_configurations: Noted,
    /// Snapshots that volumes were made from.
    pub(crate) volumes: Noted,
    /// Security groups by VPC and name.
    pub(crate) groups: Noted<Ids>,
    /// Launch configurations by name.
    pub(crate) configurations: Noted<Ids>,
}

/// Ids that one listing notes; locked while it runs.
#[derive(Debug, Default)]
pub(crate) struct Noted<T = BTreeSet<String>>(Mutex<Option<T>>);

/// The notes of a running listing. Dropping them before completion discards them.
pub(crate) struct Notes<'a, T = BTreeSet<String>> {
    noted: MutexGuard<'a, Option<T>>,
    ids: T,
}

impl<T: Clone + Default> Noted<T> {
    /// Begins a listing: locks, and discards earlier notes.
    pub(crate) async fn begin(&self) -> Notes<'_, T> {
        let mut noted = self.0.lock().await;
        *noted = None;
        Notes { noted, ids: T::default() }
    }

    /// Returns the ids, once a running listing has ended. `None`: it has not begun or has failed.
    pub(crate) async fn known(&self) -> Option<T> {
        await_sibling(self.0.lock()).await.clone()
    }
}

impl Notes<'_> {
    /// Notes the ids that are not `None`.
    pub(crate) fn note<'a>(&mut self, ids: impl IntoIterator<Item = Option<&'a str>>) {
        self.ids.extend(mentioned(ids));
    }
}

impl Notes<'_, Ids> {
    /// Notes names with their ids.
    pub(crate) fn name(&mut self, ids: impl IntoIterator<Item = (String, String)>) {
        self.ids.extend(ids);
    }
}

impl<T> Notes<'_, T> {
    /// Publishes the notes after the last page.
    pub(crate) fn complete(mut self) {
        *self.noted = Some(self.ids);
    }
}

#[cfg(test)]
mod tests {
    use super::Noted;
    use futures::FutureExt;

    #[tokio::test]
    async fn a_listing_that_failed_noted_nothing() {
        let in_use: Noted = Noted::default();
        in_use.begin().await.note([Some("ami-1")]);
        assert_eq!(in_use.known().await, None);
    }

    #[tokio::test]
    async fn a_listing_at_work_is_waited_for() {
        let in_use: Noted = Noted::default();
        let mut notes = in_use.begin().await;
        notes.note([Some("ami-1"), None, Some("ami-1")]);
        assert_eq!(in_use.known().now_or_never(), None);
        notes.complete();
        assert_eq!(in_use.known().await, Some(["ami-1".to_owned()].into()));
    }
}
