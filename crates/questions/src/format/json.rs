//! JSON with everything: questions, parameters, numbers and findings.

use super::printed::{Each, printed};
use crate::answer::Answer;
use serde::Serialize;
use serde_json::{Map, Value};

pub(super) fn text(answers: &[Answer<'_>]) -> String {
    printed(&All { questions: Each(|| answers.iter().map(one)) })
}

#[derive(Serialize)]
struct All<Q> {
    questions: Q,
}

/// A question with its answer. Fields are only added.
#[derive(Serialize)]
struct One<'a, F> {
    asset: &'a str,
    checked: u64,
    findings: F,
    found: usize,
    frameworks: &'a [String],
    id: &'a str,
    is_baseline: bool,
    is_cut: bool,
    maturity: &'static str,
    name: &'a str,
    new_since: Option<&'a str>,
    parameters: Map<String, Value>,
    service: &'a str,
    severity: &'static str,
    title: &'a str,
    why: &'a str,
}

fn one<'a>(answer: &'a Answer<'_>) -> One<'a, impl Serialize> {
    let question = answer.question;
    let arguments = answer.arguments.iter().map(|argument| (argument.name.clone(), argument.value.to_json()));
    One {
        asset: &question.asset,
        checked: answer.checked,
        findings: Each(move || answer.rows.iter().map(move |row| finding(answer, row))),
        found: answer.rows.len(),
        frameworks: &question.frameworks,
        id: &question.id,
        is_baseline: answer.is_baseline,
        is_cut: answer.is_cut,
        maturity: question.maturity.name(),
        name: &question.name,
        new_since: answer.new_since.as_deref(),
        parameters: arguments.collect(),
        service: &question.service,
        severity: question.severity.name(),
        title: &question.title,
        why: &question.why,
    }
}

fn finding(answer: &Answer<'_>, row: &[Value]) -> Map<String, Value> {
    let mut finding = Map::from_iter([("finding".to_owned(), answer.finding(row).into())]);
    finding.extend(answer.question.columns.iter().cloned().zip(row.iter().cloned()));
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{hostile, old_keys};
    use serde_json::json;

    #[test]
    fn a_reader_gets_the_names_and_a_terminal_no_commands() {
        let question = old_keys();
        let text = text(&[hostile(&question)]);
        assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{text}");
        let read: Value = serde_json::from_str(&text).expect("JSON");
        let finding = &read["questions"][0]["findings"][0];
        assert_eq!(finding["user"], "=cmd|' /C calc'!A0\n|<b>\u{1b}[2J\u{9b}\u{202e}");
        assert_eq!((&read["questions"][0]["checked"], &read["questions"][0]["found"]), (&json!(40), &json!(1)));
    }
}
