//! A vector as a graph: policies in IAM's form, and the resulting statements.

use super::Vector;
use graph::parameters::{list, map, texts};
use neo4rs::{BoltNull, BoltType};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const MFA: &str = r#"{"Bool": {"aws:MultiFactorAuthPresent": "true"}}"#;

/// A session of a role.
pub(super) fn session(role: &str) -> String {
    let account = role.split(':').nth(4).unwrap_or_default();
    format!("arn:aws:sts::{account}:assumed-role/me/s1")
}

/// One vector in its own AWS account.
pub(super) struct Scene {
    nth: i64,
    /// `User` or `Role`.
    kind: &'static str,
    me: String,
    target: String,
    /// Policies by holder; `None` for those that cannot be parsed.
    policies: BTreeMap<&'static str, Option<Vec<Value>>>,
    /// Statements of the role's trust policy. `None` if the graph does not have it.
    trust: Option<Vec<Value>>,
    /// Principals that the role names.
    named: BTreeSet<String>,
    is_member: bool,
}

impl Scene {
    pub(super) fn new(nth: i64, vector: &Vector) -> Self {
        let (_, question, policies, _) = *vector;
        let is_user = question.starts_with("user");
        let account = format!("{nth:012}");
        let owner = if question.ends_with("abroad") { format!("9{nth:011}") } else { account.clone() };
        let me = format!("arn:aws:iam::{account}:{}/me", if is_user { "user" } else { "role" });
        let target = match question {
            _ if question.ends_with("itself") => me.clone(),
            _ if question.ends_with("reads") => format!("arn:aws:s3:::logs-{nth}"),
            _ if question.ends_with("queries") => format!("arn:aws:dynamodb:eu-west-1:{account}:table/t"),
            _ => format!("arn:aws:iam::{owner}:role/target"),
        };
        let kind = if is_user { "AWSUser" } else { "AWSRole" };
        let (trust, named, is_member) = (Some(vec![]), BTreeSet::new(), false);
        let mut scene = Self { nth, kind, me, target, policies: BTreeMap::new(), trust, named, is_member };
        policies.split("; ").for_each(|part| scene.add(&account, part));
        scene
    }

    fn add(&mut self, account: &str, part: &str) {
        if part == "member" {
            self.is_member = true;
            return;
        }
        let (holder, says) = part.split_once(' ').expect("a holder");
        if holder == "trust" {
            return self.trust(account, says);
        }
        let holder = ["own", "group", "boundary"].into_iter().find(|it| *it == holder).expect("a holder");
        let statements = self.policies.entry(holder).or_insert_with(|| Some(Vec::new()));
        match (says, statements) {
            ("unread", statements) => *statements = None,
            ("empty", _) => {}
            (says, Some(statements)) => statements.extend(stored(&document(&says.replace("TARGET", &self.target)))),
            (_, None) => panic!("{part}"),
        }
    }

    /// Parses `Allow WHOM,WHOM if CONDITION`.
    fn trust(&mut self, account: &str, says: &str) {
        let (head, condition) = says.split_once(" if ").map_or((says, None), |(head, it)| (head, Some(it)));
        let (effect, whom) = head.split_once(' ').unwrap_or((head, ""));
        let (key, whom) = whom.strip_prefix('!').map_or(("principal", whom), |whom| ("notprincipal", whom));
        let principal = |whom: &str| match whom {
            "me" => self.me.clone(),
            "session" => session(&self.me),
            "account" => format!("arn:aws:iam::{account}:root"),
            "id" => account.to_owned(),
            "everyone" => "*".to_owned(),
            _ => format!("arn:aws:iam::8{}:root", &account[1..]),
        };
        let whom: Vec<String> = whom.split(',').filter(|it| !it.is_empty()).map(principal).collect();
        if key == "principal" {
            self.named.extend(whom.iter().cloned());
        }
        if effect == "unread" {
            self.trust = None;
            return;
        }
        let condition = condition.map(|it| if it == "MFA" { MFA } else { it }).map(|it| format!("[{it}]"));
        let mut statement = json!({
            "version": "2012-10-17",
            "effect": effect,
            "action": ["sts:AssumeRole"],
            "condition": condition,
            "principal": [],
        });
        statement[key] = whom.iter().map(|it| json!(["AWS", it])).collect();
        self.trust.get_or_insert_default().push(statement);
    }

