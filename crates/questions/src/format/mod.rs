//! Formats of answers, one a file. Each is safe for its reader, whatever the names in the graph contain.

mod csv;
mod json;
mod markdown;
mod ocsf;
mod printed;
mod sarif;
mod table;
#[cfg(test)]
pub(crate) mod testing;

pub use printed::{line, printed};
pub use table::listing;

use crate::answer::Answer;

/// Format of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A table for a terminal.
    Table,
    /// JSON with everything.
    Json,
    /// A row for each finding, for spreadsheets.
    Csv,
    /// Tables for an issue or a page.
    Markdown,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// OCSF 1.3 compliance findings, one event a line.
    Ocsf,
}

impl Format {
    /// Names on the command line.
    pub const NAMES: [&str; 6] = ["table", "json", "csv", "markdown", "sarif", "ocsf"];

    /// The format of this name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Table, Self::Json, Self::Csv, Self::Markdown, Self::Sarif, Self::Ocsf];
        Self::NAMES.iter().zip(all).find(|(known, _)| **known == name).map(|(_, format)| format)
    }

    /// Whether readers take findings that are absent for unknown ones. Others take them for fixed.
    pub fn may_be_partial(self) -> bool {
        self != Self::Sarif
    }

    /// Number of findings that the format leaves out of these answers.
    pub fn left_out(self, answers: &[Answer<'_>]) -> usize {
        if self == Self::Sarif { sarif::left_out(answers) } else { 0 }
    }

    /// Prints answers. The text ends with a line break, unless it is empty.
    pub fn text(self, answers: &[Answer<'_>], setting: &Setting<'_>) -> String {
        match self {
            Self::Table => table::text(answers, setting.width),
            Self::Json => json::text(answers),
            Self::Csv => csv::text(answers),
            Self::Markdown => markdown::text(answers),
            Self::Sarif => sarif::text(answers, setting),
            Self::Ocsf => ocsf::text(answers, setting),
        }
    }
}

/// Facts about the program and its surroundings.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// Version of the program.
    pub version: &'a str,
    /// Time of the answers, in milliseconds since 1970.
    pub time: i64,
    /// Columns of the terminal. `None`: no terminal, lines may have any length.
    pub width: Option<u16>,
    /// Questions without an answer.
    pub failures: &'a [Failure],
}

/// A question that has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Name of the question.
    pub question: String,
    /// Reason, which may contain any characters.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn every_name_is_a_format() {
        assert!(Format::NAMES.iter().all(|name| Format::named(name).is_some()));
        assert_eq!((Format::named("ocsf"), Format::named("xml")), (Some(Format::Ocsf), None));
    }

    #[test]
    fn only_sarif_takes_absent_findings_for_fixed() {
        let partial = Format::NAMES.iter().filter_map(|name| Format::named(name)).filter(|it| !it.may_be_partial());
        assert_eq!(partial.collect::<Vec<_>>(), [Format::Sarif]);
    }
}
