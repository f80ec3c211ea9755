//! Internet gateways: `DescribeInternetGateways` -> `(:AWSInternetGateway)`.

use crate::{Clients, arn};
use aws_sdk_ec2::types::InternetGateway;
use collector::{Collecting, Edge, Listing, Node, Sink, indexed, many, paged, prop};

/// Internet gateways, attached or not.
pub(crate) static INTERNET_GATEWAY: Node<InternetGateway> = Node {
    id: |it, _| it.internet_gateway_id().unwrap_or_default().to_owned(),
    props: &[
        prop("region", |_, place| (&place.region).into()),
        prop("ownerid", |it, place| it.owner_id().unwrap_or(&place.account_id).into()),
        indexed("arn", |it, place| {
            let id = it.internet_gateway_id().unwrap_or_default();
            arn::owned(it.owner_id(), place, "ec2", &format!("internet-gateway/{id}")).into()
        }),
    ],
    edges: &[
        Edge::account(),
        Edge::out("ATTACHED_TO", "AWSVpc", "id", |it, _| {
            many(it.attachments().iter().map(|attachment| attachment.vpc_id()))
        }),
    ],
    ..Node::of("AWSInternetGateway")
};

pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeInternetGateways",
    actions: &["ec2:DescribeInternetGateways"],
    feeds: &[&INTERNET_GATEWAY],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut pages = paged!(clients.ec2.describe_internet_gateways().max_results(1000), next_token);
        while let Some(page) = pages.next().await {
            sink.emit_all(&INTERNET_GATEWAY, page?.internet_gateways()).await?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::{INTERNET_GATEWAY, InternetGateway};
    use aws_sdk_ec2::types::InternetGatewayAttachment;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_gateway_leaves_nothing_null() {
        let gateway = InternetGateway::builder()
            .internet_gateway_id("igw-1")
            .owner_id("222222222222")
            .attachments(InternetGatewayAttachment::builder().vpc_id("vpc-1").build())
            .build();
        expect![[r#"
            (:AWSInternetGateway {id: "igw-1"})
              region = "us-east-1"
              ownerid = "222222222222"
              arn (indexed) = "arn:aws:ec2:us-east-1:222222222222:internet-gateway/igw-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:ATTACHED_TO]->(:AWSVpc {id: "vpc-1"})
        "#]]
        .assert_eq(&render(&INTERNET_GATEWAY, &gateway, &[]));
    }

    #[test]
    fn without_an_owner_it_is_the_accounts() {
        let gateway = InternetGateway::builder().internet_gateway_id("igw-1").build();
        expect![[r#"
            (:AWSInternetGateway {id: "igw-1"})
              region = "us-east-1"
              ownerid = "111111111111"
              arn (indexed) = "arn:aws:ec2:us-east-1:111111111111:internet-gateway/igw-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&INTERNET_GATEWAY, &gateway, &[]));
    }
}
