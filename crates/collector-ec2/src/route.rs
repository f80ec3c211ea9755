//! Routes, `(:AWSEC2Route)`: part of the answer of `DescribeRouteTables`.

use aws_sdk_ec2::types::{Route, RouteTable};
use collector::{Edge, Node, Value, one, prop};
use std::collections::HashMap;

/// A route of a table.
#[derive(Debug, Clone)]
pub(crate) struct TableRoute {
    /// Its id among the routes of all tables.
    pub(crate) id: String,
    /// As AWS describes it.
    pub(crate) it: Route,
}

impl TableRoute {
    /// The routes of a table.
    pub(crate) fn of(table: &RouteTable) -> Vec<Self> {
        ids(table).into_iter().zip(table.routes()).map(|(id, it)| Self { id, it: it.clone() }).collect()
    }
}

/// Routes.
pub(crate) static ROUTE: Node<TableRoute> = Node {
    extra_labels: &["EC2Route"],
    id: |row, _| row.id.clone(),
    props: &[
        prop("carrier_gateway_id", |row, _| row.it.carrier_gateway_id().into()),
        prop("core_network_arn", |row, _| row.it.core_network_arn().into()),
        prop("destination_cidr_block", |row, _| row.it.destination_cidr_block().into()),
        prop("destination_ipv6_cidr_block", |row, _| row.it.destination_ipv6_cidr_block().into()),
        prop("destination_prefix_list_id", |row, _| row.it.destination_prefix_list_id().into()),
        prop("egress_only_internet_gateway_id", |row, _| row.it.egress_only_internet_gateway_id().into()),
        prop("gateway_id", |row, _| row.it.gateway_id().into()),
        prop("instance_id", |row, _| row.it.instance_id().into()),
        prop("instance_owner_id", |row, _| row.it.instance_owner_id().into()),
        prop("local_gateway_id", |row, _| row.it.local_gateway_id().into()),
        prop("nat_gateway_id", |row, _| row.it.nat_gateway_id().into()),
        prop("network_interface_id", |row, _| row.it.network_interface_id().into()),
        prop("origin", |row, _| Value::text(row.it.origin())),
        prop("state", |row, _| Value::text(row.it.state())),
        prop("transit_gateway_id", |row, _| row.it.transit_gateway_id().into()),
        prop("vpc_peering_connection_id", |row, _| row.it.vpc_peering_connection_id().into()),
        prop("vpc_endpoint_id", |row, _| gateway(&row.it, "vpce-").into()),
        prop("region", |_, place| (&place.region).into()),
        prop("target", |row, _| target(&row.it).into()),
    ],
    edges: &[
        Edge::account(),
        // `local` and virtual private gateways are not internet gateways, and get no edge.
        Edge::out("ROUTES_TO_GATEWAY", "AWSInternetGateway", "id", |row, _| one(gateway(&row.it, "igw-"))),
        Edge::out("ROUTES_TO_VPC_ENDPOINT", "AWSVpcEndpoint", "id", |row, _| one(gateway(&row.it, "vpce-"))),
    ],
    ..Node::of("AWSEC2Route")
};

/// Ids of a table's routes, in AWS's order. `rtb-1|10.0.0.0/16` is Cartography's format: the table and its [`target`].
/// There, a prefix list is not a destination. So among several with the same target, the one with the lowest id keeps
/// Cartography's id, and the others add their own (`rtb-1|tgw-1|pl-2`).
pub(crate) fn ids(table: &RouteTable) -> Vec<String> {
    let mut lowest = HashMap::new();
    for route in table.routes() {
        let lowest = lowest.entry(target(route)).or_insert(route.destination_prefix_list_id());
        *lowest = (*lowest).min(route.destination_prefix_list_id());
    }
    let id = |route: &Route| {
        let list = route.destination_prefix_list_id();
        let further = list.filter(|_| lowest.get(&target(route)) != Some(&list));
        [table.route_table_id(), target(route), further].into_iter().flatten().collect::<Vec<_>>().join("|")
    };
    table.routes().iter().map(id).collect()
}

/// Cartography's `target`: the first value present, which is the destination unless that is a prefix list.
fn target(route: &Route) -> Option<&str> {
    let first = route.destination_cidr_block().or(route.destination_ipv6_cidr_block());
    first
        .or(route.gateway_id())
        .or(route.instance_id())
        .or(route.nat_gateway_id())
        .or(route.transit_gateway_id())
        .or(route.local_gateway_id())
        .or(route.carrier_gateway_id())
        .or(route.network_interface_id())
        .or(route.vpc_peering_connection_id())
        .or(route.egress_only_internet_gateway_id())
        .or(route.core_network_arn())
}

