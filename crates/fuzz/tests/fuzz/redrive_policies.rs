//! Redrive policies of queues: users of the accounts write them, and SQS returns them.

use collector::Value;
use collector_sqs::redrive_policy::{MOST_BYTES, parse};

const WORDS: &[&[u8]] = &[
    b"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:111111111111:dead\",\"maxReceiveCount\":5}",
    b"\"deadLetterTargetArn\":",
    b"\"maxReceiveCount\":",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"\"5\"",
    b"5",
    b"-1",
    b"5.5",
    b"1e400",
    b"18446744073709551615",
    b"null",
    "é\u{1f600}".as_bytes(),
];

#[test]
fn redrive_policy() {
    fuzz::Target::new("redrive_policy").words(WORDS).well_formed(policy).check(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        let json = serde_json::from_str::<serde_json::Value>(&text);
        let Ok(policy) = parse(&text) else {
            assert!(json.is_err() && !text.is_empty() || text.len() > MOST_BYTES, "{text}");
            return;
        };
        let json = json.unwrap_or_default();
        assert_eq!(policy.target.as_deref(), json["deadLetterTargetArn"].as_str(), "{text}");
        let receives = &json["maxReceiveCount"];
        let expected = receives.as_str().map(Value::from).or_else(|| receives.as_i64().map(Value::from));
        assert_eq!(policy.receives, expected.unwrap_or(Value::Null), "{text}");
    });
}

/// A policy whose parts have any JSON type.
fn policy(dice: &mut fuzz::Dice) -> Vec<u8> {
    const VALUES: [&str; 8] = ["5", "\"5\"", "5.5", "null", "[5]", "{\"a\":5}", "\"arn:aws:sqs:::dead\"", "true"];
    let (target, receives) = (dice.one(&VALUES), dice.one(&VALUES));
    format!("{{\"deadLetterTargetArn\":{target},\"maxReceiveCount\":{receives}}}").into_bytes()
}
