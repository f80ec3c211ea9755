//! Actions that a bucket allows to everyone, by its access control list or by its policy: `anonymous_access` and
//! `anonymous_actions`.
//!
//! S3 judges both together ("How Amazon S3 authorizes a request", Amazon S3 User Guide), so a `Deny` of the policy holds for
//! the list too. Public access blocks do not count, as in Cartography: a bucket's block and its account's are separate
//! properties, which queries combine with these.

use crate::{
    acl::{BucketGrant, open_actions},
    policy::Policy,
    settings::{Setting, of_buckets},
};
use collector::{CollectError, Node, copied, indexed, prop};
use events::FailureClass;
use serde_json::{Value, json};

/// Buckets with the actions that they allow to everyone. `None`: only named principals may do anything.
pub(crate) static ACCESS: Node<Setting<Vec<String>>> = Node {
    props: &[
        indexed("anonymous_access", |it, _| it.value.is_some().into()),
        prop("anonymous_actions", |it, _| it.value.clone().unwrap_or_default().into()),
    ],
    ontology: &[copied("_ont_public", "anonymous_access")],
    ..of_buckets()
};

/// Judges grants and policy together. Returns the actions in the policy's own words, sorted.
///
/// # Errors
/// Fails if the policy cannot be judged.
pub(crate) fn access(
    bucket: &str,
    partition: &str,
    grants: &[BucketGrant],
    policy: Option<&Policy>,
) -> Result<Setting<Vec<String>>, CollectError> {
    let arn = format!("arn:{partition}:s3:::{bucket}");
    let of_policy = match policy.and_then(|policy| policy.document.get("Statement")) {
        Some(Value::Array(statements)) => statements.clone(),
        single => single.into_iter().cloned().collect(),
    };
    let of_grants = grants.iter().filter_map(open_actions).flatten().map(|action| allow(action, &arn));
    let statements: Vec<Value> = of_policy.into_iter().chain(of_grants).collect();
    let value = resource_policy::anonymous(&json!({ "Statement": statements }).to_string())
        .map_err(|error| CollectError::new(FailureClass::Service, error.to_string()))?;
    Ok(Setting { bucket: bucket.to_owned(), value })
}

/// Statement that allows an action of an access control list to everyone.
fn allow(action: &str, arn: &str) -> Value {
    let resource = if action == "s3:PutObject" { format!("{arn}/*") } else { arn.to_owned() };
    json!({ "Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource })
}

#[cfg(test)]
mod tests {
    use super::{ACCESS, access};
    use crate::{acl::grants, policy, settings::testing::of_logs};
    use aws_sdk_s3::{
        operation::get_bucket_acl::GetBucketAclOutput,
        types::{Grant, Grantee, Type},
    };
    use collector::testing::render;
    use expect_test::expect;

    const OPEN: &str =
        r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:ListBucket"]}}"#;
    const CLOSED: &str = r#"{"Statement": []}"#;

    fn rendered(permission: Option<&str>, document: Option<&str>) -> String {
        let everyone = "http://acs.amazonaws.com/groups/global/AllUsers";
        let grant = permission.map(|permission| {
            let grantee = Grantee::builder().r#type(Type::Group).uri(everyone).build().expect("full");
            Grant::builder().grantee(grantee).permission(permission.into()).build()
        });
        let acl = GetBucketAclOutput::builder().set_grants(grant.map(|grant| vec![grant])).build();
        let policy = document.map(|document| policy::parse(document).expect("a policy"));
        let access = access("logs", "aws", &grants(&of_logs(Some(acl))), policy.as_ref()).expect("judged");
        render(&ACCESS, &access, &[])
    }

    #[test]
    fn lists_and_policies_add_up() {
        expect![[r#"
            (:AWSS3Bucket:S3Bucket:ObjectStorage {id: "logs"})
              anonymous_access (indexed) = true
              anonymous_actions = ["s3:GetBucketAcl", "s3:GetObject", "s3:ListBucket"]
              _ont_public (indexed) = true
              _ont_source = "aws"
        "#]]
        .assert_eq(&rendered(Some("READ_ACP"), Some(OPEN)));
    }

    #[test]
    fn either_of_them_opens_a_bucket() {
        for (permission, document, open) in [
            (Some("WRITE"), None, r#"["s3:PutObject"]"#),
            (Some("WRITE"), Some(CLOSED), r#"["s3:PutObject"]"#),
            (None, Some(OPEN), r#"["s3:GetObject", "s3:ListBucket"]"#),
        ] {
            let rendered = rendered(permission, document);
            assert!(rendered.contains("anonymous_access (indexed) = true") && rendered.contains(open), "{rendered}");
        }
    }

    #[test]
    fn a_deny_of_the_policy_holds_for_grants() {
        let denied = |resource: &str| {
            let organization = r#"{"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}"#;
            format!(
                r#"{{"Statement": {{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": {resource},
                "Condition": {organization}}}}}"#
            )
        };
        let all = denied(r#"["arn:aws:s3:::logs", "arn:aws:s3:::logs/*"]"#);
        let objects = denied(r#""arn:aws:s3:::logs/*""#);
        for (permission, document, open) in
            [("FULL_CONTROL", &all, false), ("WRITE", &objects, false), ("READ", &objects, true)]
        {
            let rendered = rendered(Some(permission), Some(document));
            assert!(rendered.contains(&format!("anonymous_access (indexed) = {open}")), "{rendered}");
        }
    }

    #[test]
    fn a_bucket_with_neither_is_closed() {
        for document in [None, Some(CLOSED)] {
            let rendered = rendered(None, document);
            assert!(rendered.contains("anonymous_access (indexed) = false") && rendered.contains("= []"), "{rendered}");
        }
    }
}
