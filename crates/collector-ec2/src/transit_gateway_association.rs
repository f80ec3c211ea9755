//! Attachments whose traffic a transit gateway route table routes, `(:AWSTransitGatewayRouteTableAssociation)`:
//! answered by `GetTransitGatewayRouteTableAssociations`.

use crate::route_table_part::PartOf;
use aws_sdk_ec2::types::TransitGatewayRouteTableAssociation;
use collector::{Edge, Node, Value, one, prop};

/// Associations. AWS gives them no id, so the node's id consists of table and attachment.
pub(crate) static ASSOCIATION: Node<PartOf<TransitGatewayRouteTableAssociation>> = Node {
    id: |it, _| {
        let attachment = it.part.transit_gateway_attachment_id().or(it.part.resource_id());
        format!("{}|{}", it.table_id, attachment.unwrap_or_default())
    },
    props: &[
        prop("route_table_id", |it, _| (&it.table_id).into()),
        prop("attachment_id", |it, _| it.part.transit_gateway_attachment_id().into()),
        prop("resource_id", |it, _| it.part.resource_id().into()),
        prop("resource_type", |it, _| Value::text(it.part.resource_type())),
        prop("state", |it, _| Value::text(it.part.state())),
        prop("region", |_, place| (&place.region).into()),
    ],
    edges: &[
        Edge::account(),
        Edge::out("ASSOCIATED_WITH", "AWSTransitGatewayRouteTable", "id", |it, _| one(Some(&it.table_id))),
    ],
    ..Node::of("AWSTransitGatewayRouteTableAssociation")
};

#[cfg(test)]
mod tests {
    use super::{ASSOCIATION, PartOf, TransitGatewayRouteTableAssociation};
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_association_leaves_nothing_null() {
        let association = TransitGatewayRouteTableAssociation::builder()
            .transit_gateway_attachment_id("tgw-attach-1")
            .resource_id("vpc-1")
            .resource_type("vpc".into())
            .state("associated".into())
            .build();
        let part = PartOf { table_id: "tgw-rtb-1".into(), transit_gateway_id: None, part: association };
        expect![[r#"
            (:AWSTransitGatewayRouteTableAssociation {id: "tgw-rtb-1|tgw-attach-1"})
              route_table_id = "tgw-rtb-1"
              attachment_id = "tgw-attach-1"
              resource_id = "vpc-1"
              resource_type = "vpc"
              state = "associated"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:ASSOCIATED_WITH]->(:AWSTransitGatewayRouteTable {id: "tgw-rtb-1"})
        "#]]
        .assert_eq(&render(&ASSOCIATION, &part, &[]));
    }
}
