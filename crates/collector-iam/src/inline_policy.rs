//! Policies embedded in a user, group or role, from `GetAccountAuthorizationDetails` -> `(:AWSInlinePolicy)`.

use crate::managed_policy::count;
use aws_sdk_iam::types::PolicyDetail;
use collector::{Edge, Node, Target, Value, indexed, prop};

/// Label of inline policies.
pub(crate) const LABEL: &str = "AWSInlinePolicy";

/// An inline policy. Its name is unique only within its principal.
#[derive(Debug, Clone)]
pub(crate) struct InlinePolicy {
    /// Node id: `<principal's ARN>/inline_policy/<name>`.
    pub(crate) id: String,
    /// Name of the policy.
    pub(crate) name: String,
    /// Number of statements; `None` if the document cannot be read.
    pub(crate) statements: Option<usize>,
}

impl InlinePolicy {
    /// An inline policy whose document was not read yet.
    pub(crate) fn new(principal_arn: &str, name: &str) -> Self {
        Self { id: format!("{principal_arn}/inline_policy/{name}"), name: name.to_owned(), statements: None }
    }
}

/// Inline policies.
pub(crate) static INLINE_POLICY: Node<InlinePolicy> = Node {
    extra_labels: &["AWSPolicy"],
    id: |it, _| it.id.clone(),
    props: &[
        prop("name", |it, _| (&it.name).into()),
        prop("type", |_, _| "inline".into()),
        // Always null. The property is indexed for managed policies, which share the label AWSPolicy.
        indexed("arn", |_, _| Value::Null),
        prop("_groma_statements", |it, _| count(it.statements)),
    ],
    edges: &[Edge::account()],
    ..Node::of(LABEL)
};

/// Targets of a principal's POLICY edges.
pub(crate) fn targets(principal_arn: Option<&str>, policies: &[PolicyDetail]) -> Vec<Target> {
    let Some(arn) = principal_arn else { return Vec::new() };
    policies.iter().filter_map(|it| it.policy_name()).map(|name| InlinePolicy::new(arn, name).id.into()).collect()
}

#[cfg(test)]
mod tests {
    use super::{INLINE_POLICY, InlinePolicy};
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_policy_leaves_only_the_arn_null() {
        let policy = InlinePolicy::new("arn:aws:iam::111111111111:user/alice", "second inline");
        let policy = InlinePolicy { statements: Some(0), ..policy };
        expect![[r#"
            (:AWSInlinePolicy:AWSPolicy {id: "arn:aws:iam::111111111111:user/alice/inline_policy/second inline"})
              name = "second inline"
              type = "inline"
              arn (indexed) = null
              _groma_statements = 0
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&INLINE_POLICY, &policy, &["arn"]));
    }
}
