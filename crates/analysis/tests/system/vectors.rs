//! Decisions that AWS documents, as numbered test vectors: policies in IAM's form, the resulting statements in the
//! graph, and the expected edge.
//!
//! Sources: IAM user guide ("Policy evaluation logic", "Permissions boundaries", "IAM JSON policy elements", "Condition
//! operators", "Variables and tags", "Single-valued and multivalued context keys"), STS API reference (`AssumeRole`), and the
//! public tests of PMapper, parliament, yams and iam-simulate.

mod scene;

use crate::world::{TAG, World};
use graph::parameters::{self, list};
use scene::{MAKE, MFA, Scene, session};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

/// Numbers of all vectors. The others never existed.
const NUMBERS: &[RangeInclusive<u32>] = &[1..=17, 19..=32, 34..=68, 70..=72, 74..=76, 78..=81, 83..=83, 85..=100];

/// Vectors that do not run, with the reason.
const EXCLUDED: &[(RangeInclusive<u32>, &str)] = &[
    (14..=14, "policy of a resource other than a role; of a role it is 59"),
    (20..=24, "session policy: AWS does not list them"),
    (29..=31, "anonymous callers and services have no policies"),
    (34..=46, "policy of an organization"),
    (47..=56, "key policy"),
    (64..=65, "no rule asks for the action"),
    (66..=66, "AWS documents that service-linked roles are passed, and not that roles under aws-reserved/ are not"),
    (67..=68, "no rule asks for the action"),
    (72..=72, "no rule asks for the action: a bucket stands for its objects"),
    (80..=80, "the graph has no address of a caller"),
    (86..=86, "policy of a resource other than a role"),
    (87..=87, "policy of an organization"),
    (88..=88, "key policy"),
    (89..=89, "policy of a resource and a session"),
    (92..=95, "policies and lists of buckets and access points"),
    (96..=96, "key policy"),
    (97..=97, "policy of an endpoint"),
    (99..=100, "policy of a resource other than a role"),
];

