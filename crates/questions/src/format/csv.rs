//! CSV for spreadsheets (RFC 4180). A spreadsheet would run a cell that begins like a formula, so such a cell gets an
//! apostrophe in front (OWASP, "CSV Injection").

use crate::{answer::Answer, cell};
use serde_json::{Map, Value};

/// Limit of a cell in characters. Excel's is 32,767.
const MOST: usize = 32_000;
/// Characters with which a formula begins. `OWASP` names the full-width ones too.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Prints one answer with its own columns, or several with the columns that all have.
pub(super) fn text(answers: &[Answer<'_>]) -> String {
    match answers {
        [one] => own_columns(one),
        several => common_columns(several),
    }
}

fn own_columns(answer: &Answer<'_>) -> String {
    let heads = ["finding", "severity"].into_iter().chain(answer.question.columns.iter().map(String::as_str));
    let mut out = line(heads.map(str::to_owned));
    for row in &answer.rows {
        let first = [answer.finding(row), answer.question.severity.to_string()];
        out += &line(first.into_iter().chain(row.iter().map(|value| cell::text(value, MOST))));
    }
    out
}

fn common_columns(answers: &[Answer<'_>]) -> String {
    const HEADS: [&str; 9] =
        ["finding", "question", "severity", "service", "account", "region", "asset", "id", "details"];
    let mut out = line(HEADS.into_iter().map(str::to_owned));
    for answer in answers {
        let question = answer.question;
        for row in &answer.rows {
            let text = |column: &str| cell::text(answer.value(row, column), MOST);
            let details: Map<String, Value> = question.columns.iter().cloned().zip(row.iter().cloned()).collect();
            let details = cell::text(&Value::Object(details).to_string().into(), MOST);
            out += &line([
                answer.finding(row),
                question.name.clone(),
                question.severity.to_string(),
                question.service.clone(),
                text("account"),
                text("region"),
                question.asset.clone(),
                text(&question.id),
                details,
            ]);
        }
    }
    out
}

fn line(cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|text| quoted(&text)).collect();
    format!("{}\r\n", cells.join(","))
}

fn quoted(text: &str) -> String {
    let guard = if text.trim_start().starts_with(FORMULA) || text.starts_with(FORMULA) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{hostile, old_keys};

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"] {
            assert!(quoted(text).starts_with("\"'"), "{text:?}");
        }
        assert_eq!(quoted("say \"a=1\""), "\"say \"\"a=1\"\"\"");
    }

    #[test]
    fn a_row_is_a_line() {
        let question = old_keys();
        let (one, two) = (text(&[hostile(&question)]), text(&[hostile(&question), hostile(&question)]));
        assert_eq!(one.lines().next(), Some("\"finding\",\"severity\",\"account\",\"key\",\"user\""));
        assert!(one.contains(",\"'=cmd|' /C calc'!A0\\n|<b>\\u{1b}[2J\\u{9b}\\u{202e}\"\r\n"), "{one}");
        assert_eq!((one.lines().count(), two.lines().count()), (2, 3));
        assert!(!two.contains(['\u{1b}', '\u{9b}']), "{two}");
    }
}
