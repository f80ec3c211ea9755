//! Policies of resources: users of the accounts write them, and each service returns its own.

use collector_s3::policy;
use resource_policy::{MOST_BYTES, anonymous};

const WORDS: &[&[u8]] = &[
    b"{\"Statement\":[",
    b"]}",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"Effect\":\"Allow\"",
    b"\"Effect\":\"Deny\"",
    b"\"Action\":",
    b"\"Principal\":",
    b"\"NotPrincipal\":",
    b"\"Condition\":",
    b"{\"AWS\":\"arn:aws:iam::222222222222:root\"}",
    b"{\"StringLike\":{\"aws:PrincipalOrgPaths\":\"o-*/r-a/ou-b/\"}}",
    b"{\"IpAddress\":{\"aws:SourceIp\":\"0.0.0.0/0\"}}",
    b"{\"StringEquals\":{\"aws:userid\":[\"\",\"*\"]}}",
    b"\"*\"",
    b"\"kms:*\"",
    b"null",
    b"1e400",
    "é\u{1f600}".as_bytes(),
];

#[test]
fn resource_policy() {
    fuzz::Target::new("resource_policy").words(WORDS).well_formed(document).check(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        let (open, of_bucket) = (anonymous(&text), policy::parse(&text));
        assert_eq!(open.is_ok(), of_bucket.is_ok(), "{text}");
        let (Ok(Some(actions)), Ok(of_bucket)) = (open, of_bucket) else { return };
        assert!(!of_bucket.statements.is_empty(), "{text}");
        assert_eq!(anonymous(&of_bucket.document.to_string()).ok().flatten().as_ref(), Some(&actions), "{text}");
        assert!(actions.is_sorted(), "{actions:?}");
        assert!(text.contains("Allow") || text.contains("\\u"), "nothing is open unless a statement allows it: {text}");
    });
}

/// A policy with the usual parts, each of any JSON type.
fn document(dice: &mut fuzz::Dice) -> Vec<u8> {
    const FIELDS: [&str; 5] = ["Action", "Principal", "NotPrincipal", "Condition", "Resource"];
    let statements = dice.some(4, |dice| {
        let fields = dice.some(5, |dice| format!(",\"{}\":{}", dice.one(&FIELDS), value(dice, 0)));
        format!("{{\"Effect\":\"Allow\"{}}}", fields.concat())
    });
    format!("{{\"Statement\":[{}]}}", statements.join(",")).into_bytes()
}

fn value(dice: &mut fuzz::Dice, depth: usize) -> String {
    const LEAVES: [&str; 6] = ["\"*\"", "\"kms:*\"", "\"o-*\"", "\"arn:aws:iam::*:root\"", "1.5", "\"\""];
    const KEYS: [&str; 5] = ["AWS", "StringLike", "IpAddress", "aws:PrincipalOrgID", "aws:SourceIp"];
    match dice.below(6) {
        0 if depth < 4 => format!("[{}]", dice.some(4, |dice| value(dice, depth + 1)).join(",")),
        1 | 2 if depth < 4 => {
            let entries = dice.some(3, |dice| format!("\"{}\":{}", dice.one(&KEYS), value(dice, depth + 1)));
            format!("{{{}}}", entries.join(","))
        }
        _ => dice.one(&LEAVES).to_owned(),
    }
}

#[test]
fn nesting_ends_before_the_stack_does() {
    let deep = format!("{{\"Statement\":{}1{}}}", "[".repeat(200_000), "]".repeat(200_000));
    assert!(anonymous(&deep).is_err());
}

#[test]
fn a_policy_longer_than_any_of_aws_is_refused() {
    let long = format!("{{\"Statement\":[],\"Id\":\"{}\"}}", "a".repeat(MOST_BYTES));
    let cost = fuzz::cost(|| assert!(anonymous(&long).is_err()));
    assert!(cost.bytes < 64 << 10, "{} bytes", cost.bytes);
}
