//! OCSF 1.3, class Compliance Finding (2003), with the profile `cloud`: a list of events.

use super::{
    Setting,
    printed::{Each, printed},
};
use crate::{answer::Answer, cell, question::Severity};
use serde_json::{Value, json};

/// Limit of a text, in characters.
const MOST: usize = 1_000;
const CLASS: u32 = 2003;
/// Activity `Create`: the first report of a finding, as far as this program knows.
const CREATE: u32 = 1;

pub(super) fn text(answers: &[Answer<'_>], setting: &Setting<'_>) -> String {
    let of_answer = |answer| move |row: &Vec<Value>| event(answer, row, setting);
    printed(&Each(|| answers.iter().flat_map(|answer| answer.rows.iter().map(of_answer(answer)))))
}

fn event(answer: &Answer<'_>, row: &[Value], setting: &Setting<'_>) -> Value {
    let question = answer.question;
    let text = |column: &str| cell::text(answer.value(row, column), MOST);
    let (severity, severity_name) = severity(question.severity);
    let mut cloud =
        json!({"provider": "AWS", "account": {"uid": text("account"), "type": "AWS Account", "type_id": 10}});
    let mut resource = json!({"uid": text(&question.id), "type": question.asset});
    if let Some(region) = answer.value(row, "region").as_str() {
        cloud["region"] = cell::text(&region.into(), MOST).into();
        resource["region"] = cloud["region"].clone();
    }
    let data = question.columns.iter().cloned().zip(row.iter().cloned()).collect::<serde_json::Map<_, _>>();
    let standards: Vec<&str> = ["Groma"].into_iter().chain(question.frameworks.iter().map(String::as_str)).collect();
    json!({
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
        "compliance": {"control": question.name, "standards": standards, "status_id": 3, "status": "Fail"},
        "cloud": cloud,
        "resources": [resource],
        "unmapped": data,
    })
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
        let event = &read[0];
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
}
