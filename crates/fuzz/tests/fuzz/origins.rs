//! Origins of parked messages, to which an operator sends them back.

use bus::{
    ParkedMessage,
    publish::{PARKED_REASON, PARKED_SEQUENCE, PARKED_SUBJECT},
};
use groma::parked::shown;

const WORDS: &[&[u8]] = &[
    b"groma.v1.parked.",
    b"groma.v1.work.",
    b"groma.v1.assets.",
    b"groma.v1.sync.",
    b"$JS.API.STREAM.DELETE.GROMA_ASSETS",
    b"GROMA_WORK",
    b"GROMA_ASSETS",
    b"GROMA_SYNCS",
    b"GROMA_PARKED",
    b".",
    b"*",
    b">",
    b" ",
    b"\t",
    b"\n",
    b"\0",
    b"\xc2\x85",
    b"\x1b[2J",
    b"18446744073709551615",
    b"18446744073709551616",
    b"-1",
];

/// An input is the subject of the parked message, then the headers: its original subject, its sequence there, and the
/// reason.
#[test]
fn origin() {
    fuzz::Target::new("origin").words(WORDS).check(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        let lines: Vec<&str> = text.splitn(4, '\n').collect();
        let header = |name: &str| {
            let line = [PARKED_SUBJECT, PARKED_SEQUENCE, PARKED_REASON].iter().position(|known| *known == name)?;
            lines.get(line + 1).map(|line| (*line).to_owned())
        };
        let parked = ParkedMessage::told(lines[0], header);
        if parked.is_of_its_stream() {
            let prefix = match parked.stream.as_str() {
                "GROMA_WORK" => "groma.v1.work.",
                "GROMA_ASSETS" => "groma.v1.assets.",
                "GROMA_SYNCS" => "groma.v1.sync.",
                other => panic!("{other:?} is no stream of work, assets or syncs"),
            };
            assert!(parked.subject.starts_with(prefix), "{}", parked.subject);
            assert!(parked.subject.split('.').all(|token| !token.is_empty()), "{}", parked.subject);
            assert!(!parked.subject.contains(['*', '>', ' ', '\t', '\r', '\n']), "{}", parked.subject);
        }
        for text in [&parked.reason, &parked.subject, &parked.stream] {
            assert!(!shown::printable(text).contains(char::is_control));
        }
    });
}
