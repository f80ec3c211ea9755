//! Organizational units -> `(:AWSOrganizationalUnit)`.

use crate::inside::{Inside, scoped};
use aws_sdk_organizations::types::OrganizationalUnit;
use collector::{Edge, Node, indexed, many, one, prop};

/// Organizational units at any depth.
pub(crate) static UNIT: Node<UnitItem> = Node {
    id: |it, _| scoped(&it.organization, it.unit.id().unwrap_or_default()),
    props: &[
        indexed("ou_id", |it, _| it.unit.id().into()),
        indexed("arn", |it, _| it.unit.arn().into()),
        prop("name", |it, _| it.unit.name().into()),
        indexed("org_id", |it, _| (&it.organization).into()),
        indexed("root_id", |it, _| (&it.root).into()),
        prop("parent_root_id", |it, _| it.parent_root().into()),
        prop("parent_ou_id", |it, _| it.parent_unit.as_deref().into()),
    ],
    edges: &[
        Edge::incoming("RESOURCE", "AWSOrganizationRoot", "id", |it, _| one(Some(&it.root))),
        Edge::out("PARENT", "AWSOrganizationRoot", "id", |it, _| one(it.parent_root())),
        Edge::out("PARENT", "AWSOrganizationalUnit", "id", |it, _| one(it.parent_unit.as_deref())),
        Edge::out("RESOURCE", "AWSOrganizationalUnit", "id", |it, _| many(it.inside.units())),
        Edge::out("RESOURCE", "AWSAccount", "id", |it, _| many(it.inside.accounts())),
        Edge::incoming("PARENT", "AWSAccount", "id", |it, _| many(it.inside.accounts())),
    ],
    ..Node::of("AWSOrganizationalUnit")
};

/// A unit with its location and its direct content.
pub(crate) struct UnitItem {
    /// Id of the organization.
    pub(crate) organization: String,
    /// Node id of its root.
    pub(crate) root: String,
    /// Node id of the parent unit; `None` directly below the root.
    pub(crate) parent_unit: Option<String>,
    /// The unit.
    pub(crate) unit: OrganizationalUnit,
    /// Its direct units and accounts.
    pub(crate) inside: Inside,
}

impl UnitItem {
    fn parent_root(&self) -> Option<&str> {
        self.parent_unit.is_none().then_some(&*self.root)
    }
}

#[cfg(test)]
mod tests {
    use super::{Inside, OrganizationalUnit, UNIT, UnitItem};
    use collector::testing::render;
    use expect_test::expect;

    fn item(parent_unit: Option<&str>, inside: Inside) -> UnitItem {
        let unit = OrganizationalUnit::builder()
            .id("ou-2")
            .arn("arn:aws:organizations::111111111111:ou/o-1/ou-2")
            .name("Production")
            .build();
        let parent_unit = parent_unit.map(str::to_owned);
        UnitItem { organization: "o-1".into(), root: "o-1/r-1".into(), parent_unit, unit, inside }
    }

    #[test]
    fn a_unit_in_a_unit() {
        let inside = Inside { units: vec!["o-1/ou-3".into()], accounts: vec!["222222222222".into()] };
        expect![[r#"
            (:AWSOrganizationalUnit {id: "o-1/ou-2"})
              ou_id (indexed) = "ou-2"
              arn (indexed) = "arn:aws:organizations::111111111111:ou/o-1/ou-2"
              name = "Production"
              org_id (indexed) = "o-1"
              root_id (indexed) = "o-1/r-1"
              parent_root_id = null
              parent_ou_id = "o-1/ou-1"
              <-[:RESOURCE]-(:AWSOrganizationRoot {id: "o-1/r-1"})
              -[:PARENT]->(:AWSOrganizationalUnit {id: "o-1/ou-1"})
              -[:RESOURCE]->(:AWSOrganizationalUnit {id: "o-1/ou-3"})
              -[:RESOURCE]->(:AWSAccount {id: "222222222222"})
              <-[:PARENT]-(:AWSAccount {id: "222222222222"})
        "#]]
        .assert_eq(&render(&UNIT, &item(Some("o-1/ou-1"), inside), &["parent_root_id"]));
    }

    #[test]
    fn a_unit_below_the_root() {
        let text = render(&UNIT, &item(None, Inside::default()), &["parent_ou_id"]);
        assert!(text.contains(r#"parent_root_id = "o-1/r-1""#), "{text}");
        assert!(text.ends_with("-[:PARENT]->(:AWSOrganizationRoot {id: \"o-1/r-1\"})\n"), "{text}");
    }
}
