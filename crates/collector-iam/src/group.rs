//! Groups, from `GetAccountAuthorizationDetails` -> `(:AWSGroup)`.

use crate::{inline_policy, managed_policy};
use aws_sdk_iam::types::GroupDetail;
use collector::{Edge, Node, Value, copied, indexed, prop};

/// Groups and their policies. Members of a group come from users, see [`crate::user::USER_GRANTS`].
pub(crate) static GROUP: Node<GroupDetail> = Node {
    extra_labels: &["AWSPrincipal", "UserGroup"],
    id: |it, _| it.arn().unwrap_or_default().to_owned(),
    props: &[
        indexed("arn", |it, _| it.arn().into()),
        prop("groupid", |it, _| it.group_id().into()),
        prop("name", |it, _| it.group_name().into()),
        prop("path", |it, _| it.path().into()),
        prop("createdate", |it, _| it.create_date().map(Value::spelled).into()),
        prop("createdate_dt", |it, _| it.create_date().into()),
    ],
    ontology: &[copied("_ont_name", "name")],
    edges: &[
        Edge::account(),
        Edge::out("POLICY", managed_policy::LABEL, "id", |it, _| {
            managed_policy::targets(it.attached_managed_policies())
        }),
        Edge::out("POLICY", inline_policy::LABEL, "id", |it, _| {
            inline_policy::targets(it.arn(), it.group_policy_list())
        }),
    ],
    ..Node::of("AWSGroup")
};

#[cfg(test)]
mod tests {
    use super::{GROUP, GroupDetail};
    use crate::testing::{attached, inline, time};
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_group_leaves_nothing_null() {
        let group = GroupDetail::builder()
            .arn("arn:aws:iam::111111111111:group/people/admins")
            .group_id("AGPA1")
            .group_name("admins")
            .path("/people/")
            .create_date(time())
            .attached_managed_policies(attached("arn:aws:iam::aws:policy/AdministratorAccess"))
            .group_policy_list(inline("own"))
            .build();
        expect![[r#"
            (:AWSGroup:AWSPrincipal:UserGroup {id: "arn:aws:iam::111111111111:group/people/admins"})
              arn (indexed) = "arn:aws:iam::111111111111:group/people/admins"
              groupid = "AGPA1"
              name = "admins"
              path = "/people/"
              createdate = "2024-05-01 01:02:03+00:00"
              createdate_dt = time(1714525323000000)
              _ont_name (indexed) = "admins"
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:POLICY]->(:AWSManagedPolicy {id: "arn:aws:iam::aws:policy/AdministratorAccess"})
              -[:POLICY]->(:AWSInlinePolicy {id: "arn:aws:iam::111111111111:group/people/admins/inline_policy/own"})
        "#]]
        .assert_eq(&render(&GROUP, &group, &[]));
    }
}
