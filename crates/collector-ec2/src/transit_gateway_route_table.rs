//! Transit gateway route tables with their routes, associations and propagations: `DescribeTransitGatewayRouteTables`
//! and three calls for each table -> `(:AWSTransitGatewayRouteTable)` and others.

use crate::{
    Clients, route_table_part::PartOf, transit_gateway_association::ASSOCIATION,
    transit_gateway_propagation::PROPAGATION, transit_gateway_route::ROUTE,
};
use aws_sdk_ec2::types::{
    Filter, TransitGatewayRoute, TransitGatewayRouteTable, TransitGatewayRouteTableAssociation,
    TransitGatewayRouteTablePropagation, TransitGatewayRouteTableState as State,
};
use collector::{CollectError, Collecting, Details, Edge, Listing, Node, Sink, Value, one, paged, prop, unless_gone};

/// Route tables, which AWS lists only for the gateway's owner.
pub(crate) static ROUTE_TABLE: Node<TransitGatewayRouteTable> = Node {
    id: |it, _| it.transit_gateway_route_table_id().unwrap_or_default().to_owned(),
    props: &[
        prop("transit_gateway_id", |it, _| it.transit_gateway_id().into()),
        prop("state", |it, _| Value::text(it.state())),
        prop("region", |_, place| (&place.region).into()),
    ],
    edges: &[
        Edge::account(),
        Edge::incoming("CONTAINS", "AWSTransitGateway", "tgw_id", |it, _| one(it.transit_gateway_id())),
    ],
    ..Node::of("AWSTransitGatewayRouteTable")
};

/// Listing of route tables and their parts.
pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeTransitGatewayRouteTables",
    actions: &[
        "ec2:DescribeTransitGatewayRouteTables",
        "ec2:SearchTransitGatewayRoutes",
        "ec2:GetTransitGatewayRouteTableAssociations",
        "ec2:GetTransitGatewayRouteTablePropagations",
    ],
    feeds: &[&ROUTE_TABLE, &ROUTE, &ASSOCIATION, &PROPAGATION],
    collect,
};

/// All states of routes, because the search requires a filter.
const STATES: [&str; 5] = ["active", "blackhole", "pending", "deleting", "deleted"];

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut details = Details::default();
        let mut pages = paged!(clients.ec2.describe_transit_gateway_route_tables().max_results(1000), next_token);
        while let Some(page) = pages.next().await {
            for table in page?.transit_gateway_route_tables() {
                let mut parts = Parts::default();
                let read = parts.read(clients, table).await;
                if details.take(id(table), read)?.unless_gone().is_some() {
                    sink.emit(&ROUTE_TABLE, table).await?;
                    parts.emit(table, sink).await?;
                }
            }
        }
        details.end()
    })
}

/// Parts of a table. All are read before the table is written, because it may no longer exist. A transit gateway has at
/// most 10,000 routes and 5,000 attachments ("Quotas for your transit gateways").
#[derive(Default)]
struct Parts {
    routes: Vec<TransitGatewayRoute>,
    associations: Vec<TransitGatewayRouteTableAssociation>,
    propagations: Vec<TransitGatewayRouteTablePropagation>,
}

impl Parts {
    /// Reads all parts. `None`: the table is gone. After an error, `self` has the parts read before it.
    async fn read(&mut self, clients: &Clients, table: &TransitGatewayRouteTable) -> Result<Option<()>, CollectError> {
        // AWS lists a deleted table for hours and refuses calls about it.
        if matches!(table.state(), Some(State::Deleted | State::Deleting)) {
            return Ok(Some(()));
        }
        let there = self.read_routes(clients, table).await?.is_some()
            && self.read_associations(clients, table).await?.is_some()
            && self.read_propagations(clients, table).await?.is_some();
        Ok(there.then_some(()))
    }

    async fn read_routes(
        &mut self,
        clients: &Clients,
        table: &TransitGatewayRouteTable,
    ) -> Result<Option<()>, CollectError> {
        let any_state = Filter::builder().name("state").set_values(Some(STATES.map(str::to_owned).to_vec())).build();
        let call = clients.ec2.search_transit_gateway_routes().transit_gateway_route_table_id(id(table));
        // A page has 1000 routes by default, which is the maximum.
        let mut pages = paged!(call.filters(any_state), next_token);
        while let Some(page) = pages.next().await {
            let Some(page) = unless_gone(page)? else { return Ok(None) };
            if page.additional_routes_available() == Some(true) && page.next_token().is_none() {
                return Err(CollectError::internal("AWS has more routes but returned no token for them"));
            }
            self.routes.extend(page.routes.unwrap_or_default());
        }
        Ok(Some(()))
    }

    async fn read_associations(
        &mut self,
        clients: &Clients,
        table: &TransitGatewayRouteTable,
    ) -> Result<Option<()>, CollectError> {
        let call = clients.ec2.get_transit_gateway_route_table_associations().transit_gateway_route_table_id(id(table));
        let mut pages = paged!(call.max_results(1000), next_token);
        while let Some(page) = pages.next().await {
            let Some(page) = unless_gone(page)? else { return Ok(None) };
            self.associations.extend(page.associations.unwrap_or_default());
        }
        Ok(Some(()))
    }

    async fn read_propagations(
        &mut self,
        clients: &Clients,
        table: &TransitGatewayRouteTable,
    ) -> Result<Option<()>, CollectError> {
        let call = clients.ec2.get_transit_gateway_route_table_propagations().transit_gateway_route_table_id(id(table));
        let mut pages = paged!(call.max_results(1000), next_token);
        while let Some(page) = pages.next().await {
            let Some(page) = unless_gone(page)? else { return Ok(None) };
            self.propagations.extend(page.transit_gateway_route_table_propagations.unwrap_or_default());
        }
        Ok(Some(()))
    }

