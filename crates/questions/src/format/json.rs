//! JSON with everything: questions, parameters, numbers and findings.

use crate::answer::Answer;
use serde_json::{Map, Value, json};
use std::fmt::Write;

pub(super) fn text(answers: &[Answer<'_>]) -> String {
    printed(&json!({ "questions": answers.iter().map(one).collect::<Vec<_>>() }))
}

fn one(answer: &Answer<'_>) -> Value {
    let question = answer.question;
    let arguments = answer.arguments.iter().map(|argument| (argument.name.clone(), argument.value.to_json()));
    let findings = answer.rows.iter().map(|row| {
        let mut finding = Map::from_iter([("finding".to_owned(), answer.finding(row).into())]);
        finding.extend(question.columns.iter().cloned().zip(row.iter().cloned()));
        Value::Object(finding)
    });
    json!({
        "name": question.name,
        "title": question.title,
        "why": question.why,
        "service": question.service,
        "severity": question.severity.name(),
        "maturity": question.maturity.name(),
        "frameworks": question.frameworks,
        "asset": question.asset,
        "id": question.id,
        "parameters": arguments.collect::<Map<_, _>>(),
        "checked": answer.checked,
        "found": answer.rows.len(),
        "is_cut": answer.is_cut,
        "new_since": answer.new_since,
        "findings": findings.collect::<Vec<_>>(),
    })
}

/// Prints JSON for files and terminals. serde_json escapes the control characters of ASCII only; a terminal also obeys those
/// from U+0080 to U+009F.
pub fn printed(value: &Value) -> String {
    let plain = format!("{value:#}\n");
    plain.chars().fold(String::with_capacity(plain.len()), |mut out, c| {
        if c.is_control() && c != '\n' {
            // A `String` takes any text.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{hostile, old_keys};

    #[test]
    fn a_reader_gets_the_names_and_a_terminal_no_commands() {
        let question = old_keys();
        let text = text(&[hostile(&question)]);
        assert!(!text.contains(['\u{1b}', '\u{9b}']), "{text}");
        let read: Value = serde_json::from_str(&text).expect("JSON");
        let finding = &read["questions"][0]["findings"][0];
        assert_eq!(finding["user"], "=cmd|' /C calc'!A0\n|<b>\u{1b}[2J\u{9b}");
        assert_eq!((&read["questions"][0]["checked"], &read["questions"][0]["found"]), (&json!(40), &json!(1)));
    }
}
