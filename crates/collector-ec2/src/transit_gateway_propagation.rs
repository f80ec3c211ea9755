//! Attachments that propagate their routes to a transit gateway route table,
//! `(:AWSTransitGatewayRouteTablePropagation)`: answered by `GetTransitGatewayRouteTablePropagations`.

use crate::route_table_part::PartOf;
use aws_sdk_ec2::types::TransitGatewayRouteTablePropagation;
use collector::{Edge, Node, Value, one, prop};

/// Propagations. AWS gives them no id, so the node's id consists of table and attachment.
pub(crate) static PROPAGATION: Node<PartOf<TransitGatewayRouteTablePropagation>> = Node {
    id: |it, _| {
        let attachment = it.part.transit_gateway_attachment_id().or(it.part.resource_id());
        format!("{}|{}", it.table_id, attachment.unwrap_or_default())
    },
    props: &[
        prop("route_table_id", |it, _| (&it.table_id).into()),
        prop("attachment_id", |it, _| it.part.transit_gateway_attachment_id().into()),
        prop("state", |it, _| Value::text(it.part.state())),
        prop("region", |_, place| (&place.region).into()),
    ],
    edges: &[
        Edge::account(),
        Edge::incoming("PROPAGATES", "AWSTransitGatewayRouteTable", "id", |it, _| one(Some(&it.table_id))),
    ],
    ..Node::of("AWSTransitGatewayRouteTablePropagation")
};

#[cfg(test)]
mod tests {
    use super::{PROPAGATION, PartOf, TransitGatewayRouteTablePropagation};
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_propagation_leaves_nothing_null() {
        let propagation = TransitGatewayRouteTablePropagation::builder()
            .transit_gateway_attachment_id("tgw-attach-1")
            .state("enabled".into())
            .build();
        let part = PartOf { table_id: "tgw-rtb-1".into(), transit_gateway_id: None, part: propagation };
        expect![[r#"
            (:AWSTransitGatewayRouteTablePropagation {id: "tgw-rtb-1|tgw-attach-1"})
              route_table_id = "tgw-rtb-1"
              attachment_id = "tgw-attach-1"
              state = "enabled"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              <-[:PROPAGATES]-(:AWSTransitGatewayRouteTable {id: "tgw-rtb-1"})
        "#]]
        .assert_eq(&render(&PROPAGATION, &part, &[]));
    }
}