    async fn emit(self, table: &TransitGatewayRouteTable, sink: &mut Sink) -> Result<(), CollectError> {
        for route in self.routes {
            sink.emit(&ROUTE, &PartOf::new(table, route)).await?;
        }
        for association in self.associations {
            sink.emit(&ASSOCIATION, &PartOf::new(table, association)).await?;
        }
        for propagation in self.propagations {
            sink.emit(&PROPAGATION, &PartOf::new(table, propagation)).await?;
        }
        Ok(())
    }
}

fn id(table: &TransitGatewayRouteTable) -> &str {
    table.transit_gateway_route_table_id().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{LISTING, ROUTE_TABLE, TransitGatewayRouteTable};
    use crate::canned::Canned;
    use collector::{
        Sink,
        testing::{place, render},
    };
    use expect_test::expect;

    #[test]
    fn a_full_route_table_leaves_nothing_null() {
        let table = TransitGatewayRouteTable::builder()
            .transit_gateway_route_table_id("tgw-rtb-1")
            .transit_gateway_id("tgw-1")
            .state("available".into())
            .build();
        expect![[r#"
            (:AWSTransitGatewayRouteTable {id: "tgw-rtb-1"})
              transit_gateway_id = "tgw-1"
              state = "available"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              <-[:CONTAINS]-(:AWSTransitGateway {tgw_id: "tgw-1"})
        "#]]
        .assert_eq(&render(&ROUTE_TABLE, &table, &[]));
    }

    /// Each table, and each of its lists to the last page.
    #[tokio::test]
    async fn a_table_is_read_with_its_parts() {
        let server = Canned::answering(&[
            "<transitGatewayRouteTables><item><transitGatewayRouteTableId>tgw-rtb-1</transitGatewayRouteTableId></item>\
             </transitGatewayRouteTables>",
            "<routeSet><item><destinationCidrBlock>10.0.0.0/8</destinationCidrBlock></item></routeSet>\
             <nextToken>more</nextToken>",
            "<routeSet><item><destinationCidrBlock>2001:db8::/32</destinationCidrBlock></item></routeSet>",
            "<associations><item><transitGatewayAttachmentId>tgw-attach-1</transitGatewayAttachmentId></item>\
             </associations>",
            "<transitGatewayRouteTablePropagations><item><transitGatewayAttachmentId>tgw-attach-1\
             </transitGatewayAttachmentId></item></transitGatewayRouteTablePropagations>",
        ]);
        let mut sink = Sink::to_memory(place());
        (LISTING.collect)(&server.clients(), &mut sink).await.expect("answered");
        expect![[r"
            AWSTransitGatewayRouteTable tgw-rtb-1
            AWSTransitGatewayRoute tgw-rtb-1|10.0.0.0/8
            AWSTransitGatewayRoute tgw-rtb-1|2001:db8::/32
            AWSTransitGatewayRouteTableAssociation tgw-rtb-1|tgw-attach-1
            AWSTransitGatewayRouteTablePropagation tgw-rtb-1|tgw-attach-1"]]
        .assert_eq(&written(sink).await.join("\n"));
        assert_eq!(server.requests()[1].field("Filter.1.Value.5"), Some("deleted"));
    }

    /// Labels and ids of the written nodes.
    async fn written(sink: Sink) -> Vec<String> {
        let batches = sink.into_batches().await.expect("in memory");
        let tables = batches.iter().flat_map(|batch| &batch.nodes);
        tables.flat_map(|it| it.rows.iter().map(|row| format!("{} {}", it.label, row.id))).collect()
    }

    #[tokio::test]
    async fn a_deleted_table_is_not_asked_about_and_one_that_is_gone_is_left_out() {
        let server = Canned::answering(&[
            "<transitGatewayRouteTables>\
             <item><transitGatewayRouteTableId>tgw-rtb-1</transitGatewayRouteTableId><state>deleted</state></item>\
             <item><transitGatewayRouteTableId>tgw-rtb-2</transitGatewayRouteTableId><state>available</state></item>\
             </transitGatewayRouteTables>",
            "<routeSet><item><destinationCidrBlock>10.0.0.0/8</destinationCidrBlock></item></routeSet>",
            "!InvalidRouteTableID.NotFound gone",
        ]);
        let mut sink = Sink::to_memory(place());
        (LISTING.collect)(&server.clients(), &mut sink).await.expect("nothing failed");
        assert_eq!(server.requests().len(), 3);
        assert_eq!(written(sink).await, ["AWSTransitGatewayRouteTable tgw-rtb-1"]);
    }

    #[tokio::test]
    async fn a_table_that_cannot_be_read_counts_once_and_keeps_what_was_read() {
        let server = Canned::answering(&[
            "<transitGatewayRouteTables>\
             <item><transitGatewayRouteTableId>tgw-rtb-1</transitGatewayRouteTableId></item>\
             </transitGatewayRouteTables>",
            "<routeSet><item><destinationCidrBlock>10.0.0.0/8</destinationCidrBlock></item></routeSet>",
            "!InternalError no",
        ]);
        let mut sink = Sink::to_memory(place());
        let error = (LISTING.collect)(&server.clients(), &mut sink).await.expect_err("one failed");
        assert_eq!(error.message, "tgw-rtb-1: InternalError: no");
        assert_eq!(server.requests().len(), 3);
        assert_eq!(
            written(sink).await,
            ["AWSTransitGatewayRouteTable tgw-rtb-1", "AWSTransitGatewayRoute tgw-rtb-1|10.0.0.0/8"]
        );
    }
}
