//! Lists cut to fit into a message. They hold a limited number of bytes and count every item.

use crate::lost_places::LostPlaces;
use events::{LostScope, Message, Scope, SyncFinished};

/// Limit of one list in `finished`, in bytes: 3/32 of NATS's default `max_payload` of 1 MiB. Six lists, the places of
/// lost scopes, two failures and the counts together take less than four fifths of it.
const ROOM: usize = 96 * 1024;
/// Limit of the places of lost scopes, in lists.
const PLACES: usize = 2;
/// Limit of a sentence in `finished`, in bytes.
const SENTENCE: usize = 4 * 1024;
/// Bytes of tag and length before an item; an item is far smaller than 2^21 bytes.
const FRAME: usize = 4;

/// The items that fit, and the number of all items.
#[derive(Debug, Clone)]
pub(crate) struct Cut<T> {
    kept: Vec<T>,
    total: u64,
    room: usize,
}

impl<T> Default for Cut<T> {
    fn default() -> Self {
        Self { kept: Vec::new(), total: 0, room: ROOM }
    }
}

impl<T: Message> Cut<T> {
    /// Counts an item, and keeps it if it and all earlier ones fit. Returns whether it is kept.
    pub(crate) fn push(&mut self, item: T) -> bool {
        self.total += 1;
        let size = item.encoded_len() + FRAME;
        let fits = size <= self.room;
        if fits {
            self.room -= size;
            self.kept.push(item);
        } else {
            self.room = 0;
        }
        fits
    }

    /// Counts items without keeping them.
    pub(crate) fn count(&mut self, items: u64) {
        self.total += items;
    }

    /// Whether further items would only be counted.
    pub(crate) fn is_full(&self) -> bool {
        self.room == 0
    }

    /// Returns the kept items and the number of all items.
    pub(crate) fn into_parts(self) -> (Vec<T>, u64) {
        (self.kept, self.total)
    }
}

/// Lost scopes: those that fit into a message, and the places of all others.
#[derive(Debug, Default)]
pub(crate) struct Lost {
    named: Cut<LostScope>,
    places: LostPlaces,
}

impl Lost {
    /// Adds a scope.
    pub(crate) fn push(&mut self, lost: LostScope) {
        let scope = lost.scope.clone();
        if !self.named.push(lost)
            && let Some(scope) = &scope
        {
            self.places.add(scope);
        }
    }

    /// Adds a scope with its place only.
    pub(crate) fn push_place(&mut self, scope: &Scope) {
        self.named.count(1);
        self.places.add(scope);
    }

    /// Counts scopes with unknown names.
    pub(crate) fn count(&mut self, scopes: u64) {
        self.named.count(scopes);
    }

    /// Whether further scopes would not be named.
    pub(crate) fn is_full(&self) -> bool {
        self.named.is_full()
    }

    /// Returns the named scopes, the places of the others, and the number of all.
    pub(crate) fn into_parts(self) -> (Vec<LostScope>, Option<events::LostPlaces>, u64) {
        let (named, total) = self.named.into_parts();
        (named, self.places.message(PLACES * ROOM), total)
    }
}

/// Cuts the lists of `finished` for a server that limits messages to `most` bytes, if that is less than the default of
/// 1 MiB. With 64 KiB, all of it takes 56 KiB.
pub fn fit(finished: &mut SyncFinished, most: usize) {
    let room = ROOM.min(most / 32 * 3);
    // Without `..`, so that a new list is not forgotten here.
    let SyncFinished {
        nodes: _,
        edges: _,
        nodes_removed: _,
        edges_removed: _,
        targets_missing: _,
        lost,
        analysis: _,
        lost_total: _,
        rejected,
        rejected_total: _,
        superseded,
        superseded_total: _,
        newest_tag: _,
        stale,
        stale_total: _,
        shortened,
        cleanup: _,
        not_run,
        not_run_total: _,
        lost_places,
    } = finished;
    let mut places = lost_places.as_ref().map(LostPlaces::of).unwrap_or_default();
    cut(lost, room).iter().filter_map(|lost| lost.scope.as_ref()).for_each(|scope| places.add(scope));
    *lost_places = places.message(PLACES * room);
    for list in [rejected, superseded, not_run] {
        cut(list, room);
    }
    cut(stale, room);
    cut(shortened, room);
}

