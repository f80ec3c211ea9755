//! A question and answers for tests.

use super::Setting;
use crate::{answer::Answer, parse, question::Question};
use serde_json::{Map, Value, json};

/// Surroundings without a terminal, in which every question had an answer.
pub(crate) const SETTING: Setting<'_> =
    Setting { version: "1.2.3", time: 1_700_000_000_000, width: None, failures: &[] };

/// A question with one parameter.
pub(crate) fn old_keys() -> Question {
    let text = "// title: Old keys\n// why: They are in many places.\n// service: iam\n// severity: high\n// maturity: stable\n\
        // asset: AWSAccountAccessKey\n// id: key\n// identity: account, key\n// frameworks: aws-fsbp:IAM.3, mitre:T1078.004\n\
        // parameters:\n//   days = 90: age of an old key\n// count: MATCH (key:AWSAccountAccessKey) RETURN count(key) AS checked\n\
        MATCH (a)-->(k) WHERE k.age > $days\nRETURN a.id AS account, k.id AS key, k.user AS user\nORDER BY account, key\n";
    parse::parse("old_keys.cypher", text).expect("a question")
}

/// A row of the graph.
pub(crate) fn row(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

/// An answer whose names are hostile.
pub(crate) fn hostile(question: &Question) -> Answer<'_> {
    let user = "=cmd|' /C calc'!A0\n|<b>\u{1b}[2J\u{9b}\u{202e}";
    let rows = vec![row(&json!({"account": "111111111111", "key": "AKIA1", "user": user}))];
    Answer::new(question, Vec::new(), 40, rows, 5).expect("columns")
}
