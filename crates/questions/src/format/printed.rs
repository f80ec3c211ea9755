//! JSON for files and terminals.

use serde::{Serialize, Serializer};
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};
use std::io::{self, Write};

/// Prints a value as JSON with a line break at the end. serde_json escapes the control characters of ASCII only; a terminal also
/// obeys those from U+0080 to U+009F, and characters that reverse the direction of writing.
///
/// # Panics
/// Never: the values of this program become JSON.
pub fn printed(value: &impl Serialize) -> String {
    formatted(value, PrettyFormatter::new())
}

/// Prints a value like [`printed`], but on one line.
///
/// # Panics
/// Never, like [`printed`].
pub fn line(value: &impl Serialize) -> String {
    formatted(value, CompactFormatter)
}

fn formatted(value: &impl Serialize, formatter: impl Formatter) -> String {
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Escaping(formatter));
    value.serialize(&mut serializer).expect("names and numbers become JSON");
    out.push(b'\n');
    String::from_utf8(out).expect("JSON is text")
}

/// A list whose items are made one by one, so that a million of them take no more memory than their text.
pub(super) struct Each<F>(pub(super) F);

impl<F: Fn() -> I, I: IntoIterator<Item: Serialize>> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0())
    }
}

/// JSON that escapes more characters.
struct Escaping<F>(F);

impl<F: Formatter> Formatter for Escaping<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(|c: char| c.is_control() || events::is_direction(c)) {
            let (before, after) = rest.split_at(at);
            writer.write_all(before.as_bytes())?;
            let mut chars = after.chars();
            // All of them are below U+10000.
            write!(writer, "\\u{:04x}", chars.next().map_or(0, u32::from))?;
            rest = chars.as_str();
        }
        writer.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_terminal_gets_no_commands_and_a_reader_the_same_text() {
        let value = json!({"a\u{9b}": ["\u{1b}[2J\u{85}\u{202e}x\u{2069}\u{7f}", "ä\n\"\\"], "empty": [], "none": {}});
        let text = printed(&value);
        let expected = "{\n  \"a\\u009b\": [\n    \"\\u001b[2J\\u0085\\u202ex\\u2069\\u007f\",\n    \"ä\\n\\\"\\\\\"\n  ],\n  \
            \"empty\": [],\n  \"none\": {}\n}\n";
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), value);
    }

    #[test]
    fn a_line_has_no_line_break_before_its_end() {
        assert_eq!(line(&json!({"a": ["\u{9b}\n", {}]})), "{\"a\":[\"\\u009b\\n\",{}]}\n");
    }

    #[test]
    fn a_list_is_printed_like_a_vector() {
        assert_eq!(printed(&Each(|| (0..3).map(|it| it * 2))), printed(&json!([0, 2, 4])));
    }
}
