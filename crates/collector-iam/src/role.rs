//! Roles, from `GetAccountAuthorizationDetails` -> `(:AWSRole)-[:TRUSTS_AWS_PRINCIPAL]->(:AWSPrincipal)`.

use crate::{inline_policy, managed_policy, trust::Trusted, trust_policy::TrustPolicy};
use aws_sdk_iam::types::RoleDetail;
use collector::{Edge, Node, Target, Value, copied, fixed, indexed, prop};

/// A role with its trust policy.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    /// Result of `GetAccountAuthorizationDetails`.
    pub(crate) detail: RoleDetail,
    /// Trusted principals: ARNs, or names of services and web identity providers, without duplicates.
    pub(crate) trust: TrustPolicy,
}

/// Roles, their policies and their trusted principals.
pub(crate) static ROLE: Node<Role> = Node {
    extra_labels: &["AWSPrincipal", "PermissionRole"],
    id: |it, _| it.detail.arn().unwrap_or_default().to_owned(),
    props: &[
        indexed("arn", |it, _| it.detail.arn().into()),
        indexed("roleid", |it, _| it.detail.role_id().into()),
        prop("name", |it, _| it.detail.role_name().into()),
        prop("path", |it, _| it.detail.path().into()),
        prop("createdate", |it, _| it.detail.create_date().map(Value::spelled).into()),
        prop("createdate_dt", |it, _| it.detail.create_date().into()),
        prop("_groma_boundary", |it, _| managed_policy::boundary(it.detail.permissions_boundary())),
        prop("_groma_trust", |it, _| it.trust.text.clone().into()),
    ],
    ontology: &[copied("_ont_name", "name"), fixed("_ont_type", "custom"), fixed("_ont_scope", "account")],
    edges: &[
        Edge::account(),
        // Like Cartography, also writes this edge to principals that the policy only denies.
        Edge::out("TRUSTS_AWS_PRINCIPAL", "AWSPrincipal", "arn", |it: &Role, _| {
            it.trust.trusted.iter().map(target).collect()
        })
        .with_props(&["_groma_denied", "_groma_conditional"]),
        Edge::out(TRUSTS, "AWSAccount", "id", |it: &Role, _| it.trust.unlinked.iter().map(Target::from).collect()),
        Edge::out("POLICY", managed_policy::LABEL, "id", |it, _| {
            managed_policy::targets(it.detail.attached_managed_policies())
        }),
        Edge::out("POLICY", inline_policy::LABEL, "id", |it, _| {
            inline_policy::targets(it.detail.arn(), it.detail.role_policy_list())
        }),
    ],
    ..Node::of("AWSRole")
};

/// Type of edges to accounts that a trust policy allows without a principal that has a node: see
/// [`TrustPolicy::unlinked`].
const TRUSTS: &str = "_module_TRUSTS";

fn target(trusted: &Trusted) -> Target {
    let mark = |is: bool| if is { true.into() } else { Value::Null };
    Target { value: trusted.arn.clone(), props: vec![mark(trusted.denied), mark(trusted.conditional)] }
}

#[cfg(test)]
mod tests {
    use super::{ROLE, Role, RoleDetail};
    use crate::testing::{attached, bounded, inline, time};
    use crate::trust_policy;
    use collector::testing::{place, render};
    use expect_test::expect;

    #[test]
    fn a_full_role_leaves_nothing_null() {
        let detail = RoleDetail::builder()
            .arn("arn:aws:iam::111111111111:role/service-role/app")
            .role_id("AROA1")
            .role_name("app")
            .path("/service-role/")
            .create_date(time())
            .attached_managed_policies(attached("arn:aws:iam::111111111111:policy/forms"))
            .role_policy_list(inline("own"))
            .permissions_boundary(bounded())
            .build();
        let document = r#"{"Statement":[
            {"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}},
            {"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"333333333333"}},
            {"Effect":"Deny","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::222222222222:root"}}]}"#;
        let trust = trust_policy::read(document, &place()).expect("a policy");
        expect![[r#"
            (:AWSRole:AWSPrincipal:PermissionRole {id: "arn:aws:iam::111111111111:role/service-role/app"})
              arn (indexed) = "arn:aws:iam::111111111111:role/service-role/app"
              roleid (indexed) = "AROA1"
              name = "app"
              path = "/service-role/"
              createdate = "2024-05-01 01:02:03+00:00"
              createdate_dt = time(1714525323000000)
              _groma_boundary = "arn:aws:iam::111111111111:policy/boundary"
              _groma_trust = "[{\"action\":[\"sts:AssumeRole\"],\"condition\":null,\"effect\":\"Allow\",\"notaction\":null,\"notprincipal\":null,\"principal\":[[\"Service\",\"ec2.amazonaws.com\"]],\"version\":\"2008-10-17\"},{\"action\":[\"sts:AssumeRole\"],\"condition\":null,\"effect\":\"Allow\",\"notaction\":null,\"notprincipal\":null,\"principal\":[[\"AWS\",\"333333333333\"]],\"version\":\"2008-10-17\"},{\"action\":[\"sts:AssumeRole\"],\"condition\":null,\"effect\":\"Deny\",\"notaction\":null,\"notprincipal\":null,\"principal\":[[\"AWS\",\"arn:aws:iam::222222222222:root\"]],\"version\":\"2008-10-17\"}]"
              _ont_name (indexed) = "app"
              _ont_type (indexed) = "custom"
              _ont_scope (indexed) = "account"
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:TRUSTS_AWS_PRINCIPAL _groma_denied=null _groma_conditional=null]->(:AWSPrincipal {arn: "ec2.amazonaws.com"})
              -[:TRUSTS_AWS_PRINCIPAL _groma_denied=true _groma_conditional=true]->(:AWSPrincipal {arn: "arn:aws:iam::222222222222:root"})
              -[:_module_TRUSTS]->(:AWSAccount {id: "333333333333"})
              -[:POLICY]->(:AWSManagedPolicy {id: "arn:aws:iam::111111111111:policy/forms"})
              -[:POLICY]->(:AWSInlinePolicy {id: "arn:aws:iam::111111111111:role/service-role/app/inline_policy/own"})
        "#]]
        .assert_eq(&render(&ROLE, &Role { detail, trust }, &[]));
    }
}
