//! Transit gateways, the account's own and those shared with it: `DescribeTransitGateways` -> `(:AWSTransitGateway)`.

use crate::Clients;
use aws_sdk_ec2::types::TransitGateway;
use collector::{Collecting, Edge, Listing, Node, Sink, Value, one, paged, prop};

/// Transit gateways. They belong to their owner's account, regardless of the account that lists them.
pub(crate) static TRANSIT_GATEWAY: Node<TransitGateway> = Node {
    id: |it, _| it.transit_gateway_arn().unwrap_or_default().to_owned(),
    props: &[
        prop("arn", |it, _| it.transit_gateway_arn().into()),
        prop("tgw_id", |it, _| it.transit_gateway_id().into()),
        prop("ownerid", |it, _| it.owner_id().into()),
        prop("state", |it, _| Value::text(it.state())),
        prop("description", |it, _| it.description().into()),
        prop("region", |_, place| (&place.region).into()),
    ],
    edges: &[
        Edge::incoming("RESOURCE", "AWSAccount", "id", |it, _| one(it.owner_id())),
        Edge::out("SHARED_WITH", "AWSAccount", "id", |it, place| {
            one(Some(&place.account_id).filter(|account| it.owner_id() != Some(account)))
        }),
    ],
    ..Node::of("AWSTransitGateway")
};

pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeTransitGateways",
    actions: &["ec2:DescribeTransitGateways"],
    feeds: &[&TRANSIT_GATEWAY],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut pages = paged!(clients.ec2.describe_transit_gateways().max_results(1000), next_token);
        while let Some(page) = pages.next().await {
            sink.emit_all(&TRANSIT_GATEWAY, page?.transit_gateways()).await?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::{TRANSIT_GATEWAY, TransitGateway};
    use collector::testing::render;
    use expect_test::expect;

    fn owned_by(account: &str) -> String {
        let gateway = TransitGateway::builder()
            .transit_gateway_arn("arn:aws:ec2:us-east-1:222222222222:transit-gateway/tgw-1")
            .transit_gateway_id("tgw-1")
            .owner_id(account)
            .state("available".into())
            .description("hub")
            .build();
        render(&TRANSIT_GATEWAY, &gateway, &[])
    }

    #[test]
    fn a_gateway_of_another_account_is_shared_with_this_one() {
        expect![[r#"
            (:AWSTransitGateway {id: "arn:aws:ec2:us-east-1:222222222222:transit-gateway/tgw-1"})
              arn = "arn:aws:ec2:us-east-1:222222222222:transit-gateway/tgw-1"
              tgw_id = "tgw-1"
              ownerid = "222222222222"
              state = "available"
              description = "hub"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "222222222222"})
              -[:SHARED_WITH]->(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&owned_by("222222222222"));
    }

    #[test]
    fn an_own_gateway_is_not_shared() {
        assert!(!owned_by("111111111111").contains("SHARED_WITH"));
    }
}
