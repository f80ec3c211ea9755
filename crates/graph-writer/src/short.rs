//! Short forms of texts that are too long for an index.
//!
//! A RANGE index of Neo4j, and so a constraint, holds some 8 kB for each key
//! (<https://neo4j.com/docs/cypher-manual/5/indexes/search-performance-indexes/managing-indexes/>): 5.26 rejects a text
//! of 8,167 bytes. The short form is the beginning of the text, `…` and the text's SHA-256 in hexadecimal. A text that
//! looks like a short form is shortened too; otherwise a chosen name could equal the short form of another.

use sha2::{Digest, Sha256};

/// Longest text stored unchanged, in bytes.
pub(crate) const MOST_BYTES: usize = 8_000;
/// Length of the beginning in a short form, in bytes.
const BEGINNING: usize = 1_000;
/// Separator between the beginning and the hash.
const MARK: char = '…';
/// Hexadecimal digits of a SHA-256.
const DIGITS: usize = 64;

/// Number and example of a label's shortened ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shortened {
    /// Number of ids.
    pub count: u64,
    /// Short form of the alphabetically first one.
    pub example: String,
}

impl Shortened {
    /// Adds ids.
    pub fn add(&mut self, other: &Self) {
        let first = self.count == 0 || other.example < self.example;
        self.count += other.count;
        if first {
            self.example.clone_from(&other.example);
        }
    }
}

/// Shortens a text if necessary. Returns whether it did.
pub(crate) fn shorten(text: &mut String) -> bool {
    let needed = is_long(text) || is_short_form(text);
    if needed {
        *text = short_form(text);
    }
    needed
}

/// Whether the text is too long for an index.
pub(crate) fn is_long(text: &str) -> bool {
    text.len() > MOST_BYTES
}

fn is_short_form(text: &str) -> bool {
    let digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    text.rsplit_once(MARK).is_some_and(|(_, hash)| hash.len() == DIGITS && hash.chars().all(digit))
}

fn short_form(text: &str) -> String {
    let end = (0..=BEGINNING.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}{MARK}{}", &text[..end], events::hex(&Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn short(text: &str) -> String {
        let mut text = text.to_owned();
        shorten(&mut text);
        text
    }

    #[test]
    fn a_long_text_keeps_its_beginning_and_differs_from_every_other() {
        let long = |end: &str| "ä".repeat(5_000) + end;
        let (a, b) = (short(&long("a")), short(&long("b")));
        assert!(a.starts_with(&"ä".repeat(500)) && a.len() < 1_100, "{a}");
        assert_ne!(a, b);
        assert_eq!(a, short(&long("a")));
    }

    #[test]
    fn a_text_that_looks_like_a_short_form_is_none() {
        let long = "x".repeat(9_000);
        let stolen = short(&long);
        assert_ne!(short(&stolen), stolen);
    }

    proptest! {
        #[test]
        fn texts_of_everyday_length_stay_as_they_are(text in "[ -~]{0,200}") {
            prop_assert_eq!(short(&text), text);
        }
    }
}