fn gateway<'a>(route: &'a Route, prefix: &str) -> Option<&'a str> {
    route.gateway_id().filter(|id| id.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::{ROUTE, Route, RouteTable, TableRoute, ids};
    use crate::route_table::ROUTE_TABLE;
    use collector::testing::render;
    use expect_test::expect;

    fn table(routes: impl Into<Vec<Route>>) -> RouteTable {
        RouteTable::builder().route_table_id("rtb-1").set_routes(Some(routes.into())).build()
    }

    #[test]
    fn a_full_route_leaves_nothing_null() {
        // No real route has all of these.
        let route = Route::builder()
            .carrier_gateway_id("cagw-1")
            .core_network_arn("arn:aws:networkmanager::111111111111:core-network/core-network-1")
            .destination_cidr_block("10.1.0.0/16")
            .destination_ipv6_cidr_block("::/0")
            .destination_prefix_list_id("pl-1")
            .egress_only_internet_gateway_id("eigw-1")
            .gateway_id("vpce-1")
            .instance_id("i-1")
            .instance_owner_id("111111111111")
            .local_gateway_id("lgw-1")
            .nat_gateway_id("nat-1")
            .network_interface_id("eni-1")
            .origin("CreateRoute".into())
            .state("active".into())
            .transit_gateway_id("tgw-1")
            .vpc_peering_connection_id("pcx-1")
            .build();
        expect![[r#"
            (:AWSEC2Route:EC2Route {id: "rtb-1|10.1.0.0/16"})
              carrier_gateway_id = "cagw-1"
              core_network_arn = "arn:aws:networkmanager::111111111111:core-network/core-network-1"
              destination_cidr_block = "10.1.0.0/16"
              destination_ipv6_cidr_block = "::/0"
              destination_prefix_list_id = "pl-1"
              egress_only_internet_gateway_id = "eigw-1"
              gateway_id = "vpce-1"
              instance_id = "i-1"
              instance_owner_id = "111111111111"
              local_gateway_id = "lgw-1"
              nat_gateway_id = "nat-1"
              network_interface_id = "eni-1"
              origin = "CreateRoute"
              state = "active"
              transit_gateway_id = "tgw-1"
              vpc_peering_connection_id = "pcx-1"
              vpc_endpoint_id = "vpce-1"
              region = "us-east-1"
              target = "10.1.0.0/16"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:ROUTES_TO_VPC_ENDPOINT]->(:AWSVpcEndpoint {id: "vpce-1"})
        "#]]
        .assert_eq(&render(&ROUTE, &TableRoute::of(&table([route]))[0], &[]));
    }

    #[test]
    fn a_route_is_named_by_its_destination_or_else_by_where_it_leads() {
        let check = |route: Route, expected: &str| assert_eq!(ids(&table([route])), [expected]);
        check(Route::builder().destination_cidr_block("0.0.0.0/0").gateway_id("igw-1").build(), "rtb-1|0.0.0.0/0");
        check(Route::builder().destination_ipv6_cidr_block("::/0").gateway_id("igw-1").build(), "rtb-1|::/0");
        check(Route::builder().destination_prefix_list_id("pl-1").gateway_id("vpce-1").build(), "rtb-1|vpce-1");
        check(Route::builder().destination_prefix_list_id("pl-1").build(), "rtb-1");
    }

    #[test]
    fn routes_of_prefix_lists_to_one_target_have_different_ids() {
        let to = |list: &str| Route::builder().destination_prefix_list_id(list);
        let routes = [
            to("pl-2").transit_gateway_id("tgw-1").build(),
            to("pl-1").transit_gateway_id("tgw-1").build(),
            Route::builder().destination_cidr_block("10.0.0.0/8").transit_gateway_id("tgw-1").build(),
            to("pl-4").build(),
            to("pl-3").build(),
        ];
        let expected = ["rtb-1|tgw-1|pl-2", "rtb-1|tgw-1", "rtb-1|10.0.0.0/8", "rtb-1|pl-4", "rtb-1"];
        let table = table(routes);
        assert_eq!(TableRoute::of(&table).into_iter().map(|route| route.id).collect::<Vec<_>>(), expected);
        let rendered = render(&ROUTE_TABLE, &table, &["owner_id", "vpc_id"]);
        let edges = rendered.lines().filter_map(|line| line.strip_prefix("  -[:ROUTE]->(:AWSEC2Route {id: "));
        assert_eq!(edges.collect::<Vec<_>>(), expected.map(|id| format!("{id:?}}})")));
    }

    #[test]
    fn only_an_internet_gateway_gets_the_gateway_edge() {
        let edges = |gateway: &str| {
            (ROUTE.edges[1].targets)(
                &TableRoute { id: "rtb-1".into(), it: Route::builder().gateway_id(gateway).build() },
                &collector::testing::place(),
            )
        };
        assert_eq!(edges("igw-1"), ["igw-1".into()]);
        assert_eq!(edges("local"), []);
        assert_eq!(edges("vgw-1"), []);
    }
}
