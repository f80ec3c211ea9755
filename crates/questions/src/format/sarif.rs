//! SARIF 2.1.0 (OASIS standard). A finding is about an asset of a cloud, so its logical location names the asset.
//! GitHub shows only results with a file, so the physical location is the file of the question.

use super::printed::{Each, printed};
use crate::{
    answer::Answer,
    cell,
    question::{Question, Severity},
};
use serde::Serialize;
use serde_json::{Value, json};

/// Limit of a message's value, in characters.
const MOST: usize = 300;
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// Page of the questions.
const PAGE: &str = "docs/questions.md";
/// Folder of the questions, in the repository.
const FOLDER: &str = "crates/questions/questions";

pub(super) fn text(answers: &[Answer<'_>], version: &str) -> String {
    let rules: Vec<Value> = answers.iter().map(|answer| rule(answer.question)).collect();
    let results = || answers.iter().enumerate().flat_map(|(at, it)| it.rows.iter().map(move |row| result(it, at, row)));
    let tool = json!({"driver": {"name": "Groma", "semanticVersion": version, "rules": rules}});
    printed(&Log { schema: SCHEMA, version: "2.1.0", runs: [Run { tool, results: Each(results) }] })
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
    results: R,
}

fn rule(question: &Question) -> Value {
    let tags: Vec<&str> = ["security"].into_iter().chain(question.frameworks.iter().map(String::as_str)).collect();
    json!({
        "id": question.name,
        "shortDescription": {"text": question.title},
        "fullDescription": {"text": question.why},
        "help": {"text": format!("{} See {PAGE} of Groma.", question.why)},
        "defaultConfiguration": {"level": level(question.severity)},
        "properties": {
            "tags": tags,
            "security-severity": score(question.severity),
        },
    })
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
        "message": {"text": format!("{}: {}", question.title, pairs.collect::<Vec<_>>().join(", "))},
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

/// Number from which GitHub makes its own severity: over 9.0 critical, 7.0 high, 4.0 medium, below low.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Informational => "0.0",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{hostile, old_keys};

    #[test]
    fn a_finding_is_a_result_of_its_rule() {
        let question = old_keys();
        let answer = hostile(&question);
        let text = text(std::slice::from_ref(&answer), "1.2.3");
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
}
