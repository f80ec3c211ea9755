//! Parts of fixtures.

use aws_sdk_iam::types::{AttachedPermissionsBoundary, AttachedPolicy, PolicyDetail};
use aws_smithy_types::DateTime;

/// The time 2024-05-01T01:02:03Z.
pub(crate) fn time() -> DateTime {
    DateTime::from_secs(1_714_525_323)
}

pub(crate) fn attached(arn: &str) -> AttachedPolicy {
    AttachedPolicy::builder().policy_arn(arn).build()
}

pub(crate) fn inline(name: &str) -> PolicyDetail {
    PolicyDetail::builder()
        .policy_name(name)
        .policy_document(r#"{"Statement":[{"Effect":"Deny","NotAction":"a"}]}"#)
        .build()
}

/// A permissions boundary.
pub(crate) fn bounded() -> AttachedPermissionsBoundary {
    AttachedPermissionsBoundary::builder().permissions_boundary_arn("arn:aws:iam::111111111111:policy/boundary").build()
}
