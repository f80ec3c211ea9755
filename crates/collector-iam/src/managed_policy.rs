//! Managed policies that are attached to a principal or used as a boundary, from `GetAccountAuthorizationDetails` ->
//! `(:AWSManagedPolicy)`.

use crate::principals::name;
use aws_sdk_iam::types::{AttachedPermissionsBoundary, AttachedPolicy, ManagedPolicyDetail};
use collector::{Node, Target, Value, indexed, prop};

/// Label of managed policies.
pub(crate) const LABEL: &str = "AWSManagedPolicy";

/// A managed policy. Apart from its statements, the graph only has properties from its ARN.
#[derive(Debug, Clone)]
pub(crate) struct ManagedPolicy {
    /// ARN of the policy.
    pub(crate) arn: String,
    /// Number of statements; `None` if the document cannot be read.
    pub(crate) statements: Option<usize>,
}

/// Managed policies. Those of AWS belong to no account.
pub(crate) static MANAGED_POLICY: Node<ManagedPolicy> = Node {
    extra_labels: &["AWSPolicy"],
    shared: |it| is_of_aws(&it.arn),
    id: |it, _| it.arn.clone(),
    props: &[
        prop("name", |it, _| name(&it.arn).into()),
        prop("type", |_, _| "managed".into()),
        indexed("arn", |it, _| (&it.arn).into()),
        prop("_groma_statements", |it, _| count(it.statements)),
    ],
    ..Node::of(LABEL)
};

/// Whether it is a policy of AWS, the same for all accounts: `arn:aws:iam::aws:policy/…`.
pub(crate) fn is_of_aws(policy_id: &str) -> bool {
    policy_id.split(':').nth(4) == Some("aws")
}

/// Number of statements as a property. A policy with 0 statements grants nothing; null means that it cannot be read.
pub(crate) fn count(statements: Option<usize>) -> Value {
    statements.and_then(|count| i64::try_from(count).ok()).into()
}

/// Targets of a principal's POLICY edges.
pub(crate) fn targets(attached: &[AttachedPolicy]) -> Vec<Target> {
    attached.iter().filter_map(|it| it.policy_arn()).map(Target::from).collect()
}

/// ARN of a principal's permissions boundary.
pub(crate) fn boundary(attached: Option<&AttachedPermissionsBoundary>) -> Value {
    attached.and_then(|it| it.permissions_boundary_arn()).into()
}

/// Returns the document of the default version, URL-encoded.
pub(crate) fn default_document(policy: &ManagedPolicyDetail) -> Option<&str> {
    policy.policy_version_list().iter().find(|version| version.is_default_version())?.document()
}

#[cfg(test)]
mod tests {
    use super::{MANAGED_POLICY, ManagedPolicy, ManagedPolicyDetail, default_document, is_of_aws};
    use aws_sdk_iam::types::PolicyVersion;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_policy_leaves_nothing_null() {
        let policy =
            ManagedPolicy { arn: "arn:aws:iam::111111111111:policy/teams/data/reports".into(), statements: Some(2) };
        expect![[r#"
            (:AWSManagedPolicy:AWSPolicy {id: "arn:aws:iam::111111111111:policy/teams/data/reports"})
              name = "reports"
              type = "managed"
              arn (indexed) = "arn:aws:iam::111111111111:policy/teams/data/reports"
              _groma_statements = 2
        "#]]
        .assert_eq(&render(&MANAGED_POLICY, &policy, &[]));
    }

    #[test]
    fn aws_own_policies_belong_to_no_account() {
        assert!(is_of_aws("arn:aws:iam::aws:policy/ReadOnlyAccess"));
        assert!(is_of_aws("arn:aws-cn:iam::aws:policy/job-function/ViewOnlyAccess"));
        assert!(!is_of_aws("arn:aws:iam::111111111111:policy/aws"));
        assert!(!is_of_aws("arn:aws:iam::111111111111:user/aws/inline_policy/aws"));
    }

    #[test]
    fn the_version_in_force_counts() {
        let version = |default, text: &str| PolicyVersion::builder().is_default_version(default).document(text).build();
        let policy = ManagedPolicyDetail::builder();
        let policy = policy.policy_version_list(version(false, "v2")).policy_version_list(version(true, "v1")).build();
        assert_eq!(default_document(&policy), Some("v1"));
    }
}