/// Number, question, policies, outcome.
///
/// Question: `user` or `role`; `passes` or `assumes` the role TARGET of the same account, `assumes abroad` and `passes
/// abroad` that of another one, `reads` the bucket `logs`. Policies, separated by `; `: `own`, `group` and `boundary`
/// have a statement, `own 2008` one of that version. `boundary empty` has no statement, and `own unread` cannot be
/// parsed. `trust` has an effect and principals: `me`, a `session` of mine, `account`, its `id`, `other` (account) or
/// `everyone`, or all except those after `!`. `member` puts the account into the organization `o-1`. Outcome: `A`
/// allowed, `D` denied, `C` conditional with the condition.
type Vector = (u32, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const VECTORS: &[Vector] = &[
    // Identity policies and groups.
    (1, "user passes", "own Allow iam:PassRole on *", "A"),
    (2, "user passes", "own Allow iam:GetRole on *", "D"),
    (3, "user passes", "own Allow iam:PassRole on *; own Deny iam:PassRole on *", "D"),
    (4, "user passes", "group Allow iam:PassRole on *", "A"),
    (4, "user passes", "own Allow iam:PassRole on *; group Deny iam:* on *", "D"),
    // Policy of a resource, here of a role.
    (5, "user assumes", "own Allow s3:* on *; trust Allow me", "A"),
    (5, "role assumes", "trust Allow me", "A"),
    (6, "user assumes", "own Allow s3:* on *; trust Allow account", "D"),
    (6, "user assumes", "own Allow s3:* on *; trust Allow id", "D"),
    (6, "user assumes", "own Allow s3:* on *; trust Allow account; trust Deny other", "D"),
    (6, "user assumes", "own Allow s3:* on *; trust Allow account,me", "A"),
    (7, "user assumes abroad", "own Allow sts:AssumeRole on *", "D"),
    (8, "user assumes abroad", "own Allow s3:* on *; trust Allow me", "D"),
    (9, "user assumes abroad", "own Allow sts:AssumeRole on *; trust Allow me", "A"),
    (10, "user assumes abroad", "own Allow sts:AssumeRole on *; trust Allow account", "A"),
    (10, "user assumes abroad", "own Allow sts:AssumeRole on *; trust Allow id", "A"),
    // Boundaries.
    (11, "role passes", "own Allow iam:PassRole on *; boundary Allow * on *", "A"),
    (12, "role passes", "own Allow iam:PassRole on *; boundary Allow s3:* on *", "D"),
    (13, "role passes", "own Allow s3:* on *; boundary Allow * on *", "D"),
    (15, "role assumes", "own Allow s3:* on *; boundary Allow s3:* on *; trust Allow me", "D"),
    (15, "role assumes", "own Allow s3:* on *; boundary Allow * on *; trust Allow me", "A"),
    (19, "user assumes abroad", "own Allow sts:* on *; boundary Allow s3:* on *; trust Allow me", "D"),
    (12, "role passes", "own Allow iam:PassRole on *; boundary empty", "D"),
    (16, "role assumes", "own Allow s3:* on *; boundary Allow s3:* on *; trust Allow session", "C trusted if SESSION"),
    (17, "user assumes", "own Allow s3:* on *; trust Allow everyone,me", "A"),
    // Sessions.
    (32, "role assumes", "trust Allow session", "C trusted if SESSION"),
    (32, "role assumes", "own Allow sts:* on *; trust Allow account; trust Deny session", "C unless SESSION"),
    (32, "role assumes abroad", "trust Allow session", "D"),
    (32, "role assumes abroad", "own Allow sts:* on *; trust Allow session", "C trusted if SESSION"),
    (32, "role assumes", "trust Allow session if MFA", "C trusted if MFA, SESSION"),
    // NotPrincipal.
    (25, "role assumes", "own Allow sts:* on *; trust Allow account; trust Deny !me,account", "A"),
    (25, "user assumes", "trust Allow me; trust Deny !me,id", "A"),
    (25, "user assumes", "trust Allow me; trust Deny !other", "D"),
    (25, "user assumes", "trust Allow me; trust Deny !account", "D"),
    (25, "user assumes", "trust Allow me; trust Deny !other if MFA", "C unless MFA"),
    (26, "role assumes", "own Allow sts:* on *; boundary Allow * on *; trust Allow account; trust Deny !me,account", "D"),
    (27, "role assumes", "trust Allow me; trust Deny !me", r#"C unless {"NotPrincipal":{"AWS":["ME"]}}"#),
    (28, "user assumes", "own Allow sts:* on *; trust Allow account; trust Deny", "A"),
    (28, "user assumes", "own Allow sts:* on *; trust Allow; trust Deny account", "D"),
    // Trust policies.
    (57, "user assumes", "own Allow sts:AssumeRole on TARGET; trust Allow account", "A"),
    (57, "role assumes", "own Allow sts:AssumeRole on arn:aws:iam::*:role/*; trust Allow account", "A"),
    (57, "user assumes", "group Allow sts:AssumeRole on *; trust Allow account", "A"),
    (58, "user assumes", "trust Allow account", "D"),
    (59, "user assumes", "trust Allow me", "A"),
    (59, "user assumes", "own Deny sts:* on *; trust Allow me", "D"),
    (59, "user assumes", "boundary Allow s3:* on *; trust Allow me", "C undocumented boundary"),
    (59, "user assumes", "boundary Deny sts:* on *; trust Allow me", "D"),
    (59, "user assumes", "own Allow * on *; boundary Allow sts:* on *; trust Allow me", "A"),
    (60, "user assumes", "own Allow sts:AssumeRole on *; trust Allow other", "D"),
    (61, "role assumes abroad", "own Allow sts:AssumeRole on *; trust Allow account", "A"),
    (61, "role assumes abroad", "trust Allow me", "D"),
    (62, "role assumes itself", "own Allow sts:AssumeRole on *", "D"),
    (62, "role assumes itself", "trust Allow me", "A"),
    (63, "user assumes", "own Allow sts:AssumeRole on *; trust Allow account; trust Deny me", "D"),
    (63, "user assumes", "own Allow sts:AssumeRole on *; trust Allow account; trust Deny me if MFA", "C unless MFA"),
    (63, "user assumes", "own Allow sts:AssumeRole on *; trust Allow account if MFA", "C trusted if MFA"),
    (63, "user assumes abroad", "own Allow sts:AssumeRole on *; trust Allow me if MFA", "C trusted if MFA"),
    (63, "user assumes", r#"own Allow sts:AssumeRole on *; trust Allow account if {"StringEquals": {"aws:username": "me"}}"#, "A"),
    (63, "user assumes", r#"own Allow sts:AssumeRole on *; trust Allow account if {"StringEquals": {"aws:username": "you"}}"#, "D"),
    (63, "user assumes", "own Allow sts:AssumeRole on *; trust Allow account if MFA; trust Deny me if MFA", "D"),
    (63, "role assumes", "own Allow sts:AssumeRole on * if MFA; trust Allow account if MFA; trust Allow me if MFA",
        "C if MFA trusted if MFA or trusted if MFA"),
    (63, "user assumes", "own Allow sts:AssumeRole on * if MFA; trust Allow account", "C if MFA"),
    // Elements.
    (70, "user passes", "own Allow iam:GetRole,iam:PassRole on *", "D"),
    (70, "user passes", "own Allow !iam:GetRole,iam:PassRole on *", "A"),
    (71, "user passes", "own Allow IAM:passrole on *", "A"),
    // Operators. `aws:username` and `aws:SourceArn` are absent for roles.
    (74, "role passes", r#"own Allow * on * if {"StringEquals": {"aws:username": "a"}}"#, "D"),
    (74, "role passes", r#"own Allow * on * if {"StringNotEquals": {"aws:username": "a"}}"#, "A"),
    (74, "role passes", r#"own Allow * on * if {"StringLike": {"aws:username": "*"}}"#, "D"),
    (74, "role passes", r#"own Allow * on * if {"StringNotLike": {"aws:username": "*"}}"#, "A"),
    (74, "role passes", r#"own Allow * on * if {"StringEqualsIfExists": {"aws:username": "a"}}"#, "A"),
    (75, "user passes", r#"own Allow * on * if {"StringEquals": {"aws:username": ["someone", "me"]}}"#, "A"),
    (75, "user passes", r#"own Allow * on * if {"StringNotEquals": {"aws:username": ["someone", "me"]}}"#, "D"),
    (76, "role passes", r#"own Allow * on * if {"ForAllValues:StringEquals": {"aws:username": "a"}}"#, "A"),
    (76, "role passes", r#"own Allow * on * if {"ForAllValues:StringEquals": {"aws:username": "a"}, "Null": {"aws:username": "false"}}"#, "D"),
    (78, "role passes", r#"own Allow * on *; own Deny * on * if {"Bool": {"aws:SourceArn": "false"}}"#, "A"),
    (78, "role passes", r#"own Allow * on *; own Deny * on * if {"BoolIfExists": {"aws:SourceArn": "false"}}"#, "D"),
    (78, "user passes", "own Allow * on *; own Deny * on * if MFA", "C unless MFA"),
    (79, "role passes", r#"own Allow * on * if {"Null": {"aws:username": "true"}}"#, "A"),
    (79, "user passes", r#"own Allow * on * if {"Null": {"aws:username": "true"}}"#, "D"),
    (81, "user passes", r#"own Allow * on * if {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}}"#, "A"),
    (81, "user passes", r#"own Allow * on * if {"StringEquals": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}}"#, "D"),
    (83, "role passes", "own Allow * on arn:aws:iam::*:role/${aws:username, 'target'}", "A"),
    (83, "role passes", "own Allow * on arn:aws:iam::*:role/${aws:username}", "D"),
    (83, "role passes", "own 2008 Allow * on arn:aws:iam::*:role/${aws:username, 'target'}", "D"),
    (83, "role passes", r#"own Allow * on * if {"StringEquals": {"aws:PrincipalType": "${aws:username, 'AssumedRole'}"}}"#, "A"),
    (83, "role passes", r#"own 2008 Allow * on * if {"StringEquals": {"aws:PrincipalType": "${aws:username, 'AssumedRole'}"}}"#, "D"),
    // Open conditions.
    (85, "user passes", r#"own Allow * on *; own Deny * on * if {"Bool": {"aws:SecureTransport": "false"}}"#,
        r#"C unless {"Bool": {"aws:SecureTransport": "false"}}"#),
    (90, "user passes", r#"own Allow * on *; own Deny * on * if {"Null": {"c1": "true"}}; own Deny * on * if {"Null": {"c2": "true"}}"#,
        r#"C unless {"Null": {"c1": "true"}} or {"Null": {"c2": "true"}}"#),
    (90, "user passes", "own Allow * on * if MFA; own Deny * on * if MFA", "D"),
    (90, "user passes", "own Allow * on * if MFA; boundary Allow * on *; boundary Deny iam:* on TARGET if MFA", "D"),
    (91, "user passes", r#"own Allow * on * if {"StringEquals": {"aws:PrincipalType": "User"}}"#, "A"),
    (91, "user reads", "own Allow s3:GetObject on arn:aws:s3:::logs*/a/*", r#"C if {"Resource":["arn:aws:s3:::logs*/a/*"]}"#),
    (91, "user passes", r#"own Allow * on * if {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}"#, "A"),
    (91, "user assumes abroad", r#"own Allow * on *; own Deny * on * if {"StringNotEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}; trust Allow me"#, "D"),
    (91, "user reads", r#"own Allow * on * if {"StringEquals": {"aws:ResourceAccount": "1"}}"#, "D"),
    (91, "user reads", r#"own Allow * on *; own Deny * on * if {"StringNotEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}"#, "A"),
    (91, "user assumes abroad", r#"own Allow * on *; trust Allow account if {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}; member"#, "A"),
    (91, "user assumes abroad", r#"own Allow * on *; trust Allow account if {"StringEquals": {"aws:PrincipalOrgID": "o-2"}}; member"#, "D"),
    (91, "user assumes abroad", r#"own Allow * on *; trust Allow account if {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}"#,
        r#"C trusted if {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}"#),
    (91, "user queries", r#"own Allow * on *; own Deny * on * if {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}"#, "A"),
    (91, "user queries", r#"own Allow * on *; own Deny * on * if {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}"#, "D"),
    (91, "user passes", r#"own Allow * on *; own Deny * on * if {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}"#,
        r#"C unless {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}"#),
    // Policies that cannot be parsed may deny.
    (1, "user passes", "own Allow iam:PassRole on *; group unread", "C unread policy"),
    (1, "user passes", "own Allow iam:PassRole on *; group empty", "A"),
    (11, "role passes", "own Allow iam:PassRole on *; boundary unread", "C unread permissions boundary"),
    (57, "user assumes", "own Allow sts:AssumeRole on *; trust unread account", "C unread trust policy"),
    // Only roles of the same account can be passed.
    (98, "user passes abroad", "own Allow * on *", "D"),
];

#[test]
fn every_vector_is_run_or_excluded() {
    let all: BTreeSet<u32> = NUMBERS.iter().cloned().flatten().collect();
    let run: BTreeSet<u32> = VECTORS.iter().map(|vector| vector.0).collect();
    let excluded: BTreeSet<u32> = EXCLUDED.iter().flat_map(|(numbers, _)| numbers.clone()).collect();
    assert_eq!(run.intersection(&excluded).collect::<Vec<_>>(), Vec::<&u32>::new(), "run and excluded");
    assert_eq!(&run | &excluded, all);
    assert!(EXCLUDED.iter().all(|(_, reason)| !reason.is_empty()));
}

#[tokio::test]
async fn decisions_are_those_that_aws_documents() -> anyhow::Result<()> {
    let world = World::new("RETURN 1").await?;
    let scenes: Vec<Scene> = (1..).zip(VECTORS).map(|(nth, vector)| Scene::new(nth, vector)).collect();
    let scenes = list(scenes.iter().map(Scene::parameters));
    world.store.rows(parameters::query(MAKE, [("scenes", scenes)])).await?;
    world.step("permissions", TAG).await?;
    let question = "MATCH (me:Me)-[edge]->(target:Target) WHERE edge.certainty IS NOT NULL \
        RETURN me.nth AS nth, me.arn AS me, type(edge) AS kind, edge.certainty AS certainty, edge.condition AS condition, \
        edge.has_condition AS conditional";
    let mut found = BTreeMap::new();
    for row in world.neo4j.rows(question).await? {
        assert!(row["certainty"] == "must" || row["conditional"] != json!(false), "{row}");
        assert!(row["certainty"] == "must" || says_why(&row), "{row}");
        found.insert((row["nth"].as_u64(), row["kind"].as_str().unwrap_or_default().to_owned()), outcome(&row));
    }
    let decided = (1..).zip(VECTORS).map(|(nth, vector)| {
        let kind = kind(vector.1).to_owned();
        (vector, found.get(&(Some(nth), kind)).cloned().unwrap_or_else(|| "D".to_owned()))
    });
    let wrong: Vec<_> = decided.filter(|(vector, outcome)| *outcome != vector.3).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

/// Type of the edges that answer the question.
fn kind(question: &str) -> &'static str {
    match question.split(' ').nth(1) {
        Some("passes") => "CAN_PASS_ROLE",
        Some("assumes") => "STS_ASSUMEROLE_ALLOW",
        Some("queries") => "CAN_QUERY",
        _ => "CAN_READ",
    }
}

/// Whether an edge shows its conditions.
fn says_why(edge: &Value) -> bool {
    let condition: Value = serde_json::from_str(edge["condition"].as_str().unwrap_or_default()).expect("JSON");
    let parts = condition.as_object().into_iter().flat_map(|parts| parts.values());
    parts.into_iter().any(|part| part.as_array().is_none_or(|list| !list.is_empty()))
}

/// Formats an edge as an outcome.
fn outcome(edge: &Value) -> String {
    let Some(condition) = edge["condition"].as_str() else { return "A".to_owned() };
    let condition: Value = serde_json::from_str(condition).expect("JSON");
    let me = edge["me"].as_str().unwrap_or_default();
    let session = json!({ "Principal": { "AWS": [session(me)] } }).to_string();
    let texts = |list: &Value| -> Vec<String> {
        let texts = list.as_array().into_iter().flatten().filter_map(Value::as_str);
        let short = |text: &str| text.replace(MFA, "MFA").replace(&session, "SESSION").replace(me, "ME");
        texts.map(|text| short(text.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(text))).collect()
    };
    let part = |word: &str, list: &Value| {
        Some(texts(list)).filter(|it| !it.is_empty()).map(|it| format!("{word} {}", it.join(" or ")))
    };
    let disputed = condition.get("undocumented").map(|_| "undocumented boundary".to_owned());
    let unread = condition["unread"].as_array().map(|kinds| {
        let kinds: Vec<_> = kinds.iter().filter_map(Value::as_str).collect();
        format!("unread {}", kinds.join(", "))
    });
    let parts = [
        part("if", &condition["allow"]),
        part("within", &condition["boundary"]),
        part("trusted if", &condition["trust"]),
        part("or within", &condition["or"]["boundary"]),
        part("or trusted if", &condition["or"]["trust"]),
        part("unless", &condition["deny"]),
        disputed,
        unread,
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("C {}", parts.join(" "))
}
