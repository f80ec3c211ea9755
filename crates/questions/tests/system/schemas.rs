//! SARIF and OCSF match their published schemas, whatever the names in the graph contain.

use questions::{Answer, Failure, Format, Question, Setting, arguments::arguments, questions};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::{ffi::OsStr, fs};
use tempfile::TempDir;
use testkit::{run_python, workspace};

const FOLDER: &str = "crates/questions/tests/schemas";
const SARIF: &str = "sarif-2.1.0.json";
const OCSF: &str = "ocsf-1.3.0-compliance-finding.json";
const SETTING: Setting<'_> = Setting { version: "1.2.3", time: 1_700_000_000_000, width: None, failures: &[] };
/// Values of every type that a query may return.
const HOSTILE: &str = "=cmd|' /C calc'!A0\n|<b>\u{1b}[2J\u{9b}\u{202e}\u{0}\"%\\";

/// An answer with two rows: each column has a text in one, and null or another type in the other.
fn answer(question: &Question) -> Answer<'_> {
    let values = [json!(7), json!(true), json!(["a", HOSTILE]), json!(1.5), Value::Null, json!("")];
    let row = |is_first: bool| -> Map<String, Value> {
        let value = |(at, column): (usize, &String)| {
            // Queries always return these as texts.
            let is_text = is_first || ["account", "region"].contains(&column.as_str());
            let value = if is_text { json!(HOSTILE) } else { values[at % values.len()].clone() };
            (column.clone(), value)
        };
        question.columns.iter().enumerate().map(value).collect()
    };
    let arguments = arguments(question, &[]).expect("defaults");
    Answer::new(question, arguments, 40, vec![row(true), row(false)], 5).expect("columns")
}

/// Problems of documents, as the published schema has them.
fn problems(schema: &str, documents: &[Value]) -> String {
    let folder = TempDir::new().expect("a folder");
    let schema = workspace().join(FOLDER).join(schema);
    let files = documents.iter().enumerate().map(|(at, document)| {
        let path = folder.path().join(format!("{at}.json"));
        fs::write(&path, document.to_string()).expect("a file");
        path
    });
    let files: Vec<_> = std::iter::once(schema).chain(files).collect();
    let arguments: Vec<&OsStr> = files.iter().map(|path| path.as_os_str()).collect();
    let checked = run_python(&format!("{FOLDER}/validate.py"), &arguments);
    checked.map_or_else(|error| error.to_string(), |_| String::new())
}

fn sarif(answers: &[Answer<'_>]) -> Value {
    serde_json::from_str(&Format::Sarif.text(answers, &SETTING)).expect("JSON")
}

#[test]
fn sarif_matches_its_schema() {
    let answers: Vec<Answer<'_>> = questions().iter().map(answer).collect();
    let log = sarif(&answers);
    assert_eq!(log["runs"][0]["results"].as_array().map(Vec::len), Some(2 * answers.len()));
    let empty = sarif(&[]);
    let failures = [Failure { question: "user_admin".into(), reason: HOSTILE.into() }];
    let cut = Answer { is_cut: true, ..answers[0].clone() };
    let gaps = Format::Sarif.text(&[cut], &Setting { failures: &failures, ..SETTING });
    let gaps: Value = serde_json::from_str(&gaps).expect("JSON");
    assert_eq!(gaps["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().map(Vec::len), Some(2));
    assert_eq!(problems(SARIF, &[log.clone(), empty, gaps]), "");
    let mut broken = log;
    broken["runs"][0]["results"][0]["level"] = json!("fatal");
    assert!(problems(SARIF, &[broken]).contains("fatal"), "the schema is used");
}

#[test]
fn ocsf_matches_its_schema() {
    let answers: Vec<Answer<'_>> = questions().iter().map(answer).collect();
    let events = Format::Ocsf.text(&answers, &SETTING);
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(events.len(), 2 * answers.len());
    assert_eq!(problems(OCSF, &events), "");
    let mut broken = events[0].clone();
    broken["severity_id"] = json!(7);
    assert!(problems(OCSF, &[broken]).contains("severity_id"), "the schema is used");
}

#[test]
fn the_schemas_are_as_published() {
    let folder = workspace().join(FOLDER);
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).expect("checksums");
    let files = [OCSF, SARIF].map(|name| {
        let digest = Sha256::digest(fs::read(folder.join(name)).expect("a schema"));
        format!("{}  {name}\n", events::hex(&digest))
    });
    assert_eq!(sums, files.concat());
}
