//! Policy documents: users of the accounts write them, and IAM returns them.

use analysis::policy::TrustPolicy;
use collector::{Json, Place};
use collector_iam::{policy_document, trust_policy};

const WORDS: &[&[u8]] = &[
    b"{\"Statement\":[",
    b"{\"Statement\":",
    b"]}",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"\\",
    b"\"Sid\":",
    b"\"Effect\":",
    b"\"Allow\"",
    b"\"Action\":",
    b"\"NotAction\":",
    b"\"Resource\":",
    b"\"NotResource\":",
    b"\"Condition\":",
    b"\"Principal\":",
    b"\"NotPrincipal\":",
    b"{\"AWS\":\"arn:aws:iam::222222222222:root\"}",
    b"{\"Service\":[\"ec2.amazonaws.com\",\"a\"]}",
    b"\"*\"",
    b"\"s3:*\"",
    b"{\"Bool\":{\"aws:x\":[\"true\"]}}",
    b"null",
    b"true",
    b"1e400",
    b"-0.0",
    b"18446744073709551616",
    b"1e-7",
    b"%7B",
    b"%22",
    b"%ff",
    b"\\ud800",
    b"\\u0000",
    "é\u{1f600}".as_bytes(),
];

fn place() -> Place {
    Place {
        account_id: "111111111111".into(),
        account_name: "alpha".into(),
        partition: "aws".into(),
        region: "global".into(),
        home_region: "us-east-1".into(),
    }
}

#[test]
fn policy_document() {
    fuzz::Target::new("policy_document").words(WORDS).well_formed(document).check(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(json) = serde_json::from_str::<Json>(&text) {
            let written = json.to_string();
            assert!(written.is_ascii());
            let again: Json = serde_json::from_str(&written).expect("it has been written as JSON");
            // serde_json may lose the last digit of a number with more than 17 digits.
            assert!(again.to_string() == written || has_float(&again), "{written}");
        }
        let Ok(statements) = policy_document::parse(&text) else { return };
        for condition in statements.iter().filter_map(|statement| statement.condition.as_ref()) {
            assert!(serde_json::from_str::<Vec<Json>>(condition).is_ok(), "{condition}");
        }
        let trust = trust_policy::read(&text, &place()).expect("it has just been read");
        let principals: usize = statements.iter().map(|statement| statement.principals.len()).sum();
        assert!(trust.trusted.len() <= principals && trust.unlinked.len() <= principals);
        let read = TrustPolicy::new(trust.text.as_deref());
        assert_ne!(
            read,
            TrustPolicy::new(None),
            "the analysis understands what the collector writes: {:?}",
            trust.text
        );
    });
}

fn has_float(json: &Json) -> bool {
    match json {
        Json::Float(_) => true,
        Json::List(items) => items.iter().any(has_float),
        Json::Object(entries) => entries.iter().any(|(_, value)| has_float(value)),
        _ => false,
    }
}

/// A document with the usual parts, each of any JSON type.
fn document(dice: &mut fuzz::Dice) -> Vec<u8> {
    const FIELDS: [&str; 10] = [
        "Sid",
        "Effect",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
        "Principal",
        "NotPrincipal",
        "Other",
    ];
    let statements = dice.some(4, |dice| {
        let fields = dice.some(8, |dice| format!("\"{}\":{}", dice.one(&FIELDS), value(dice, 0)));
        format!("{{{}}}", fields.join(","))
    });
    let statements = statements.join(",");
    let list = if dice.once_in(4) { statements } else { format!("[{statements}]") };
    format!("{{\"Version\":\"2012-10-17\",\"Statement\":{list}}}").into_bytes()
}

fn value(dice: &mut fuzz::Dice, depth: usize) -> String {
    const LEAVES: [&str; 8] =
        ["\"s3:*\"", "\"*\"", "\"Allow\"", "\"arn:aws:iam::222222222222:root\"", "null", "1.5", "true", "\"\""];
    match dice.below(8) {
        0 if depth < 4 => format!("[{}]", dice.some(4, |dice| value(dice, depth + 1)).join(",")),
        1 if depth < 4 => {
            const KEYS: [&str; 4] = ["AWS", "Service", "Federated", "aws:x"];
            let entries = dice.some(4, |dice| format!("\"{}\":{}", dice.one(&KEYS), value(dice, depth + 1)));
            format!("{{{}}}", entries.join(","))
        }
        _ => dice.one(&LEAVES).to_owned(),
    }
}

#[test]
fn nesting_ends_before_the_stack_does() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(200_000), close.repeat(200_000));
    for text in
        [deep("[", "]"), deep("{\"a\":", "}"), format!("{{\"Statement\":{}", deep("[", "]")), "[".repeat(1_000_000)]
    {
        assert!(policy_document::parse(&text).is_err());
    }
    let allowed = format!("{{\"Statement\":{{\"Condition\":{}1{}}}}}", "[".repeat(120), "]".repeat(120));
    assert!(policy_document::parse(&allowed).is_ok());
}

#[test]
fn a_document_longer_than_any_of_iam_is_refused() {
    let long = format!("{{\"Statement\":{{\"Sid\":\"{}\"}}}}", "a".repeat(2 << 20));
    let cost = fuzz::cost(|| assert!(policy_document::parse(&long).is_err()));
    assert!(cost.bytes < 64 << 10, "{} bytes", cost.bytes);
}

/// Quadratic work on these would take minutes.
#[test]
fn many_statements_keys_and_principals_are_read() {
    let statements = vec!["{}"; 100_000].join(",");
    assert_eq!(policy_document::parse(&format!("{{\"Statement\":[{statements}]}}")).expect("a policy").len(), 100_000);
    let keys: Vec<String> = (0..100_000).map(|n| format!("\"k{n}\":1")).collect();
    let object: Json = serde_json::from_str(&format!("{{{}}}", keys.join(","))).expect("an object");
    assert_eq!(object.get("k99999"), Some(&Json::Integer(1)));
    let principals: Vec<String> = (0..50_000).map(|n| format!("\"s{n}\"")).collect();
    let document = format!("{{\"Statement\":{{\"Principal\":{{\"Service\":[{}]}}}}}}", principals.join(","));
    assert_eq!(trust_policy::read(&document, &place()).expect("a policy").trusted.len(), 50_000);
}
