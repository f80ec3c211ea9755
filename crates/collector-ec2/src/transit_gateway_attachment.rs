//! Transit gateway attachments: `DescribeTransitGatewayAttachments` and, if any is of a VPC,
//! `DescribeTransitGatewayVpcAttachments` -> `(:AWSTransitGatewayAttachment)`.

use crate::Clients;
use aws_sdk_ec2::types::{TransitGatewayAttachment, TransitGatewayAttachmentResourceType, TransitGatewayVpcAttachment};
use collector::{CollectError, Collecting, Edge, Listing, Node, Sink, Value, many, one, paged, prop};

/// Attachments of any kind.
pub(crate) static ATTACHMENT: Node<TransitGatewayAttachment> = Node {
    id: |it, _| it.transit_gateway_attachment_id().unwrap_or_default().to_owned(),
    props: &[
        prop("resource_type", |it, _| Value::text(it.resource_type())),
        prop("state", |it, _| Value::text(it.state())),
        prop("region", |_, place| (&place.region).into()),
    ],
    edges: &[
        Edge::account(),
        Edge::out("ATTACHED_TO", "AWSTransitGateway", "tgw_id", |it, _| one(it.transit_gateway_id())),
    ],
    ..Node::of("AWSTransitGatewayAttachment")
};

/// Further properties of VPC attachments.
pub(crate) static VPC_ATTACHMENT: Node<TransitGatewayVpcAttachment> = Node {
    id: |it, _| it.transit_gateway_attachment_id().unwrap_or_default().to_owned(),
    props: &[prop("state", |it, _| Value::text(it.state())), prop("region", |_, place| (&place.region).into())],
    edges: &[
        Edge::account(),
        Edge::out("ATTACHED_TO", "AWSTransitGateway", "tgw_id", |it, _| one(it.transit_gateway_id())),
        Edge::incoming("RESOURCE", "AWSVpc", "id", |it, _| one(it.vpc_id())),
        Edge::out("PART_OF_SUBNET", "AWSEC2Subnet", "subnetid", |it, _| {
            many(it.subnet_ids().iter().map(|id| Some(id.as_str())))
        }),
    ],
    ..Node::of("AWSTransitGatewayAttachment")
};

/// The calls.
pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeTransitGatewayAttachments",
    actions: &["ec2:DescribeTransitGatewayAttachments", "ec2:DescribeTransitGatewayVpcAttachments"],
    feeds: &[&ATTACHMENT, &VPC_ATTACHMENT],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut of_vpcs = false;
        let mut pages = paged!(clients.ec2.describe_transit_gateway_attachments().max_results(1000), next_token);
        while let Some(page) = pages.next().await {
            let page = page?;
            let attachments = page.transit_gateway_attachments();
            of_vpcs |= attachments.iter().any(is_of_vpc);
            sink.emit_all(&ATTACHMENT, attachments).await?;
        }
        if of_vpcs { collect_of_vpcs(clients, sink).await } else { Ok(()) }
    })
}

fn is_of_vpc(attachment: &TransitGatewayAttachment) -> bool {
    attachment.resource_type() == Some(&TransitGatewayAttachmentResourceType::Vpc)
}

async fn collect_of_vpcs(clients: &Clients, sink: &mut Sink) -> Result<(), CollectError> {
    let mut pages = paged!(clients.ec2.describe_transit_gateway_vpc_attachments().max_results(1000), next_token);
    while let Some(page) = pages.next().await {
        sink.emit_all(&VPC_ATTACHMENT, page?.transit_gateway_vpc_attachments()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{ATTACHMENT, LISTING, TransitGatewayAttachment, TransitGatewayVpcAttachment, VPC_ATTACHMENT};
    use crate::canned::Canned;
    use collector::{
        Sink,
        testing::{place, render},
    };
    use expect_test::expect;

    #[test]
    fn a_full_attachment_leaves_nothing_null() {
        let attachment = TransitGatewayAttachment::builder()
            .transit_gateway_attachment_id("tgw-attach-1")
            .transit_gateway_id("tgw-1")
            .resource_type("vpc".into())
            .state("available".into())
            .build();
        expect![[r#"
            (:AWSTransitGatewayAttachment {id: "tgw-attach-1"})
              resource_type = "vpc"
              state = "available"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:ATTACHED_TO]->(:AWSTransitGateway {tgw_id: "tgw-1"})
        "#]]
        .assert_eq(&render(&ATTACHMENT, &attachment, &[]));
    }

    #[test]
    fn an_attachment_of_a_vpc_has_its_subnets() {
        let attachment = TransitGatewayVpcAttachment::builder()
            .transit_gateway_attachment_id("tgw-attach-1")
            .transit_gateway_id("tgw-1")
            .vpc_id("vpc-1")
            .state("available".into())
            .subnet_ids("subnet-1")
            .subnet_ids("subnet-2")
            .build();
        expect![[r#"
            (:AWSTransitGatewayAttachment {id: "tgw-attach-1"})
              state = "available"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:ATTACHED_TO]->(:AWSTransitGateway {tgw_id: "tgw-1"})
              <-[:RESOURCE]-(:AWSVpc {id: "vpc-1"})
              -[:PART_OF_SUBNET]->(:AWSEC2Subnet {subnetid: "subnet-1"})
              -[:PART_OF_SUBNET]->(:AWSEC2Subnet {subnetid: "subnet-2"})
        "#]]
        .assert_eq(&render(&VPC_ATTACHMENT, &attachment, &[]));
    }

    async fn calls(resource_type: &'static str) -> usize {
        let server = Canned::answering(&[resource_type]);
        (LISTING.collect)(&server.clients(), &mut Sink::to_memory(place())).await.expect("answered");
        server.requests().len()
    }

    #[tokio::test]
    async fn vpc_attachments_are_asked_for_where_there_are_any() {
        let of = "<transitGatewayAttachments><item><transitGatewayAttachmentId>tgw-attach-1</transitGatewayAttachmentId>\
            <resourceType>vpc</resourceType></item></transitGatewayAttachments>";
        assert_eq!((calls(of).await, calls("").await), (2, 1));
    }
}