    pub(super) fn parameters(&self) -> BoltType {
        let labels: &[&str] = match self.target.split(':').nth(2) {
            Some("s3") => &["AWSS3Bucket"],
            Some("dynamodb") => &["AWSDynamoDBTable"],
            _ => &["AWSRole", "AWSPrincipal"],
        };
        let account = self.me.split(':').nth(4).unwrap_or_default();
        let owner = self.target.split(':').nth(4).filter(|owner| !owner.is_empty()).unwrap_or(account);
        let (nodes, unlinked) =
            self.named.iter().partition::<Vec<_>, _>(|it| it.starts_with("arn:") && !it.contains(":sts:"));
        let named = nodes.into_iter().map(|whom| {
            let is_root = whom.ends_with(":root");
            let labels: &[&str] = if is_root { &["AWSRootPrincipal", "AWSPrincipal"] } else { &[] };
            map([
                ("whom", whom.as_str().into()),
                ("accounts", texts(whom.split(':').nth(4).filter(|_| is_root))),
                ("labels", texts(labels)),
            ])
        });
        let policies = self.policies.iter().map(|(holder, statements)| {
            let id = format!("{}/{holder}", self.me);
            let count = statements.as_ref().and_then(|it| i64::try_from(it.len()).ok());
            map([
                ("holder", (*holder).into()),
                ("count", count.map_or_else(null, Into::into)),
                ("statements", list((1..).zip(statements.iter().flatten()).map(|(nth, it)| row(&id, nth, it)))),
                ("id", id.as_str().into()),
            ])
        });
        map([
            ("nth", self.nth.into()),
            ("me", self.me.as_str().into()),
            ("account", account.into()),
            ("labels", texts([self.kind, "AWSPrincipal"])),
            ("target", self.target.as_str().into()),
            ("owner", owner.into()),
            ("target_labels", texts(labels)),
            ("policies", list(policies)),
            ("trust", self.trust.as_ref().map_or_else(null, |it| json!(it).to_string().into())),
            ("named", list(named)),
            ("unlinked", texts(if unlinked.is_empty() { None } else { Some(account) })),
            ("organizations", texts(self.is_member.then_some("o-1"))),
        ])
    }
}

fn row(policy: &str, nth: i64, statement: &Value) -> BoltType {
    let id = format!("{policy}/{nth}");
    let values = statement.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), bolt(value)));
    map(values.chain([("id", id.as_str().into())]))
}

/// Cypher that creates the scenes.
pub(super) const MAKE: &str = "UNWIND $scenes AS scene \
    MERGE (account:AWSAccount {id: scene.account}) MERGE (owner:AWSAccount {id: scene.owner}) \
    MERGE (me:Thing {arn: scene.me}) SET me.id = scene.me, me.nth = scene.nth, me:Me:$(scene.labels) \
    MERGE (target:Thing {arn: scene.target}) SET target.id = scene.target, target:Target:$(scene.target_labels), \
        target._groma_trust = scene.trust \
    MERGE (account)-[:RESOURCE]->(me) MERGE (owner)-[:RESOURCE]->(target) \
    FOREACH (policy IN scene.policies | \
        CREATE (held:AWSPolicy {id: policy.id}) SET held._groma_statements = policy.count \
        FOREACH (_ IN CASE policy.holder WHEN 'own' THEN [1] ELSE [] END | CREATE (me)-[:POLICY]->(held)) \
        FOREACH (_ IN CASE policy.holder WHEN 'boundary' THEN [1] ELSE [] END | SET me._groma_boundary = policy.id) \
        FOREACH (_ IN CASE policy.holder WHEN 'group' THEN [1] ELSE [] END | \
            CREATE (group:AWSGroup:AWSPrincipal {arn: 'arn:aws:iam::' + scene.account + ':group/g'}) \
            CREATE (account)-[:RESOURCE]->(group), (me)-[:MEMBER_AWS_GROUP]->(group), (group)-[:POLICY]->(held)) \
        FOREACH (statement IN policy.statements | \
            CREATE (held)-[:STATEMENT]->(says:AWSPolicyStatement) SET says = statement)) \
    FOREACH (said IN scene.named | \
        MERGE (whom:Thing {arn: said.whom}) SET whom:$(said.labels) \
        FOREACH (id IN said.accounts | MERGE (its:AWSAccount {id: id}) MERGE (its)-[:RESOURCE]->(whom)) \
        MERGE (target)-[:TRUSTS_AWS_PRINCIPAL]->(whom)) \
    FOREACH (id IN scene.unlinked | MERGE (its:AWSAccount {id: id}) MERGE (target)-[:_module_TRUSTS]->(its)) \
    FOREACH (id IN scene.organizations | \
        MERGE (organization:AWSOrganization {id: id}) MERGE (organization)-[:_module_MEMBER]->(account)) \
    RETURN count(*) AS made";

/// Converts `2008 Allow ACTION on RESOURCE if CONDITION` to IAM's form; `!` negates the action.
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

/// The statements of a document as in the graph.
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

/// JSON with spaces as in the graph. No text of these tests has a quote before a colon or comma.
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
