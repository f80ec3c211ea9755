//! The catalog as a file: JSON with one name in each line, so that a change shows as the lines that it changes.

use crate::Service;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'a> {
    #[serde(rename = "//", default)]
    note: String,
    services: std::borrow::Cow<'a, [Service]>,
}

/// First line of the file: the command that writes it again.
const NOTE: &str = "Written from the collectors: `GROMA_BLESS=1 cargo test -p collectors` writes it again.";

/// Services of a catalog.
///
/// # Errors
/// The text is no catalog.
pub fn parse(text: &str) -> Result<Vec<Service>, serde_json::Error> {
    serde_json::from_str::<File<'_>>(text).map(|file| file.services.into_owned())
}

/// The catalog of these services.
///
/// # Panics
/// Never: names are plain text.
pub fn text(services: &[Service]) -> String {
    let file = File { note: NOTE.to_owned(), services: services.into() };
    serde_json::to_string_pretty(&file).expect("names and numbers become JSON") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_and_written_again() {
        let read = parse(include_str!("../catalog.json")).expect("valid");
        assert_eq!(text(&read), include_str!("../catalog.json"));
    }

    #[test]
    fn an_unknown_field_is_an_error() {
        assert!(parse(r#"{"services": [], "shapes": []}"#).is_err());
    }
}
