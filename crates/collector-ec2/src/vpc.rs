//! VPCs and their CIDR blocks: `DescribeVpcs` -> `(:AWSVpc)`, `(:AWSCidrBlock)`.

use crate::{
    Clients,
    cidr_block::{self, CidrBlock},
};
use aws_sdk_ec2::types::Vpc;
use collector::{Collecting, Edge, Listing, Node, Sink, Value, copied, indexed, paged, prop};

/// VPCs of the account.
pub(crate) static VPC: Node<Vpc> = Node {
    extra_labels: &["VirtualNetwork"],
    id: |it, _| it.vpc_id().unwrap_or_default().to_owned(),
    props: &[
        indexed("vpcid", |it, _| it.vpc_id().into()),
        prop("primary_cidr_block", |it, _| it.cidr_block().into()),
        prop("instance_tenancy", |it, _| Value::text(it.instance_tenancy())),
        prop("state", |it, _| Value::text(it.state())),
        prop("is_default", |it, _| it.is_default().into()),
        prop("dhcp_options_id", |it, _| it.dhcp_options_id().into()),
        prop("region", |_, place| (&place.region).into()),
    ],
    ontology: &[copied("_ont_name", "id"), copied("_ont_cidr", "primary_cidr_block"), copied("_ont_region", "region")],
    edges: &[Edge::account()],
    ..Node::of("AWSVpc")
};

pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeVpcs",
    actions: &["ec2:DescribeVpcs"],
    feeds: &[&VPC, &cidr_block::IPV4, &cidr_block::IPV6],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut pages = paged!(clients.ec2.describe_vpcs().max_results(1000), next_token);
        while let Some(page) = pages.next().await {
            for vpc in page?.vpcs() {
                sink.emit(&VPC, vpc).await?;
                sink.emit_all(&cidr_block::IPV4, &CidrBlock::ipv4_of(vpc)).await?;
                sink.emit_all(&cidr_block::IPV6, &CidrBlock::ipv6_of(vpc)).await?;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::{LISTING, VPC, Vpc};
    use crate::canned::Canned;
    use collector::{
        Sink,
        testing::{place, render},
    };
    use events::FailureClass;
    use expect_test::expect;

    #[test]
    fn a_full_vpc_leaves_nothing_null() {
        let vpc = Vpc::builder()
            .vpc_id("vpc-1")
            .cidr_block("10.0.0.0/16")
            .instance_tenancy("default".into())
            .state("available".into())
            .is_default(false)
            .dhcp_options_id("dopt-1")
            .build();
        expect![[r#"
            (:AWSVpc:VirtualNetwork {id: "vpc-1"})
              vpcid (indexed) = "vpc-1"
              primary_cidr_block = "10.0.0.0/16"
              instance_tenancy = "default"
              state = "available"
              is_default = false
              dhcp_options_id = "dopt-1"
              region = "us-east-1"
              _ont_name (indexed) = "vpc-1"
              _ont_cidr (indexed) = "10.0.0.0/16"
              _ont_region (indexed) = "us-east-1"
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&VPC, &vpc, &[]));
    }

    #[tokio::test]
    async fn a_page_token_that_is_repeated_fails_the_listing() {
        let page = "<vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet><nextToken>again</nextToken>";
        let server = Canned::answering(&[page, page]);
        let mut sink = Sink::to_memory(place());
        let error = (LISTING.collect)(&server.clients(), &mut sink).await.expect_err("the rest is not read");
        assert_eq!(error.class, FailureClass::Service);
        assert!(error.message.contains("same page token twice"), "{error}");
    }
}
