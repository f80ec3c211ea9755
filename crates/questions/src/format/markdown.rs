//! Markdown tables, as GitHub reads them.

use crate::{answer::Answer, cell};
use std::fmt::Write;

/// Limit of a cell, in characters.
const MOST: usize = 1_000;
/// Characters with a meaning in a table's cell.
const SPECIAL: [char; 13] = ['\\', '|', '`', '*', '_', '[', ']', '<', '>', '~', '&', '#', '$'];

pub(super) fn text(answers: &[Answer<'_>]) -> String {
    let mut out = String::new();
    if answers.len() != 1 {
        out += "| severity | question | assets | title |\n|---|---|---|---|\n";
        for answer in answers {
            let question = answer.question;
            // A `String` takes any text.
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} |",
                question.severity,
                escaped(&question.name),
                answer.found(),
                escaped(&question.title)
            );
        }
    }
    for answer in answers.iter().filter(|answer| answers.len() == 1 || !answer.rows.is_empty()) {
        section(&mut out, answer);
    }
    out
}

fn section(out: &mut String, answer: &Answer<'_>) {
    let question = answer.question;
    let gap = if out.is_empty() { "" } else { "\n" };
    let (title, why) = (escaped(&question.title), escaped(&question.why));
    let _ = writeln!(out, "{gap}## {title}\n\n{why}\n\n{}; severity {}.", answer.found(), question.severity);
    if answer.rows.is_empty() {
        return;
    }
    let heads: Vec<String> = question.columns.iter().map(|column| column.replace('_', " ")).collect();
    let _ = writeln!(out, "\n| {} |\n|{}", heads.join(" | "), "---|".repeat(heads.len()));
    for row in &answer.rows {
        let cells: Vec<String> = row.iter().map(|value| escaped(&cell::text(value, MOST))).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
}

/// Text without a meaning for Markdown. Line breaks do not arrive here: they are control characters.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if SPECIAL.contains(&c) {
            out.push('\\');
        }
        out.push(c);
        if c == '@' {
            // GitHub notifies the person after it.
            out += "<!-- -->";
        }
    }
    // GitHub makes links of addresses.
    out.replace("://", "\\://").replace("www.", "www\\.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{hostile, old_keys};
    use serde_json::json;

    #[test]
    fn a_name_stays_in_its_cell() {
        let question = old_keys();
        let text = text(&[hostile(&question)]);
        let last = text.lines().last().expect("a row");
        assert_eq!(
            last,
            "| 111111111111 | AKIA1 | =cmd\\|' /C calc'!A0\\\\n\\|\\<b\\>\\\\u{1b}\\[2J\\\\u{9b}\\\\u{202e} |"
        );
        assert!(text.starts_with("## Old keys\n"), "{text}");
    }

    #[test]
    fn an_address_is_no_link() {
        assert_eq!(escaped(&cell::text(&json!("https://a.example/_x"), 50)), "https\\://a.example/\\_x");
    }

    #[test]
    fn nobody_is_notified() {
        assert_eq!(escaped("@octocat, a@b.example"), "@<!-- -->octocat, a@<!-- -->b.example");
    }

    #[test]
    fn several_answers_begin_with_a_summary() {
        let question = old_keys();
        let none = Answer { rows: Vec::new(), ..hostile(&question) };
        let text = text(&[none, hostile(&question)]);
        assert!(text.starts_with("| severity |") && text.matches("## Old keys").count() == 1, "{text}");
        assert!(text.contains("| high | old\\_keys | 40 checked, 0 with findings | Old keys |"), "{text}");
    }
}
