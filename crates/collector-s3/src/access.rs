//! Actions that a bucket allows to everyone, by its access control list or by its policy: `anonymous_access` and
//! `anonymous_actions`.
//!
//! Public access blocks do not count, as in Cartography: a bucket's block and its account's are separate properties, which
//! queries combine with these.

use crate::{
    acl::{BucketGrant, open_actions},
    policy::Policy,
    settings::{Setting, of_buckets},
};
use collector::{Node, copied, indexed, prop};
use std::collections::BTreeSet;

/// Buckets with the actions that they allow to everyone. `None`: only named principals may do anything.
pub(crate) static ACCESS: Node<Setting<Vec<String>>> = Node {
    props: &[
        indexed("anonymous_access", |it, _| it.value.is_some().into()),
        prop("anonymous_actions", |it, _| it.value.clone().unwrap_or_default().into()),
    ],
    ontology: &[copied("_ont_public", "anonymous_access")],
    ..of_buckets()
};

/// Combines the actions that grants and policy allow to everyone, sorted.
pub(crate) fn access(bucket: &str, grants: &[BucketGrant], policy: Option<&Policy>) -> Setting<Vec<String>> {
    let by_policy = policy.and_then(|policy| policy.open.as_ref());
    let by_grants = grants.iter().filter_map(open_actions).flatten().map(|action| (*action).to_owned());
    let is_open = by_policy.is_some() || grants.iter().any(|grant| open_actions(grant).is_some());
    let actions: BTreeSet<String> = by_policy.into_iter().flatten().cloned().chain(by_grants).collect();
    Setting { bucket: bucket.to_owned(), value: is_open.then(|| actions.into_iter().collect()) }
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
        render(&ACCESS, &access("logs", &grants(&of_logs(Some(acl))), policy.as_ref()), &[])
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
    fn a_bucket_with_neither_is_closed() {
        for document in [None, Some(CLOSED)] {
            let rendered = rendered(None, document);
            assert!(rendered.contains("anonymous_access (indexed) = false") && rendered.contains("= []"), "{rendered}");
        }
    }
}
