//! Text form of scopes and failures in logs, reports and the graph.

use crate::{Failure, FailureClass, Scope};
use std::fmt::{self, Write};

/// Formats a scope as `account/region/service/Listing`.
#[derive(Debug)]
pub struct ScopeName<'a>(pub &'a Scope);

impl fmt::Display for ScopeName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Scope { account_id, region, service, listing } = self.0;
        write!(f, "{account_id}/{region}/{service}/{listing}")
    }
}

impl Scope {
    /// `service/Listing`, the name of a listing in a feed.
    pub fn listing_name(&self) -> String {
        format!("{}/{}", self.service, self.listing)
    }

    /// `account/region/service`: the owner of a node or an edge, and the unit of cleanup. It includes the service,
    /// because a service knows which of its own listings feed a label, but not those of other services.
    pub fn place(&self) -> String {
        format!("{}/{}/{}", self.account_id, self.region, self.service)
    }
}

impl FailureClass {
    /// All classes but the unspecified one.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..).map_while(|number| Self::try_from(number).ok())
    }

    /// Lower-case words for messages.
    pub fn words(self) -> &'static str {
        match self {
            Self::Unspecified => "unknown reason",
            Self::AccessDenied => "access denied",
            Self::NotEnabled => "not enabled",
            Self::Throttled => "throttled",
            Self::Timeout => "timed out",
            Self::Unreachable => "unreachable",
            Self::Credentials => "no credentials",
            Self::Service => "service error",
            Self::Internal => "internal error",
            Self::Lost => "batches lost",
            Self::ServiceOff => "service switched off",
            Self::NotRun => "not collected",
        }
    }
}

/// Limit of a [`Failure`]'s error text in bytes. AWS's own messages are shorter: those of STS name the user, the action
/// and the resource in about 400 bytes. Reports with hundreds of errors stay far below the message limit.
pub const MOST_ERROR: usize = 1_024;

impl Failure {
    /// A failure of this class. `error` is one sentence without secrets, cut to [`MOST_ERROR`] bytes.
    pub fn new(class: FailureClass, error: impl Into<String>) -> Self {
        Self { class: class.into(), error: cut(&error.into(), MOST_ERROR) }
    }
}

/// Cuts a text to at most `most` bytes. A cut text ends in `…`, unless there is no room for it.
pub fn cut(text: &str, most: usize) -> String {
    const END: &str = "…";
    if text.len() <= most {
        return text.to_owned();
    }
    let (room, end) = most.checked_sub(END.len()).map_or((most, ""), |room| (room, END));
    let kept = (0..=room).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}{end}", &text[..kept])
}

/// Limit of the names in a sentence.
const MOST_NAMED: usize = 10;

/// The first ten names of a list with this separator, and the number of the others.
pub fn listed<T: AsRef<str>>(names: &[T], separator: &str) -> String {
    let first = names.iter().take(MOST_NAMED).map(AsRef::as_ref).collect::<Vec<_>>().join(separator);
    match names.len().saturating_sub(MOST_NAMED) {
        0 => first,
        more => format!("{first}{separator}and {more} more"),
    }
}

/// Writes bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Escapes control characters, so that the text cannot control a terminal, and characters that reverse the direction of
/// writing, so that it cannot pass for another text.
pub fn printable(text: &str) -> String {
    let visible = |c: char| {
        if c.is_control() || is_direction(c) { c.escape_default().to_string() } else { c.to_string() }
    };
    text.chars().map(visible).collect()
}

/// Whether a character sets the direction of writing: marks, embeddings, overrides and isolates (Unicode Standard Annex 9, "Directional formatting characters").
pub fn is_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class().words(), printable(&self.error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_two_digits_each() {
        assert_eq!(hex(&[0, 0x0a, 0xff]), "000aff");
    }

    #[test]
    fn no_text_controls_the_terminal_or_reverses_what_is_read() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c\u{2066}büro 日本"), "a\\u{1b}[2Jb\\u{202e}c\\u{2066}büro 日本");
    }

    #[test]
    fn every_class_is_listed_once() {
        let words: Vec<_> = FailureClass::all().map(FailureClass::words).collect();
        assert_eq!(words.len(), 11, "a gap between two numbers would end the list");
        assert_eq!((words[0], words[10]), ("access denied", "not collected"));
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let of = |count: usize| listed(&(1..=count).map(|n| n.to_string()).collect::<Vec<_>>(), ", ");
        assert_eq!((of(0).as_str(), of(1).as_str()), ("", "1"));
        assert_eq!(of(10), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10");
        assert_eq!(of(11), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, and 1 more");
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        for (text, most, expected) in [
            ("short", 5, "short"),
            ("shorter", 6, "sho…"),
            ("ééé", 5, "é…"),
            ("ééé", 2, "é"),
            ("é", 1, ""),
            ("a", 0, ""),
        ] {
            assert_eq!(cut(text, most), expected, "{text} {most}");
            assert!(cut(text, most).len() <= most);
        }
        assert_eq!(Failure::new(FailureClass::Internal, "x".repeat(5_000)).error.len(), MOST_ERROR);
    }

    #[test]
    fn a_failure_does_not_speak_to_the_terminal() {
        let failure = Failure::new(FailureClass::Service, "a\u{1b}[2J\u{9b}2J\nb");
        assert_eq!(failure.to_string(), "service error: a\\u{1b}[2J\\u{9b}2J\\nb");
    }
}
