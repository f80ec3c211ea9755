//! Findings that one listing of a work item notes for others, so that no call is made twice. If a listing did not begin or
//! did not complete, the others make its calls again.

use crate::await_sibling;
use futures::lock::{Mutex, MutexGuard};
use std::ops::{Deref, DerefMut};

/// Findings that one listing notes; locked while it runs.
#[derive(Debug, Default)]
pub struct Noted<T>(Mutex<Option<T>>);

/// The notes of a running listing. Dropping them before completion discards them.
#[derive(Debug)]
pub struct Notes<'a, T> {
    noted: MutexGuard<'a, Option<T>>,
    notes: T,
}

impl<T: Clone + Default> Noted<T> {
    /// Begins a listing: locks, and discards earlier notes.
    pub async fn begin(&self) -> Notes<'_, T> {
        let mut noted = self.0.lock().await;
        *noted = None;
        Notes { noted, notes: T::default() }
    }

    /// Returns the notes, once a running listing has ended. `None`: it has not begun or has failed.
    pub async fn known(&self) -> Option<T> {
        await_sibling(self.0.lock()).await.clone()
    }
}

impl<T> Notes<'_, T> {
    /// Publishes the notes after the last page.
    pub fn complete(mut self) {
        *self.noted = Some(self.notes);
    }
}

impl<T> Deref for Notes<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.notes
    }
}

impl<T> DerefMut for Notes<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.notes
    }
}

#[cfg(test)]
mod tests {
    use super::Noted;
    use futures::FutureExt;

    #[tokio::test]
    async fn a_listing_that_failed_noted_nothing() {
        let noted: Noted<Vec<u8>> = Noted::default();
        noted.begin().await.push(1);
        assert_eq!(noted.known().await, None);
    }

    #[tokio::test]
    async fn a_listing_at_work_is_waited_for() {
        let noted: Noted<Vec<u8>> = Noted::default();
        let mut found = noted.begin().await;
        found.extend([1, 2]);
        assert_eq!(noted.known().now_or_never(), None);
        found.complete();
        assert_eq!(noted.known().await, Some(vec![1, 2]));
    }
}
