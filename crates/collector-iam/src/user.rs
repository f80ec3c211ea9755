//! Users: `ListUsers` -> `(:AWSUser)`, and their grants from `GetAccountAuthorizationDetails`.

use crate::{Iam, inline_policy, managed_policy};
use aws_sdk_iam::types::{User, UserDetail};
use collector::{Collecting, Edge, Listing, Node, Sink, Target, Value, copied, indexed, paged, prop};

const LABEL: &str = "AWSUser";
const EXTRA_LABELS: &[&str] = &["AWSPrincipal", "UserAccount"];

/// Users. Only `ListUsers` returns the time at which a password was last used.
pub(crate) static USER: Node<User> = Node {
    extra_labels: EXTRA_LABELS,
    id: |it, _| it.arn().to_owned(),
    props: &[
        indexed("arn", |it, _| it.arn().into()),
        indexed("userid", |it, _| it.user_id().into()),
        prop("name", |it, _| it.user_name().into()),
        prop("path", |it, _| it.path().into()),
        prop("createdate", |it, _| Value::spelled(it.create_date())),
        prop("createdate_dt", |it, _| it.create_date().into()),
        prop("passwordlastused", |it, _| it.password_last_used().map_or_else(|| "".into(), Value::spelled)),
        prop("passwordlastused_dt", |it, _| it.password_last_used().into()),
    ],
    ontology: &[copied("_ont_username", "name")],
    edges: &[Edge::account()],
    ..Node::of(LABEL)
};

/// Policies and groups of a user.
#[derive(Debug, Clone)]
pub(crate) struct UserGrants {
    /// Result of `GetAccountAuthorizationDetails`.
    pub(crate) detail: UserDetail,
    /// ARNs of the user's groups.
    pub(crate) groups: Vec<String>,
}

/// Edges of users.
pub(crate) static USER_GRANTS: Node<UserGrants> = Node {
    extra_labels: EXTRA_LABELS,
    id: |it, _| it.detail.arn().unwrap_or_default().to_owned(),
    props: &[
        indexed("arn", |it, _| it.detail.arn().into()),
        prop("_groma_boundary", |it, _| managed_policy::boundary(it.detail.permissions_boundary())),
    ],
    edges: &[
        Edge::out("MEMBER_AWS_GROUP", "AWSGroup", "id", |it, _| it.groups.iter().map(Target::from).collect()),
        Edge::out("MEMBER_OF", "AWSGroup", "id", |it, _| it.groups.iter().map(Target::from).collect()),
        Edge::out("POLICY", managed_policy::LABEL, "id", |it, _| {
            managed_policy::targets(it.detail.attached_managed_policies())
        }),
        Edge::out("POLICY", inline_policy::LABEL, "id", |it, _| {
            inline_policy::targets(it.detail.arn(), it.detail.user_policy_list())
        }),
    ],
    ..Node::of(LABEL)
};

/// Listing of users.
pub(crate) const LISTING: Listing<Iam> =
    Listing { name: "ListUsers", actions: &["iam:ListUsers"], feeds: &[&USER], collect };

fn collect<'a>(iam: &'a Iam, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut pages = paged!(iam.sdk.list_users().max_items(1000), marker);
        while let Some(page) = pages.next().await {
            sink.emit_all(&USER, page?.users()).await?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::{USER, USER_GRANTS, User, UserDetail, UserGrants};
    use crate::testing::{attached, bounded, inline, time};
    use collector::testing::render;
    use expect_test::expect;

    const ARN: &str = "arn:aws:iam::111111111111:user/people/alice";

    fn user() -> aws_sdk_iam::types::builders::UserBuilder {
        User::builder().arn(ARN).user_id("AIDA1").user_name("alice").path("/people/").create_date(time())
    }

    #[test]
    fn a_full_user_leaves_nothing_null() {
        let user = user().password_last_used(time()).build().expect("full");
        expect![[r#"
            (:AWSUser:AWSPrincipal:UserAccount {id: "arn:aws:iam::111111111111:user/people/alice"})
              arn (indexed) = "arn:aws:iam::111111111111:user/people/alice"
              userid (indexed) = "AIDA1"
              name = "alice"
              path = "/people/"
              createdate = "2024-05-01 01:02:03+00:00"
              createdate_dt = time(1714525323000000)
              passwordlastused = "2024-05-01 01:02:03+00:00"
              passwordlastused_dt = time(1714525323000000)
              _ont_username (indexed) = "alice"
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&USER, &user, &[]));
    }

    #[test]
    fn a_password_never_used_is_an_empty_text() {
        let text = render(&USER, &user().build().expect("full"), &["passwordlastused_dt"]);
        assert!(text.contains("passwordlastused = \"\"\n"), "{text}");
    }

    #[test]
    fn a_user_with_all_kinds_of_edges() {
        let detail = UserDetail::builder()
            .arn(ARN)
            .attached_managed_policies(attached("arn:aws:iam::aws:policy/AdministratorAccess"))
            .user_policy_list(inline("own"))
            .permissions_boundary(bounded())
            .build();
        let groups = vec!["arn:aws:iam::111111111111:group/people/admins".to_owned()];
        expect![[r#"
            (:AWSUser:AWSPrincipal:UserAccount {id: "arn:aws:iam::111111111111:user/people/alice"})
              arn (indexed) = "arn:aws:iam::111111111111:user/people/alice"
              _groma_boundary = "arn:aws:iam::111111111111:policy/boundary"
              -[:MEMBER_AWS_GROUP]->(:AWSGroup {id: "arn:aws:iam::111111111111:group/people/admins"})
              -[:MEMBER_OF]->(:AWSGroup {id: "arn:aws:iam::111111111111:group/people/admins"})
              -[:POLICY]->(:AWSManagedPolicy {id: "arn:aws:iam::aws:policy/AdministratorAccess"})
              -[:POLICY]->(:AWSInlinePolicy {id: "arn:aws:iam::111111111111:user/people/alice/inline_policy/own"})
        "#]]
        .assert_eq(&render(&USER_GRANTS, &UserGrants { detail, groups }, &[]));
    }
}
