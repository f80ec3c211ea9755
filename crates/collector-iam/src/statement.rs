//! Statements of policies -> `(:AWSPolicy)-[:STATEMENT]->(:AWSPolicyStatement)`.

use crate::{
    managed_policy::is_of_aws,
    policy_document::{self, Statement},
};
use collector::{CollectError, Edge, Node, one, prop};
use std::collections::HashMap;

/// A statement of a policy.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PolicyStatement {
    /// Node id, unique within the policy: `<policy's id>/statement/<Sid>`, with the numbers 1, 2, … for statements
    /// without a Sid.
    pub(crate) id: String,
    /// Id of its policy.
    pub(crate) policy_id: String,
    /// Content of the statement.
    pub(crate) says: Statement,
}

/// Statements of managed and inline policies.
pub(crate) static STATEMENT: Node<PolicyStatement> = Node {
    shared: |it| is_of_aws(&it.policy_id),
    id: |it, _| it.id.clone(),
    props: &[
        prop("effect", |it, _| it.says.effect.clone().into()),
        prop("action", |it, _| it.says.action.clone().into()),
        prop("notaction", |it, _| it.says.not_action.clone().into()),
        prop("resource", |it, _| it.says.resource.clone().into()),
        prop("notresource", |it, _| it.says.not_resource.clone().into()),
        prop("condition", |it, _| it.says.condition.clone().into()),
        prop("sid", |it, _| it.says.sid.clone().into()),
        prop("_groma_version", |it, _| it.says.version.clone().into()),
    ],
    edges: &[Edge::incoming("STATEMENT", "AWSPolicy", "id", |it, _| one(Some(&it.policy_id)))],
    ..Node::of("AWSPolicyStatement")
};

/// Parses the statements of a policy's document.
///
/// # Errors
/// Fails if the text is not a policy document.
pub(crate) fn read(policy_id: &str, document: &str) -> Result<Vec<PolicyStatement>, CollectError> {
    let statements = policy_document::parse(document).map_err(|error| unreadable(&error))?;
    Ok(identified(policy_id, statements))
}

/// Error for a policy or role whose document cannot be parsed.
pub(crate) fn unreadable(error: &policy_document::DocumentError) -> CollectError {
    let cause = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    CollectError::internal(format!("{error}{cause}"))
}

/// Assigns an id to each statement. A `Sid` that looks like a number can give two statements the same id. The last one
/// keeps it, as in a graph to which each is written in turn. Earlier ones get `<id>#1`, `<id>#2`, … A Sid has no `#`.
fn identified(policy_id: &str, statements: Vec<Statement>) -> Vec<PolicyStatement> {
    let mut unnamed = 0;
    let mut all: Vec<PolicyStatement> = Vec::with_capacity(statements.len());
    for says in statements {
        let name = match says.sid.as_deref() {
            Some(sid) if !sid.is_empty() => sid.to_owned(),
            _ => {
                unnamed += 1;
                unnamed.to_string()
            }
        };
        all.push(PolicyStatement {
            id: format!("{policy_id}/statement/{name}"),
            policy_id: policy_id.to_owned(),
            says,
        });
    }
    let mut left = HashMap::<String, usize>::new();
    for statement in &all {
        *left.entry(statement.id.clone()).or_default() += 1;
    }
    let mut before = HashMap::<String, usize>::new();
    for statement in &mut all {
        let earlier = before.entry(statement.id.clone()).or_default();
        *earlier += 1;
        if *earlier < left.get(&statement.id).copied().unwrap_or_default() {
            statement.id = format!("{}#{earlier}", statement.id);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{PolicyStatement, STATEMENT, Statement, identified};
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_statement_leaves_nothing_null() {
        let some = |text: &str| Some(vec![text.to_owned()]);
        let says = Statement {
            version: "2012-10-17".into(),
            sid: Some("Read".into()),
            effect: Some("Allow".into()),
            action: some("s3:Get*"),
            not_action: some("s3:GetBucketPolicy"),
            resource: some("arn:aws:s3:::a/*"),
            not_resource: some("arn:aws:s3:::b/*"),
            condition: Some(r#"[{"Bool": {"aws:SecureTransport": "true"}}]"#.into()),
            principals: Vec::new(),
            not_principals: None,
        };
        let policy_id = "arn:aws:iam::111111111111:policy/forms".to_owned();
        let statement = PolicyStatement { id: format!("{policy_id}/statement/Read"), policy_id, says };
        expect![[r#"
            (:AWSPolicyStatement {id: "arn:aws:iam::111111111111:policy/forms/statement/Read"})
              effect = "Allow"
              action = ["s3:Get*"]
              notaction = ["s3:GetBucketPolicy"]
              resource = ["arn:aws:s3:::a/*"]
              notresource = ["arn:aws:s3:::b/*"]
              condition = "[{\"Bool\": {\"aws:SecureTransport\": \"true\"}}]"
              sid = "Read"
              _groma_version = "2012-10-17"
              <-[:STATEMENT]-(:AWSPolicy {id: "arn:aws:iam::111111111111:policy/forms"})
        "#]]
        .assert_eq(&render(&STATEMENT, &statement, &[]));
    }

    /// A pairwise comparison of statements would take minutes.
    #[test]
    fn a_hundred_thousand_statements_are_identified() {
        let statements = |sid: Option<String>| vec![Statement { sid, ..Statement::default() }; 100_000];
        assert_eq!(identified("p", statements(None)).len(), 100_000);
        assert_eq!(identified("p", statements(Some("same".into()))).len(), 100_000);
    }

    #[test]
    fn statements_are_named_by_sid_or_counted() {
        let ids = |sids: &[Option<&str>]| -> Vec<String> {
            let of = |sid: Option<&str>| Statement { sid: sid.map(str::to_owned), ..Statement::default() };
            identified("p", sids.iter().copied().map(of).collect()).into_iter().map(|statement| statement.id).collect()
        };
        assert_eq!(
            ids(&[None, Some("Read"), Some(""), None]),
            ["p/statement/1", "p/statement/Read", "p/statement/2", "p/statement/3"]
        );
        assert_eq!(ids(&[Some("1"), Some("x"), None]), ["p/statement/1#1", "p/statement/x", "p/statement/1"]);
        assert_eq!(ids(&[Some("1"), Some("1"), None]), ["p/statement/1#1", "p/statement/1#2", "p/statement/1"]);
    }
}
