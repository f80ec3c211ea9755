//! Output of parked messages. Their content is untrusted, so it is printed without control characters.

use super::decoded;
use bus::ParkedMessage;
use chrono::{DateTime, SecondsFormat};
pub use events::printable;
use serde::Serialize;
use serde_json::Value;

/// A parked message in `--json`. Fields are only added.
#[derive(Serialize)]
struct Entry<'a> {
    sequence: u64,
    parked_at: String,
    stream: &'a str,
    stream_sequence: Option<u64>,
    subject: &'a str,
    bytes: usize,
    reason: &'a str,
}

/// A message with its content.
#[derive(Serialize)]
struct Detailed<'a> {
    #[serde(flatten)]
    entry: Entry<'a>,
    /// Absent if the message cannot be decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Value>,
    /// Reason why it cannot be decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    undecodable: Option<String>,
}

/// Prints a list of messages.
///
/// # Errors
/// Fails if the messages cannot be written as JSON, which their content never causes.
pub fn list(parked: &[ParkedMessage], json: bool) -> anyhow::Result<()> {
    let entries: Vec<_> = parked.iter().map(entry).collect();
    if json {
        println!("{}", json_text(&entries)?);
    } else if entries.is_empty() {
        println!("no messages are parked");
    } else {
        for entry in &entries {
            println!("{}", text(entry));
        }
    }
    Ok(())
}

/// Prints one message with its content.
///
/// # Errors
/// Same as [`list`].
pub fn one(parked: &ParkedMessage, json: bool) -> anyhow::Result<()> {
    let (event, undecodable) = match decoded::event(&parked.stream, &parked.payload) {
        Ok(event) => (Some(event), None),
        Err(why) => (None, Some(why)),
    };
    let detailed = Detailed { entry: entry(parked), event, undecodable };
    if json {
        println!("{}", json_text(&detailed)?);
        return Ok(());
    }
    println!("{}", text(&detailed.entry));
    match (&detailed.event, &detailed.undecodable) {
        (Some(event), _) => println!("{}", json_text(event)?),
        (None, why) => println!("  content not shown: {}", printable(why.as_deref().unwrap_or_default())),
    }
    Ok(())
}

fn entry(parked: &ParkedMessage) -> Entry<'_> {
    Entry {
        sequence: parked.sequence,
        parked_at: time(parked.parked_at),
        stream: &parked.stream,
        stream_sequence: parked.stream_sequence,
        subject: &parked.subject,
        bytes: parked.payload.len(),
        reason: &parked.reason,
    }
}

fn text(entry: &Entry<'_>) -> String {
    let Entry { sequence, parked_at, stream, stream_sequence, subject, bytes, reason } = entry;
    let place = stream_sequence.map_or_else(String::new, |place| format!("/{place}"));
    let (stream, subject, reason) = (printable(stream), printable(subject), printable(reason));
    format!("{sequence}  {parked_at}  {stream}{place}  {subject}  {bytes} bytes\n  {reason}")
}

fn time(nanoseconds: i128) -> String {
    let time = i64::try_from(nanoseconds).map(DateTime::from_timestamp_nanos).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Formats JSON without control characters, except line ends. JSON does not escape U+007F to U+009F, and U+009B starts
/// a terminal command.
///
/// # Errors
/// Fails if the value cannot be serialized as JSON.
pub fn json_text(value: &impl Serialize) -> serde_json::Result<String> {
    let text = serde_json::to_string_pretty(value)?;
    let escaped = |c: char| c.is_control() && c != '\n';
    Ok(text.chars().map(|c| if escaped(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_it_all_and_nothing_to_the_terminal() {
        let parked = ParkedMessage {
            sequence: 3,
            parked_at: 1_700_000_000_500_000_000,
            reason: "not an \u{1b}[2Jevent".into(),
            stream: "GROMA_ASSETS".into(),
            stream_sequence: Some(17),
            subject: "groma.v1.assets.s".into(),
            payload: vec![0; 5].into(),
        };
        let expected = "3  2023-11-14T22:13:20Z  GROMA_ASSETS/17  groma.v1.assets.s  5 bytes\n  not an \\u{1b}[2Jevent";
        assert_eq!(text(&entry(&parked)), expected);
    }

    #[test]
    fn json_does_not_speak_to_the_terminal_either() {
        let value = serde_json::json!({"id": "a\u{9b}2J\u{7f}\u{1b}[2J"});
        let text = json_text(&value).expect("it is JSON");
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        assert_eq!(serde_json::from_str::<Value>(&text).expect("it still is"), value);
    }
}
