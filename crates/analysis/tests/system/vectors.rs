//! Decisions that AWS documents, as numbered test vectors: policies in the form in which IAM answers with them, the statements
//! of the graph that come of them, and the edge that is drawn or not.
//!
//! Sources: IAM user guide ("Policy evaluation logic", "Permissions boundaries", "IAM JSON policy elements", "Condition
//! operators", "Variables and tags", "Single-valued and multivalued context keys"), STS API reference (`AssumeRole`), and the
//! public tests of PMapper, parliament, yams and iam-simulate.

use crate::world::{TAG, World};
use graph::parameters::{self, list, map, texts};
use neo4rs::{BoltNull, BoltType};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

/// Numbers of all vectors. Those between them were never given.
const NUMBERS: &[RangeInclusive<u32>] = &[1..=17, 19..=32, 34..=68, 70..=72, 74..=76, 78..=81, 83..=83, 85..=100];

/// Vectors that are not run, with the reason.
const EXCLUDED: &[(RangeInclusive<u32>, &str)] = &[
    (14..=14, "policy of a resource other than a role; of a role it is 59"),
    (16..=17, "a session, and everyone, have no node"),
    (20..=24, "session policy: AWS does not list them"),
    (25..=27, "NotPrincipal: trust policies have none"),
    (28..=28, "a statement without principal is left out by the collector"),
    (29..=31, "anonymous callers and services have no policies of their own"),
    (32..=32, "name of a session"),
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

/// Number, who asks for what, policies, outcome.
///
/// Who: `user` or `role`; `passes` or `assumes` the role TARGET of the same account, `assumes abroad` and `passes abroad`
/// that of another one, `reads` the bucket `logs`. Policies, separated by `; `: `own`, `group` and `boundary` have a statement,
/// `own 2008` one of that version; `boundary none` says nothing; `trust` is what the role says of `me`, `account` or
/// `other` (account): `always`, `if` (under a condition) or `never`. Outcome: `A` allowed, `D` denied, `C` conditional with the
/// condition.
type Vector = (u32, &'static str, &'static str, &'static str);

const MFA: &str = r#"{"Bool": {"aws:MultiFactorAuthPresent": "true"}}"#;

#[rustfmt::skip]
const VECTORS: &[Vector] = &[
    // Identity policies and groups.
    (1, "user passes", "own Allow iam:PassRole on *", "A"),
    (2, "user passes", "own Allow iam:GetRole on *", "D"),
    (3, "user passes", "own Allow iam:PassRole on *; own Deny iam:PassRole on *", "D"),
    (4, "user passes", "group Allow iam:PassRole on *", "A"),
    (4, "user passes", "own Allow iam:PassRole on *; group Deny iam:* on *", "D"),
    // The policy of a resource, here of a role.
    (5, "user assumes", "own Allow s3:* on *; trust me always", "A"),
    (5, "role assumes", "trust me always", "A"),
    (6, "user assumes", "own Allow s3:* on *; trust account always", "D"),
    (7, "user assumes abroad", "own Allow sts:AssumeRole on *", "D"),
    (8, "user assumes abroad", "own Allow s3:* on *; trust me always", "D"),
    (9, "user assumes abroad", "own Allow sts:AssumeRole on *; trust me always", "A"),
    (10, "user assumes abroad", "own Allow sts:AssumeRole on *; trust account always", "A"),
    // Boundaries.
    (11, "role passes", "own Allow iam:PassRole on *; boundary Allow * on *", "A"),
    (12, "role passes", "own Allow iam:PassRole on *; boundary Allow s3:* on *", "D"),
    (13, "role passes", "own Allow s3:* on *; boundary Allow * on *", "D"),
    (15, "role assumes", "own Allow s3:* on *; boundary Allow s3:* on *; trust me always", "D"),
    (15, "role assumes", "own Allow s3:* on *; boundary Allow * on *; trust me always", "A"),
    (19, "user assumes abroad", "own Allow sts:* on *; boundary Allow s3:* on *; trust me always", "D"),
    // Trust policies.
    (57, "user assumes", "own Allow sts:AssumeRole on TARGET; trust account always", "A"),
    (57, "role assumes", "own Allow sts:AssumeRole on arn:aws:iam::*:role/*; trust account always", "A"),
    (57, "user assumes", "group Allow sts:AssumeRole on *; trust account always", "A"),
    (58, "user assumes", "trust account always", "D"),
    (59, "user assumes", "trust me always", "A"),
    (59, "user assumes", "own Deny sts:* on *; trust me always", "D"),
    (59, "user assumes", "boundary Allow s3:* on *; trust me always", "C undocumented boundary"),
    (59, "user assumes", "boundary Deny sts:* on *; trust me always", "D"),
    (59, "user assumes", "own Allow * on *; boundary Allow sts:* on *; trust me always", "A"),
    (60, "user assumes", "own Allow sts:AssumeRole on *; trust other always", "D"),
    (61, "role assumes abroad", "own Allow sts:AssumeRole on *; trust account always", "A"),
    (61, "role assumes abroad", "trust me always", "D"),
    (62, "role assumes itself", "own Allow sts:AssumeRole on *", "D"),
    (62, "role assumes itself", "trust me always", "A"),
    (63, "user assumes", "own Allow sts:AssumeRole on *; trust account always; trust me never", "D"),
    (63, "user assumes", "own Allow sts:AssumeRole on *; trust account always; trust me if", "C trust"),
    (63, "user assumes", "own Allow sts:AssumeRole on *; trust account if", "C trust"),
    (63, "user assumes", "own Allow sts:AssumeRole on * if MFA; trust account always", "C if MFA"),
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
    // What stays open.
    (85, "user passes", r#"own Allow * on *; own Deny * on * if {"Bool": {"aws:SecureTransport": "false"}}"#,
        r#"C unless {"Bool": {"aws:SecureTransport": "false"}}"#),
    (90, "user passes", r#"own Allow * on *; own Deny * on * if {"Null": {"c1": "true"}}; own Deny * on * if {"Null": {"c2": "true"}}"#,
        r#"C unless {"Null": {"c1": "true"}} or {"Null": {"c2": "true"}}"#),
    (90, "user passes", "own Allow * on * if MFA; own Deny * on * if MFA", "D"),
    (90, "user passes", "own Allow * on * if MFA; boundary Allow * on *; boundary Deny iam:* on TARGET if MFA", "D"),
    (91, "user passes", r#"own Allow * on * if {"StringEquals": {"aws:PrincipalType": "User"}}"#, "A"),
    (91, "user reads", "own Allow s3:GetObject on arn:aws:s3:::logs/a/*", r#"C if {"Resource":["arn:aws:s3:::logs/a/*"]}"#),
    // Only roles of one's own account are passed.
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
        RETURN me.nth AS nth, type(edge) AS kind, edge.certainty AS certainty, edge.condition AS condition, \
        edge.has_condition AS conditional";
    let mut found = BTreeMap::new();
    for row in world.neo4j.rows(question).await? {
        assert!(row["certainty"] == "must" || row["conditional"] != json!(false), "{row}");
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

/// Edges of this type answer the question.
fn kind(question: &str) -> &'static str {
    match question.split(' ').nth(1) {
        Some("passes") => "CAN_PASS_ROLE",
        Some("assumes") => "STS_ASSUMEROLE_ALLOW",
        _ => "CAN_READ",
    }
}

/// An edge as an outcome.
fn outcome(edge: &Value) -> String {
    let Some(condition) = edge["condition"].as_str() else { return "A".to_owned() };
    let condition: Value = serde_json::from_str(condition).expect("JSON");
    let texts = |name: &str| -> Vec<String> {
        let texts = condition[name].as_array().into_iter().flatten().filter_map(Value::as_str);
        texts.map(|text| text.trim_start_matches('[').trim_end_matches(']').replace(MFA, "MFA")).collect()
    };
    let part = |word: &str, name: &str| {
        Some(texts(name)).filter(|it| !it.is_empty()).map(|it| format!("{word} {}", it.join(" or ")))
    };
    let disputed = condition.get("undocumented").map(|_| "undocumented boundary".to_owned());
    let parts = [part("if", "allow"), part("within", "boundary"), part("unless", "deny"), disputed];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "C trust".to_owned() } else { format!("C {}", parts.join(" ")) }
}

/// One vector in an AWS account of its own.
struct Scene {
    nth: i64,
    /// `User` or `Role`.
    kind: &'static str,
    me: String,
    target: String,
    own: Vec<Value>,
    group: Vec<Value>,
    boundary: Vec<Value>,
    /// Whom the role names, and how.
    trust: Vec<(String, &'static str)>,
}

impl Scene {
    fn new(nth: i64, vector: &Vector) -> Self {
        let (_, question, policies, _) = *vector;
        let is_user = question.starts_with("user");
        let account = format!("{nth:012}");
        let owner = if question.ends_with("abroad") { format!("9{nth:011}") } else { account.clone() };
        let me = format!("arn:aws:iam::{account}:{}/me", if is_user { "user" } else { "role" });
        let target = match question {
            _ if question.ends_with("itself") => me.clone(),
            _ if question.ends_with("reads") => "arn:aws:s3:::logs".to_owned(),
            _ => format!("arn:aws:iam::{owner}:role/target"),
        };
        let kind = if is_user { "AWSUser" } else { "AWSRole" };
        let mut scene = Self { nth, kind, me, target, own: vec![], group: vec![], boundary: vec![], trust: vec![] };
        policies.split("; ").for_each(|part| scene.add(&account, part));
        scene
    }

    fn add(&mut self, account: &str, part: &str) {
        let (holder, says) = part.split_once(' ').expect("a holder");
        if holder == "trust" {
            let (whom, how) = says.split_once(' ').expect("whom, and how");
            let whom = match whom {
                "me" => self.me.clone(),
                "account" => format!("arn:aws:iam::{account}:root"),
                _ => format!("arn:aws:iam::8{}:root", &account[1..]),
            };
            let how = ["always", "if", "never"].into_iter().find(|it| *it == how).expect("how");
            return self.trust.push((whom, how));
        }
        let document = document(&says.replace("TARGET", &self.target));
        match holder {
            "own" => self.own.extend(stored(&document)),
            "group" => self.group.extend(stored(&document)),
            "boundary" => self.boundary.extend(stored(&document)),
            _ => panic!("{holder}"),
        }
    }
}

impl Scene {
    fn parameters(&self) -> BoltType {
        let is_bucket = self.target.contains(":s3:");
        let labels: &[&str] = if is_bucket { &["AWSS3Bucket"] } else { &["AWSRole", "AWSPrincipal"] };
        let trust = self.trust.iter().map(|(whom, how)| {
            let is_root = whom.ends_with(":root");
            let labels: &[&str] = if is_root { &["AWSRootPrincipal", "AWSPrincipal"] } else { &[] };
            let mark = |is: bool| if is { true.into() } else { null() };
            map([
                ("whom", whom.as_str().into()),
                ("accounts", texts(whom.split(':').nth(4).filter(|_| is_root))),
                ("labels", texts(labels)),
                ("denied", mark(*how == "never")),
                ("conditional", mark(*how != "always")),
            ])
        });
        let account = self.me.split(':').nth(4).unwrap_or_default();
        let owner = self.target.split(':').nth(4).filter(|owner| !owner.is_empty()).unwrap_or(account);
        let statements = |of: &[Value], holder: &str| {
            let statement = |(nth, statement): (i64, &Value)| {
                let id = format!("{}/{holder}/{nth}", self.me);
                let values =
                    statement.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), bolt(value)));
                map(values.chain([("id", id.as_str().into())]))
            };
            list((1..).zip(of).map(statement))
        };
        map([
            ("nth", self.nth.into()),
            ("me", self.me.as_str().into()),
            ("account", account.into()),
            ("labels", texts([self.kind, "AWSPrincipal"])),
            ("target", self.target.as_str().into()),
            ("owner", owner.into()),
            ("target_labels", texts(labels)),
            ("own", statements(&self.own, "own")),
            ("group", statements(&self.group, "group")),
            ("boundary", statements(&self.boundary, "boundary")),
            ("trust", list(trust)),
        ])
    }
}

const MAKE: &str = "UNWIND $scenes AS scene \
    MERGE (account:AWSAccount {id: scene.account}) MERGE (owner:AWSAccount {id: scene.owner}) \
    MERGE (me:Thing {arn: scene.me}) SET me.id = scene.me, me.nth = scene.nth, me:Me:$(scene.labels) \
    MERGE (target:Thing {arn: scene.target}) SET target.id = scene.target, target:Target:$(scene.target_labels) \
    MERGE (account)-[:RESOURCE]->(me) MERGE (owner)-[:RESOURCE]->(target) \
    FOREACH (statement IN scene.own | \
        MERGE (own:AWSPolicy {id: scene.me + '/own'}) MERGE (me)-[:POLICY]->(own) \
        CREATE (own)-[:STATEMENT]->(says:AWSPolicyStatement) SET says = statement) \
    FOREACH (statement IN scene.group | \
        MERGE (group:Thing {arn: 'arn:aws:iam::' + scene.account + ':group/g'}) SET group:AWSGroup:AWSPrincipal \
        MERGE (account)-[:RESOURCE]->(group) MERGE (me)-[:MEMBER_AWS_GROUP]->(group) \
        MERGE (policy:AWSPolicy {id: scene.me + '/group'}) MERGE (group)-[:POLICY]->(policy) \
        CREATE (policy)-[:STATEMENT]->(says:AWSPolicyStatement) SET says = statement) \
    FOREACH (statement IN scene.boundary | \
        MERGE (boundary:AWSPolicy {id: scene.me + '/boundary'}) SET me._groma_boundary = boundary.id \
        CREATE (boundary)-[:STATEMENT]->(says:AWSPolicyStatement) SET says = statement) \
    FOREACH (said IN scene.trust | \
        MERGE (whom:Thing {arn: said.whom}) SET whom:$(said.labels) \
        FOREACH (id IN said.accounts | MERGE (its:AWSAccount {id: id}) MERGE (its)-[:RESOURCE]->(whom)) \
        MERGE (target)-[trust:TRUSTS_AWS_PRINCIPAL]->(whom) \
        SET trust._groma_denied = said.denied, trust._groma_conditional = said.conditional) \
    RETURN count(*) AS made";

/// `2008 Allow ACTION on RESOURCE if CONDITION` as IAM answers; `!` negates the action.
fn document(says: &str) -> Value {
    let (version, says) = says.strip_prefix("2008 ").map_or(("2012-10-17", says), |rest| ("2008-10-17", rest));
    let (head, condition) = says.split_once(" if ").map_or((says, None), |(head, condition)| (head, Some(condition)));
    let (what, resource) = head.split_once(" on ").expect("on");
    let (effect, action) = what.split_once(' ').expect("effect and action");
    let mut statement = json!({ "Effect": effect, "Resource": resource });
    match action.strip_prefix('!') {
        Some(action) => statement["NotAction"] = json!([action]),
        None => statement["Action"] = action.into(),
    }
    if let Some(condition) = condition {
        let condition = if condition == "MFA" { MFA } else { condition };
        statement["Condition"] = serde_json::from_str(condition).expect("a condition in JSON");
    }
    json!({ "Version": version, "Statement": [statement] })
}

/// The statements of a document as the graph has them.
fn stored(document: &Value) -> Vec<Value> {
    let statements = document["Statement"].as_array().expect("statements");
    let statement = |statement: &Value| {
        let mut stored = json!({ "_groma_version": document["Version"], "effect": statement["Effect"] });
        for (element, property) in
            [("Action", "action"), ("NotAction", "notaction"), ("Resource", "resource"), ("NotResource", "notresource")]
        {
            match &statement[element] {
                Value::Null => {}
                many @ Value::Array(_) => stored[property] = many.clone(),
                one => stored[property] = json!([one]),
            }
        }
        if let condition @ Value::Object(_) = &statement["Condition"] {
            stored["condition"] = spaced(&format!("[{condition}]")).into();
        }
        stored
    };
    statements.iter().map(statement).collect()
}

/// JSON with spaces between its parts, as the graph has it; no text of these tests has a quote before a colon or comma.
fn spaced(json: &str) -> String {
    json.replace("\":", "\": ").replace("\",\"", "\", \"").replace("},\"", "}, \"")
}

fn bolt(value: &Value) -> BoltType {
    match value {
        Value::Array(items) => texts(items.iter().filter_map(Value::as_str)),
        Value::String(text) => text.as_str().into(),
        _ => null(),
    }
}

fn null() -> BoltType {
    BoltType::Null(BoltNull)
}
