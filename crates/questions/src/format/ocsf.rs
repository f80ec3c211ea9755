//! OCSF 1.3, class Compliance Finding (2003), with the profile `cloud`: one event a line.
//!
//! The graph knows first times only of remembered findings, so each run reports every finding as created. Consumers tell known
//! ones by `finding_info.uid`.

use super::{Setting, printed::line};
use crate::{
    answer::Answer,
    cell,
    parse::FRAMEWORKS,
    question::{Question, Severity},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Limit of a text, in characters.
const MOST: usize = 1_000;
const CLASS: u32 = 2003;
/// Activity `Create`.
const CREATE: u32 = 1;

pub(super) fn text(answers: &[Answer<'_>], setting: &Setting<'_>) -> String {
    let of_answer = |answer| move |row: &Vec<Value>| line(&event(answer, row, setting));
    answers.iter().flat_map(|answer| answer.rows.iter().map(of_answer(answer))).collect()
}

fn event(answer: &Answer<'_>, row: &[Value], setting: &Setting<'_>) -> Value {
    let question = answer.question;
    let text = |column: &str| cell::text(answer.value(row, column), MOST);
    let (severity, severity_name) = severity(question.severity);
    let mut cloud = json!({"provider": "AWS"});
    let account = text("account");
    if !account.is_empty() {
        cloud["account"] = json!({"uid": account, "type": "AWS Account", "type_id": 10});
    }
    // Other events name the asset by the same text, so it is neither cut nor escaped for people.
    let uid = answer.value(row, &question.id);
    let uid = uid.as_str().map_or_else(|| text(&question.id), str::to_owned);
    let mut resource = json!({"uid": uid, "type": question.asset});
    if let Some(region) = answer.value(row, "region").as_str() {
        cloud["region"] = cell::text(&region.into(), MOST).into();
        resource["region"] = cloud["region"].clone();
    }
    let data = question.columns.iter().cloned().zip(row.iter().cloned()).collect::<serde_json::Map<_, _>>();
    let mut event = json!({
        "activity_id": CREATE,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Compliance Finding",
        "type_uid": CLASS * 100 + CREATE,
        "type_name": "Compliance Finding: Create",
        "time": setting.time,
        "severity_id": severity,
        "severity": severity_name,
        "status_id": 1,
        "status": "New",
        "message": question.title,
        "metadata": {
            "version": "1.3.0",
            "profiles": ["cloud"],
            "product": {"name": "Groma", "vendor_name": "Groma", "version": setting.version},
        },
        "finding_info": {
            "uid": answer.finding(row),
            "title": question.title,
            "desc": question.why,
            "types": [question.name],
        },
        "compliance": compliance(question),
        "cloud": cloud,
        "resources": [resource],
        "unmapped": data,
    });
    let attacks = attacks(question);
    if !attacks.is_empty() {
        event["finding_info"]["attacks"] = attacks.into();
    }
    event
}

/// Framework of MITRE's techniques, which are attacks and no controls.
const MITRE: &str = "mitre";

/// Names of the standards, and the numbers of their controls. The first standard is this program's own.
fn compliance(question: &Question) -> Value {
    let controls = question.frameworks.iter().filter_map(|it| it.split_once(':')).filter(|(name, _)| *name != MITRE);
    let controls: Vec<(&str, &str)> = controls.collect();
    let used: BTreeSet<&str> = controls.iter().map(|(name, _)| *name).collect();
    let titles = FRAMEWORKS.iter().filter(|(name, _)| used.contains(name)).map(|(_, title)| *title);
    let standards: Vec<&str> = ["Groma"].into_iter().chain(titles).collect();
    let mut compliance = json!({"control": question.name, "standards": standards, "status_id": 3, "status": "Fail"});
    if !controls.is_empty() {
        compliance["requirements"] = controls.iter().map(|(_, number)| *number).collect();
    }
    compliance
}

/// Techniques of MITRE ATT&CK: `T1078.004` is a part of `T1078`.
fn attacks(question: &Question) -> Vec<Value> {
    let techniques = question.frameworks.iter().filter_map(|it| it.split_once(':')).filter(|(name, _)| *name == MITRE);
    let attack = |(_, id): (&str, &str)| match id.split_once('.') {
        Some((whole, _)) => json!({"technique": {"uid": whole}, "sub_technique": {"uid": id}}),
        None => json!({"technique": {"uid": id}}),
    };
    techniques.map(attack).collect()
}

fn severity(severity: Severity) -> (u32, &'static str) {
    match severity {
        Severity::Informational => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{SETTING, hostile, old_keys};

    #[test]
    fn a_finding_is_an_event() {
        let question = old_keys();
        let answer = hostile(&question);
        let text = text(std::slice::from_ref(&answer), &SETTING);
        assert!(!text.contains(['\u{1b}', '\u{9b}']), "{text}");
        let read: Value = serde_json::from_str(&text).expect("JSON");
        let event = &read;
        assert_eq!(
            (&event["class_uid"], &event["type_uid"], &event["severity_id"]),
            (&json!(2003), &json!(200_301), &json!(4))
        );
        assert_eq!(event["finding_info"]["uid"], answer.finding(&answer.rows[0]));
        assert_eq!(
            (&event["resources"][0]["uid"], &event["cloud"]["account"]["uid"]),
            (&json!("AKIA1"), &json!("111111111111"))
        );
        assert!(event["cloud"]["region"].is_null(), "a global asset has no region");
    }

    #[test]
    fn an_event_is_a_line() {
        let question = old_keys();
        let text = text(&[hostile(&question), hostile(&question)], &SETTING);
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{text}");
        assert_eq!(super::text(&[], &SETTING), "");
    }

    #[test]
    fn controls_are_told_from_attacks() {
        let question = old_keys();
        let event = event(&hostile(&question), &hostile(&question).rows[0], &SETTING);
        let standards = json!(["Groma", "AWS Foundational Security Best Practices"]);
        assert_eq!(
            (&event["compliance"]["standards"], &event["compliance"]["requirements"]),
            (&standards, &json!(["IAM.3"]))
        );
        let attacks = json!([{"technique": {"uid": "T1078"}, "sub_technique": {"uid": "T1078.004"}}]);
        assert_eq!(event["finding_info"]["attacks"], attacks);
    }

    #[test]
    fn an_asset_keeps_its_id_and_an_unknown_account_is_absent() {
        let question = old_keys();
        let id = format!("{}\u{9b}", "k".repeat(2 * MOST));
        let mut answer = hostile(&question);
        answer.rows[0][..2].clone_from_slice(&[json!(""), json!(id)]);
        let event = event(&answer, &answer.rows[0], &SETTING);
        assert_eq!(event["resources"][0]["uid"], json!(id));
        assert!(event["cloud"].get("account").is_none());
    }
}
