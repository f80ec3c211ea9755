//! Lists cut to fit into a message. They hold a limited number of bytes and count every item.

use events::Message;

/// Limit of one list in `finished`, in bytes. Five lists, the failure of the analysis and the counts together take half
/// of NATS's default `max_payload` of 1 MiB.
pub(crate) const ROOM: usize = 96 * 1024;
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
    /// Counts an item, and keeps it if it fits. After the first that does not fit, none is kept.
    pub(crate) fn push(&mut self, item: T) {
        self.total += 1;
        let size = item.encoded_len() + FRAME;
        if size <= self.room {
            self.room -= size;
            self.kept.push(item);
        } else {
            self.room = 0;
        }
    }

    /// Counts items without keeping them.
    pub(crate) fn count(&mut self, items: u64) {
        self.total += items;
    }

    /// Whether further items would only be counted.
    pub(crate) fn is_full(&self) -> bool {
        self.room == 0
    }

    /// The kept items and the number of all items.
    pub(crate) fn into_parts(self) -> (Vec<T>, u64) {
        (self.kept, self.total)
    }
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
