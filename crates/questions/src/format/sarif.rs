//! SARIF 2.1.0 (OASIS standard). A finding is about an asset of a cloud, so its logical location names the asset.
//! GitHub shows only results with a file, so the physical location is the file of the question.
//!
//! A message is not plain text: `[text](link)` is a link and `{0}` a placeholder (sections 3.11.5 and 3.11.6), so values are
//! escaped. A run without all answers says that it was not successful, with a notification for each gap.

use super::{
    Failure, Setting,
    printed::{Each, printed},
};
use crate::{
    answer::Answer,
    cell,
    question::{Question, Severity},
};
use serde::Serialize;
use serde_json::{Value, json};
use std::cmp::Reverse;

/// Most results of a run that GitHub takes ("SARIF support for code scanning"). It rejects a file with more.
const RESULTS: usize = 25_000;
/// Limit of a message's value, in characters.
const MOST: usize = 300;
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// Page of the questions.
const PAGE: &str = "docs/questions.md";
/// Folder of the questions, in the repository.
const FOLDER: &str = "crates/questions/questions";

pub(super) fn text(answers: &[Answer<'_>], setting: &Setting<'_>) -> String {
    let rules: Vec<Value> = answers.iter().map(|answer| rule(answer.question)).collect();
    let shown = shown(answers, RESULTS);
    let results = || {
        let each = answers.iter().zip(&shown).enumerate();
        each.flat_map(|(at, (it, most))| it.rows.iter().take(*most).map(move |row| result(it, at, row)))
    };
    let tool = json!({"driver": {"name": "Groma", "semanticVersion": setting.version, "rules": rules}});
    let invocations = [invocation(answers, setting.failures, left_out(answers))];
    printed(&Log { schema: SCHEMA, version: "2.1.0", runs: [Run { tool, invocations, results: Each(results) }] })
}

/// Number of findings that no file shows, because GitHub would reject it.
pub(super) fn left_out(answers: &[Answer<'_>]) -> usize {
    let all: usize = answers.iter().map(|answer| answer.rows.len()).sum();
    all.saturating_sub(RESULTS)
}

/// Number of rows to show of each answer, `most` in all: those of the most severe questions first.
fn shown(answers: &[Answer<'_>], most: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..answers.len()).collect();
    order.sort_by_key(|&at| Reverse(answers[at].question.severity));
    let (mut shown, mut rest) = (vec![0; answers.len()], most);
    for at in order {
        shown[at] = answers[at].rows.len().min(rest);
        rest -= shown[at];
    }
    shown
}

/// Success of the run, with a notification for each question whose findings are not all in the file.
fn invocation(answers: &[Answer<'_>], failures: &[Failure], left_out: usize) -> Value {
    let of_question = |name: &str, text: String| json!({"level": "error", "associatedRule": {"id": name}, "message": {"text": escaped(&text)}});
    let failed = failures.iter().map(|failure| {
        let reason = cell::text(&failure.reason.as_str().into(), MOST);
        of_question(&failure.question, format!("{} has no answer: {reason}", failure.question))
    });
    let cut = answers.iter().filter(|answer| answer.is_cut).map(|answer| {
        let (name, count) = (&answer.question.name, answer.rows.len());
        of_question(name, format!("{name} has more than {count} findings: ask with a larger --limit"))
    });
    let mut gaps: Vec<Value> = failed.chain(cut).collect();
    if left_out > 0 {
        let text =
            format!("{left_out} of the least severe findings are left out, because GitHub takes at most {RESULTS}");
        gaps.push(json!({"level": "error", "message": {"text": text}}));
    }
    json!({"executionSuccessful": gaps.is_empty(), "toolExecutionNotifications": gaps})
}

/// Text that a message shows as it is.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '[' | ']' => out.push('\\'),
            '{' | '}' => out.push(c),
            _ => {}
        }
        out.push(c);
    }
    out
}

#[derive(Serialize)]
struct Log<R> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [R; 1],
}

#[derive(Serialize)]
struct Run<R> {
    tool: Value,
    invocations: [Value; 1],
    results: R,
}

fn rule(question: &Question) -> Value {
    let tags: Vec<&str> = ["security"].into_iter().chain(question.frameworks.iter().map(String::as_str)).collect();
    let mut rule = json!({
        "id": question.name,
        "shortDescription": {"text": question.title},
        "fullDescription": {"text": question.why},
        "help": {"text": format!("{} See {PAGE} of Groma.", question.why)},
        "defaultConfiguration": {"level": level(question.severity)},
        "properties": {"tags": tags},
    });
    if let Some(score) = score(question.severity) {
        rule["properties"]["security-severity"] = score.into();
    }
    rule
}

fn result(answer: &Answer<'_>, rule: usize, row: &[Value]) -> Value {
    let question = answer.question;
    let pairs = question.columns.iter().zip(row).map(|(column, value)| format!("{column} {}", cell::text(value, MOST)));
    let id = cell::text(answer.value(row, &question.id), MOST);
    let place = [answer.value(row, "account"), answer.value(row, "region")].map(|value| cell::text(value, MOST));
    let name = [place[0].as_str(), place[1].as_str(), id.as_str()].join("/");
    let file = format!("{FOLDER}/{}.cypher", question.name);
    let finding = answer.finding(row);
    json!({
        "ruleId": question.name,
        "ruleIndex": rule,
        "level": level(question.severity),
        "message": {"text": escaped(&format!("{}: {}", question.title, pairs.collect::<Vec<_>>().join(", ")))},
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": file}, "region": {"startLine": 1}},
            "logicalLocations": [{"name": id, "fullyQualifiedName": name, "kind": "resource"}],
        }],
        // All results of a question are in one line of one file; GitHub tells them apart by the hash.
        "partialFingerprints": {"groma/v1": finding, "primaryLocationLineHash": format!("{finding}:1")},
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Informational => "note",
    }
}

