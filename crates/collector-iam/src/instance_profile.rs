//! Instance profiles: `ListInstanceProfiles` -> `(:AWSInstanceProfile)-[:ASSOCIATED_WITH]->(:AWSRole)`.

use crate::Iam;
use aws_sdk_iam::types::InstanceProfile;
use collector::{Collecting, Edge, Listing, Node, Sink, paged, prop};

/// Instance profiles, including those without a role, which no other call returns.
pub(crate) static INSTANCE_PROFILE: Node<InstanceProfile> = Node {
    id: |it, _| it.arn().to_owned(),
    props: &[
        prop("arn", |it, _| it.arn().into()),
        prop("createdate", |it, _| it.create_date().into()),
        prop("instance_profile_id", |it, _| it.instance_profile_id().into()),
        prop("instance_profile_name", |it, _| it.instance_profile_name().into()),
        prop("path", |it, _| it.path().into()),
    ],
    edges: &[
        Edge::account(),
        Edge::out("ASSOCIATED_WITH", "AWSRole", "id", |it, _| {
            it.roles().iter().map(|role| role.arn().into()).collect()
        }),
    ],
    ..Node::of("AWSInstanceProfile")
};

/// Listing of instance profiles.
pub(crate) const LISTING: Listing<Iam> = Listing {
    name: "ListInstanceProfiles",
    actions: &["iam:ListInstanceProfiles"],
    feeds: &[&INSTANCE_PROFILE],
    collect,
};

fn collect<'a>(iam: &'a Iam, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut pages = paged!(iam.sdk.list_instance_profiles().max_items(1000), marker);
        while let Some(page) = pages.next().await {
            sink.emit_all(&INSTANCE_PROFILE, page?.instance_profiles()).await?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::{INSTANCE_PROFILE, InstanceProfile};
    use crate::testing::time;
    use aws_sdk_iam::types::Role;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_profile_leaves_nothing_null() {
        let role = Role::builder()
            .arn("arn:aws:iam::111111111111:role/app")
            .role_id("AROA1")
            .role_name("app")
            .path("/")
            .create_date(time())
            .build()
            .expect("full");
        let profile = InstanceProfile::builder()
            .arn("arn:aws:iam::111111111111:instance-profile/team/app")
            .instance_profile_id("AIPA1")
            .instance_profile_name("app")
            .path("/team/")
            .create_date(time())
            .roles(role)
            .build()
            .expect("full");
        expect![[r#"
            (:AWSInstanceProfile {id: "arn:aws:iam::111111111111:instance-profile/team/app"})
              arn = "arn:aws:iam::111111111111:instance-profile/team/app"
              createdate = time(1714525323000000)
              instance_profile_id = "AIPA1"
              instance_profile_name = "app"
              path = "/team/"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:ASSOCIATED_WITH]->(:AWSRole {id: "arn:aws:iam::111111111111:role/app"})
        "#]]
        .assert_eq(&render(&INSTANCE_PROFILE, &profile, &[]));
    }
}
