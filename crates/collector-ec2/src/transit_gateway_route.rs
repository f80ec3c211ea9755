//! Routes of transit gateway route tables, `(:AWSTransitGatewayRoute)`: found by `SearchTransitGatewayRoutes`.

use crate::route_table_part::PartOf;
use aws_sdk_ec2::types::TransitGatewayRoute;
use collector::{Edge, Node, Value, one, prop};

/// Routes. Cartography's `origin` and `destination_ipv6_cidr_block` are never set, because AWS has no such fields: their
/// values are the route's type and, for IPv6 as for IPv4, its destination.
pub(crate) static ROUTE: Node<PartOf<TransitGatewayRoute>> = Node {
    id: |it, _| format!("{}|{}", it.table_id, destination(&it.part).unwrap_or_default()),
    props: &[
        prop("transit_gateway_route_table_id", |it, _| (&it.table_id).into()),
        prop("destination_cidr_block", |it, _| it.part.destination_cidr_block().into()),
        prop("destination_ipv6_cidr_block", |it, _| {
            it.part.destination_cidr_block().filter(|block| block.contains(':')).into()
        }),
        prop("target", |it, _| target(&it.part).into()),
        prop("state", |it, _| Value::text(it.part.state())),
        prop("origin", |it, _| Value::text(it.part.r#type())),
        prop("region", |_, place| (&place.region).into()),
    ],
    edges: &[
        Edge::account(),
        Edge::out("ROUTES_TO_TGW_ATTACHMENT", "AWSTransitGatewayAttachment", "id", |it, _| one(target(&it.part))),
        Edge::out("ROUTES_TO_TGW", "AWSTransitGateway", "tgw_id", |it, _| one(it.transit_gateway_id.as_deref())),
        Edge::incoming("HAS_ROUTE", "AWSTransitGatewayRouteTable", "id", |it, _| one(Some(&it.table_id))),
    ],
    ..Node::of("AWSTransitGatewayRoute")
};

/// Range or prefix list of the route.
fn destination(route: &TransitGatewayRoute) -> Option<&str> {
    route.destination_cidr_block().or(route.prefix_list_id())
}

/// The first attachment that the route leads to; only routes of equal cost have more.
fn target(route: &TransitGatewayRoute) -> Option<&str> {
    route.transit_gateway_attachments().first()?.transit_gateway_attachment_id()
}

#[cfg(test)]
mod tests {
    use super::{PartOf, ROUTE, TransitGatewayRoute};
    use aws_sdk_ec2::types::TransitGatewayRouteAttachment;
    use collector::testing::render;
    use expect_test::expect;

    fn part(part: TransitGatewayRoute) -> PartOf<TransitGatewayRoute> {
        PartOf { table_id: "tgw-rtb-1".into(), transit_gateway_id: Some("tgw-1".into()), part }
    }

    #[test]
    fn a_full_route_leaves_nothing_null() {
        let attachment = TransitGatewayRouteAttachment::builder().transit_gateway_attachment_id("tgw-attach-1").build();
        let route = TransitGatewayRoute::builder()
            .destination_cidr_block("2001:db8::/32")
            .transit_gateway_attachments(attachment)
            .state("active".into())
            .r#type("static".into())
            .build();
        expect![[r#"
            (:AWSTransitGatewayRoute {id: "tgw-rtb-1|2001:db8::/32"})
              transit_gateway_route_table_id = "tgw-rtb-1"
              destination_cidr_block = "2001:db8::/32"
              destination_ipv6_cidr_block = "2001:db8::/32"
              target = "tgw-attach-1"
              state = "active"
              origin = "static"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:ROUTES_TO_TGW_ATTACHMENT]->(:AWSTransitGatewayAttachment {id: "tgw-attach-1"})
              -[:ROUTES_TO_TGW]->(:AWSTransitGateway {tgw_id: "tgw-1"})
              <-[:HAS_ROUTE]-(:AWSTransitGatewayRouteTable {id: "tgw-rtb-1"})
        "#]]
        .assert_eq(&render(&ROUTE, &part(route), &[]));
    }

    #[test]
    fn a_route_to_a_prefix_list_goes_by_it() {
        let route = TransitGatewayRoute::builder().prefix_list_id("pl-1").build();
        assert_eq!((ROUTE.id)(&part(route), &collector::testing::place()), "tgw-rtb-1|pl-1");
    }
}