/// Number from which GitHub makes its own severity: over 9.0 critical, 7.0 high, 4.0 medium, over 0.0 low. It takes no lower
/// one, so a fact has none.
fn score(severity: Severity) -> Option<&'static str> {
    match severity {
        Severity::Critical => Some("9.5"),
        Severity::High => Some("8.0"),
        Severity::Medium => Some("5.5"),
        Severity::Low => Some("2.0"),
        Severity::Informational => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{SETTING, hostile, old_keys};

    fn read(answers: &[Answer<'_>], setting: &Setting<'_>) -> Value {
        serde_json::from_str(&text(answers, setting)).expect("JSON")
    }

    #[test]
    fn a_finding_is_a_result_of_its_rule() {
        let question = old_keys();
        let answer = hostile(&question);
        let text = text(std::slice::from_ref(&answer), &SETTING);
        assert!(!text.contains(['\u{1b}', '\u{9b}']), "{text}");
        let read: Value = serde_json::from_str(&text).expect("JSON");
        let run = &read["runs"][0];
        assert_eq!((&read["version"], &run["tool"]["driver"]["semanticVersion"]), (&json!("2.1.0"), &json!("1.2.3")));
        assert_eq!(run["tool"]["driver"]["rules"][0]["id"], run["results"][0]["ruleId"]);
        assert_eq!(run["results"][0]["level"], "error");
        let finding = answer.finding(&answer.rows[0]);
        let fingerprints = json!({"groma/v1": finding, "primaryLocationLineHash": format!("{finding}:1")});
        assert_eq!(run["results"][0]["partialFingerprints"], fingerprints);
        let location = &run["results"][0]["locations"][0];
        assert_eq!(location["logicalLocations"][0]["fullyQualifiedName"], "111111111111//AKIA1");
        let file = json!({
            "artifactLocation": {"uri": "crates/questions/questions/old_keys.cypher"},
            "region": {"startLine": 1},
        });
        assert_eq!(location["physicalLocation"], file);
    }

    #[test]
    fn a_value_is_neither_a_link_nor_a_placeholder() {
        assert_eq!(escaped("[me](https://x.example) {0} \\"), "\\[me\\](https://x.example) {{0}} \\\\");
        let question = old_keys();
        let mut answer = hostile(&question);
        answer.rows[0][2] = json!("[a](1) {0}");
        let message = read(&[answer], &SETTING)["runs"][0]["results"][0]["message"]["text"].clone();
        assert_eq!(message, "Old keys: account 111111111111, key AKIA1, user \\[a\\](1) {{0}}");
    }

    #[test]
    fn a_run_with_gaps_is_not_successful() {
        let question = old_keys();
        let whole = read(&[hostile(&question)], &SETTING)["runs"][0]["invocations"].clone();
        assert_eq!(whole, json!([{"executionSuccessful": true, "toolExecutionNotifications": []}]));

        let cut = Answer { is_cut: true, ..hostile(&question) };
        let failures = [Failure { question: "user_admin".into(), reason: "[gone]\u{1b}".into() }];
        let gaps = read(&[cut], &Setting { failures: &failures, ..SETTING })["runs"][0]["invocations"][0].clone();
        let notification = |at: usize, part: &str| gaps["toolExecutionNotifications"][at].pointer(part).cloned();
        assert_eq!(gaps["executionSuccessful"], json!(false));
        assert_eq!(notification(0, "/associatedRule/id"), Some(json!("user_admin")));
        assert_eq!(notification(0, "/message/text"), Some(json!("user_admin has no answer: \\[gone\\]\\\\u{{1b}}")));
        assert_eq!(
            notification(1, "/message/text"),
            Some(json!("old_keys has more than 1 findings: ask with a larger --limit"))
        );
    }

    #[test]
    fn the_most_severe_findings_are_shown_first() {
        let (high, low) = (old_keys(), Question { severity: Severity::Low, ..old_keys() });
        let with = |question, count: usize| {
            let answer = hostile(question);
            let rows = vec![answer.rows[0].clone(); count];
            Answer { rows, ..answer }
        };
        let answers = [with(&low, 3), with(&high, 2)];
        assert_eq!((shown(&answers, 4), shown(&answers, 9), shown(&answers, 1)), (vec![2, 2], vec![3, 2], vec![0, 1]));
        let many = [with(&low, RESULTS), with(&high, 2)];
        let run = read(&many, &SETTING)["runs"][0].clone();
        assert_eq!(run["results"].as_array().map(Vec::len), Some(RESULTS));
        assert_eq!(run["invocations"][0]["executionSuccessful"], json!(false));
        let text = run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].clone();
        assert!(text.as_str().is_some_and(|text| text.starts_with("2 of the least severe")), "{text}");
    }

    #[test]
    fn a_fact_has_no_security_severity() {
        let question = Question { severity: Severity::Informational, ..old_keys() };
        assert!(rule(&question)["properties"].get("security-severity").is_none());
        assert_eq!(rule(&old_keys())["properties"]["security-severity"], json!("8.0"));
    }
}
