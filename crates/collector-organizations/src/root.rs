//! Roots, the top of an organization's tree -> `(:AWSOrganizationRoot)`.

use crate::inside::{Inside, scoped};
use aws_sdk_organizations::types::Root;
use collector::{Edge, Node, indexed, many, one, prop};

/// Roots. An AWS root id is unique only within its organization, so the node id includes the organization.
pub(crate) static ROOT: Node<RootItem> = Node {
    id: |it, _| scoped(&it.organization, it.root.id().unwrap_or_default()),
    props: &[
        indexed("root_id", |it, _| it.root.id().into()),
        indexed("arn", |it, _| it.root.arn().into()),
        prop("name", |it, _| it.root.name().into()),
        indexed("org_id", |it, _| (&it.organization).into()),
    ],
    edges: &[
        Edge::incoming("RESOURCE", "AWSOrganization", "id", |it, _| one(Some(&it.organization))),
        Edge::out("PARENT", "AWSOrganization", "id", |it, _| one(Some(&it.organization))),
        Edge::out("RESOURCE", "AWSOrganizationalUnit", "id", |it, _| many(it.inside.units())),
        Edge::out("RESOURCE", "AWSAccount", "id", |it, _| many(it.inside.accounts())),
        Edge::incoming("PARENT", "AWSAccount", "id", |it, _| many(it.inside.accounts())),
    ],
    ..Node::of("AWSOrganizationRoot")
};

/// A root with its direct content.
pub(crate) struct RootItem {
    /// Id of the organization.
    pub(crate) organization: String,
    /// The root.
    pub(crate) root: Root,
    /// Its direct units and accounts.
    pub(crate) inside: Inside,
}

#[cfg(test)]
mod tests {
    use super::{Inside, ROOT, Root, RootItem};
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_root() {
        let root =
            Root::builder().id("r-1").arn("arn:aws:organizations::111111111111:root/o-1/r-1").name("Root").build();
        let inside = Inside { units: vec!["o-1/ou-1".into()], accounts: vec!["111111111111".into()] };
        expect![[r#"
            (:AWSOrganizationRoot {id: "o-1/r-1"})
              root_id (indexed) = "r-1"
              arn (indexed) = "arn:aws:organizations::111111111111:root/o-1/r-1"
              name = "Root"
              org_id (indexed) = "o-1"
              <-[:RESOURCE]-(:AWSOrganization {id: "o-1"})
              -[:PARENT]->(:AWSOrganization {id: "o-1"})
              -[:RESOURCE]->(:AWSOrganizationalUnit {id: "o-1/ou-1"})
              -[:RESOURCE]->(:AWSAccount {id: "111111111111"})
              <-[:PARENT]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&ROOT, &RootItem { organization: "o-1".into(), root, inside }, &[]));
    }
}