/// Cuts a list, and returns the rest of it.
fn cut<T: Message>(list: &mut Vec<T>, mut room: usize) -> Vec<T> {
    let fits = |item: &&T| room.checked_sub(item.encoded_len() + FRAME).map(|left| room = left).is_some();
    let kept = list.iter().take_while(fits).count();
    list.split_off(kept)
}

/// Cuts a sentence that is too long for a message, at a character boundary.
pub(crate) fn sentence(mut text: String) -> String {
    if text.len() > SENTENCE {
        let end = (0..=SENTENCE).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Failure, FailureClass, LostScope, Scope, StalePlace, SyncFinished};
    use proptest::prelude::*;

    #[test]
    fn a_list_is_cut_and_still_counted() {
        let lost = |listing: String| LostScope {
            scope: Some(Scope { listing, ..Scope::default() }),
            failure: Some(Failure::new(FailureClass::Lost, "0 of 1 batches reached the graph")),
        };
        let mut cut = Cut::default();
        for n in 0..100_000 {
            cut.push(lost(n.to_string()));
        }
        assert!(cut.is_full());
        let (kept, total) = cut.into_parts();
        assert_eq!(total, 100_000);
        assert!((1_000..10_000).contains(&kept.len()), "{}", kept.len());
        let message = SyncFinished { lost: kept, ..SyncFinished::default() };
        assert!((ROOM / 2..=ROOM).contains(&message.encoded_len()), "{}", message.encoded_len());
    }

    #[test]
    fn lists_are_cut_further_for_a_server_with_small_messages() {
        let lost = || {
            let mut cut = Cut::default();
            (0..10_000).for_each(|n: u32| {
                let scope = Scope { listing: n.to_string(), ..Scope::default() };
                cut.push(LostScope { scope: Some(scope), failure: None });
            });
            cut.into_parts()
        };
        let ((lost, lost_total), (superseded, _)) = (lost(), lost());
        let whole = SyncFinished { lost, lost_total, superseded, ..SyncFinished::default() };
        for (most, is_cut) in [(1 << 20, false), (64 << 10, true), (0, true)] {
            let mut fitted = whole.clone();
            fit(&mut fitted, most);
            assert_eq!((fitted != whole, fitted.lost_total), (is_cut, 10_000));
            assert!(fitted.encoded_len() <= most / 2 + 32, "{} of {most}", fitted.encoded_len());
            assert_eq!(fitted.lost_places.is_some(), is_cut);
            assert_eq!(fitted.lost, whole.lost[..fitted.lost.len()]);
        }
    }

    #[test]
    fn every_lost_scope_is_named_or_its_place() {
        let mut lost = Lost::default();
        for n in 0..10_000 {
            let scope = Scope { region: format!("r{}", n / 100), service: "ec2".into(), ..Scope::default() };
            let scope = Scope { account_id: "1".into(), listing: n.to_string(), ..scope };
            if lost.is_full() {
                lost.push_place(&scope);
            } else {
                lost.push(LostScope { scope: Some(scope), failure: None });
            }
        }
        let (lost, lost_places, total) = lost.into_parts();
        assert_eq!(total, 10_000);
        for most in [1 << 20, 64 << 10] {
            let (lost, lost_places) = (lost.clone(), lost_places.clone());
            let mut finished = SyncFinished { lost, lost_places, ..SyncFinished::default() };
            fit(&mut finished, most);
            let named = finished.lost.iter().filter_map(|lost| lost.scope.clone()).map(|scope| scope.region);
            let places = finished.lost_places.unwrap_or_default().areas.into_iter().map(|area| area.region);
            let regions: std::collections::BTreeSet<String> = named.chain(places).collect();
            assert_eq!(regions.len(), 100, "{most}");
        }
    }

    #[test]
    fn an_item_that_alone_is_too_large_is_counted() {
        let mut cut = Cut::default();
        cut.push(StalePlace { region: "r".repeat(ROOM), ..StalePlace::default() });
        assert_eq!(cut.into_parts(), (Vec::new(), 1));
    }

    proptest! {
        #[test]
        fn no_sentence_is_longer_than_it_may_be(text in "\\PC{0,3000}") {
            let whole = text.len() <= SENTENCE;
            let cut = sentence(text.clone());
            prop_assert!(cut.len() <= SENTENCE + '…'.len_utf8());
            prop_assert!(!whole || cut == text);
        }
    }
}
