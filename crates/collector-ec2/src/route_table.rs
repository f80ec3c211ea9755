//! Route tables with their routes and associations: `DescribeRouteTables` -> `(:AWSEC2RouteTable)`, `(:AWSEC2Route)`,
//! `(:AWSEC2RouteTableAssociation)`.

use crate::{
    Clients,
    route::{self, TableRoute},
    route_table_association::{self as association, InTable, is_main},
};
use aws_sdk_ec2::types::RouteTable;
use collector::{Collecting, Edge, Listing, Node, Sink, indexed, many, one, paged, prop};

/// Route tables. Cartography reads `vpc_id` from a key that its row does not have and never sets it; Groma does.
pub(crate) static ROUTE_TABLE: Node<RouteTable> = Node {
    extra_labels: &["EC2RouteTable"],
    id: |it, _| it.route_table_id().unwrap_or_default().to_owned(),
    props: &[
        indexed("route_table_id", |it, _| it.route_table_id().into()),
        prop("owner_id", |it, _| it.owner_id().into()),
        prop("vpc_id", |it, _| it.vpc_id().into()),
        prop("region", |_, place| (&place.region).into()),
        prop("main", |it, _| it.associations().iter().any(is_main).into()),
    ],
    edges: &[
        Edge::account(),
        Edge::out("MEMBER_OF_AWS_VPC", "AWSVpc", "id", |it, _| one(it.vpc_id())),
        Edge::out("ROUTE", "AWSEC2Route", "id", |it, _| route::ids(it).into_iter().map(Into::into).collect()),
        Edge::out("ASSOCIATION", "AWSEC2RouteTableAssociation", "id", |it, _| {
            many(it.associations().iter().map(|it| it.route_table_association_id()))
        }),
        Edge::out("CONNECTED_TO", "AWSVpnGateway", "id", |it, _| {
            many(it.propagating_vgws().iter().map(|gateway| gateway.gateway_id()))
        }),
    ],
    ..Node::of("AWSEC2RouteTable")
};

pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeRouteTables",
    actions: &["ec2:DescribeRouteTables"],
    feeds: &[&ROUTE_TABLE, &route::ROUTE, &association::ASSOCIATION],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut pages = paged!(clients.ec2.describe_route_tables().max_results(100), next_token);
        while let Some(page) = pages.next().await {
            for table in page?.route_tables() {
                sink.emit_all(&route::ROUTE, &TableRoute::of(table)).await?;
                sink.emit_all(&association::ASSOCIATION, &InTable::of(table)).await?;
                sink.emit(&ROUTE_TABLE, table).await?;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::{ROUTE_TABLE, RouteTable};
    use aws_sdk_ec2::types::{PropagatingVgw, Route, RouteTableAssociation};
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_route_table_leaves_nothing_null() {
        let table = RouteTable::builder()
            .route_table_id("rtb-1")
            .owner_id("111111111111")
            .vpc_id("vpc-1")
            .routes(Route::builder().destination_cidr_block("10.0.0.0/16").gateway_id("local").build())
            .associations(RouteTableAssociation::builder().route_table_association_id("rtbassoc-1").main(true).build())
            .propagating_vgws(PropagatingVgw::builder().gateway_id("vgw-1").build())
            .build();
        expect![[r#"
            (:AWSEC2RouteTable:EC2RouteTable {id: "rtb-1"})
              route_table_id (indexed) = "rtb-1"
              owner_id = "111111111111"
              vpc_id = "vpc-1"
              region = "us-east-1"
              main = true
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:MEMBER_OF_AWS_VPC]->(:AWSVpc {id: "vpc-1"})
              -[:ROUTE]->(:AWSEC2Route {id: "rtb-1|10.0.0.0/16"})
              -[:ASSOCIATION]->(:AWSEC2RouteTableAssociation {id: "rtbassoc-1"})
              -[:CONNECTED_TO]->(:AWSVpnGateway {id: "vgw-1"})
        "#]]
        .assert_eq(&render(&ROUTE_TABLE, &table, &[]));
    }
}
