//! Statements of bucket policies -> `(:AWSS3Bucket)-[:POLICY_STATEMENT]->(:AWSS3PolicyStatement)`.

use crate::policy::Policy;
use collector::{Edge, Json, Node, Value, one, prop};

/// A statement with its bucket and its policy.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    bucket: String,
    /// Position in the policy, from 1.
    position: usize,
    policy_id: Option<String>,
    policy_version: Option<String>,
    says: Json,
}

impl Statement {
    fn node_id(&self) -> String {
        let Self { bucket, position, .. } = self;
        let sid = self.text("Sid").map(|sid| format!("/{sid}")).unwrap_or_default();
        format!("{bucket}/policy_statement/{position}{sid}")
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.says.get(key)?.as_str()
    }

    /// A text or a list of texts, as the policy has it.
    fn texts(&self, key: &str) -> Value {
        match self.says.get(key) {
            Some(Json::List(items)) => items.iter().map(plain).collect::<Vec<_>>().into(),
            single => single.map(plain).into(),
        }
    }

    /// Part of the statement as JSON text.
    fn json(&self, key: &str) -> Value {
        self.says.get(key).map(Json::to_string).into()
    }
}

/// The text of a string; JSON text of everything else.
fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Statements. As in Cartography, they do not have `NotPrincipal`, `NotAction` and `NotResource`.
pub(crate) static STATEMENT: Node<Statement> = Node {
    extra_labels: &["S3PolicyStatement"],
    id: |it, _| it.node_id(),
    props: &[
        prop("policy_id", |it, _| it.policy_id.as_ref().into()),
        prop("policy_version", |it, _| it.policy_version.as_ref().into()),
        prop("bucket", |it, _| (&it.bucket).into()),
        prop("sid", |it, _| it.text("Sid").into()),
        prop("effect", |it, _| it.text("Effect").into()),
        prop("action", |it, _| it.texts("Action")),
        prop("resource", |it, _| it.texts("Resource")),
        prop("principal", |it, _| it.json("Principal")),
        prop("condition", |it, _| it.json("Condition")),
    ],
    edges: &[Edge::account(), Edge::incoming("POLICY_STATEMENT", "AWSS3Bucket", "id", |it, _| one(Some(&it.bucket)))],
    ..Node::of("AWSS3PolicyStatement")
};

/// Statements of a bucket's policy.
pub(crate) fn statements(bucket: &str, policy: &Policy) -> Vec<Statement> {
    let statement = |(index, says): (usize, &Json)| Statement {
        bucket: bucket.to_owned(),
        position: index + 1,
        policy_id: policy.id.clone(),
        policy_version: policy.version.clone(),
        says: says.clone(),
    };
    policy.statements.iter().enumerate().map(statement).collect()
}

#[cfg(test)]
mod tests {
    use super::{STATEMENT, statements};
    use crate::policy::parse;
    use collector::testing::render;
    use expect_test::expect;

    fn rendered(statement: &str, null_allowed: &[&str]) -> String {
        let document = format!(r#"{{"Version": "2012-10-17", "Id": "p", "Statement": {statement}}}"#);
        let statements = statements("logs", &parse(&document).expect("a policy"));
        statements.iter().map(|statement| render(&STATEMENT, statement, null_allowed)).collect()
    }

    #[test]
    fn a_full_statement_leaves_nothing_null() {
        let full = r#"{"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*",
            "Principal": {"AWS": "111111111111"}, "Condition": {"StringLike": {"aws:Referer": ["büro", "a"]}}}"#;
        expect![[r#"
            (:AWSS3PolicyStatement:S3PolicyStatement {id: "logs/policy_statement/1/Read"})
              policy_id = "p"
              policy_version = "2012-10-17"
              bucket = "logs"
              sid = "Read"
              effect = "Allow"
              action = ["s3:GetObject", "s3:ListBucket"]
              resource = "*"
              principal = "{\"AWS\": \"111111111111\"}"
              condition = "{\"StringLike\": {\"aws:Referer\": [\"b\\u00fcro\", \"a\"]}}"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              <-[:POLICY_STATEMENT]-(:AWSS3Bucket {id: "logs"})
        "#]]
        .assert_eq(&rendered(full, &[]));
    }

    #[test]
    fn statements_are_counted() {
        let all = ["policy_id", "sid", "effect", "action", "resource", "principal", "condition"];
        let rendered = rendered(r#"[{"Principal": "*"}, {"Sid": "", "NotAction": "s3:*"}, {"Action": []}]"#, &all);
        let kept = ["(:AWSS3P", "  action", "  principal"];
        let lines: Vec<_> = rendered.lines().filter(|line| kept.iter().any(|start| line.starts_with(start))).collect();
        expect![[r#"
            (:AWSS3PolicyStatement:S3PolicyStatement {id: "logs/policy_statement/1"})
              action = null
              principal = "\"*\""
            (:AWSS3PolicyStatement:S3PolicyStatement {id: "logs/policy_statement/2/"})
              action = null
              principal = null
            (:AWSS3PolicyStatement:S3PolicyStatement {id: "logs/policy_statement/3"})
              action = []
              principal = null"#]]
        .assert_eq(&lines.join("\n"));
    }
}
