//! VPC peerings with the VPCs, CIDR blocks and accounts of both sides: `DescribeVpcPeeringConnections` ->
//! `(:AWSPeeringConnection)` and others.
//!
//! A peering has only a VPC's id, owner and region and a block's range, so nothing else is written. Cartography removes
//! all other properties that `DescribeVpcs` set on the same nodes, and gives a VPC in another region the region of the
//! call.

use crate::Clients;
use aws_sdk_ec2::types::{
    VpcPeeringConnection, VpcPeeringConnectionOptionsDescription as Options, VpcPeeringConnectionStateReason,
    VpcPeeringConnectionVpcInfo as Side,
};
use collector::{CollectError, Collecting, Edge, Listing, Node, Sink, Value, copied, indexed, one, paged, prop};

/// Peerings.
pub(crate) static PEERING: Node<VpcPeeringConnection> = Node {
    id: |it, _| it.vpc_peering_connection_id().unwrap_or_default().to_owned(),
    props: &[
        prop("allow_dns_resolution_from_remote_vpc", |it, _| {
            options(it).and_then(Options::allow_dns_resolution_from_remote_vpc).into()
        }),
        prop("allow_egress_from_local_classic_link_to_remote_vpc", |it, _| {
            options(it).and_then(Options::allow_egress_from_local_classic_link_to_remote_vpc).into()
        }),
        prop("allow_egress_from_local_vpc_to_remote_classic_link", |it, _| {
            options(it).and_then(Options::allow_egress_from_local_vpc_to_remote_classic_link).into()
        }),
        prop("requester_region", |it, _| it.requester_vpc_info().and_then(Side::region).into()),
        prop("accepter_region", |it, _| it.accepter_vpc_info().and_then(Side::region).into()),
        prop("status_code", |it, _| Value::text(it.status().and_then(VpcPeeringConnectionStateReason::code))),
        prop("status_message", |it, _| it.status().and_then(VpcPeeringConnectionStateReason::message).into()),
    ],
    edges: &[
        Edge::account(),
        Edge::out("ACCEPTER_VPC", "AWSVpc", "id", |it, _| one(it.accepter_vpc_info().and_then(Side::vpc_id))),
        Edge::out("REQUESTER_VPC", "AWSVpc", "id", |it, _| one(it.requester_vpc_info().and_then(Side::vpc_id))),
        Edge::out("ACCEPTER_CIDR", "AWSCidrBlock", "id", |it, _| block_ids(it.accepter_vpc_info())),
        Edge::out("REQUESTER_CIDR", "AWSCidrBlock", "id", |it, _| block_ids(it.requester_vpc_info())),
    ],
    ..Node::of("AWSPeeringConnection")
};

/// VPCs of either side, of any owner.
pub(crate) static VPC: Node<Side> = Node {
    extra_labels: &["VirtualNetwork"],
    id: |it, _| it.vpc_id().unwrap_or_default().to_owned(),
    props: &[
        indexed("vpcid", |it, _| it.vpc_id().into()),
        prop("region", |it, place| it.region().unwrap_or(&place.region).into()),
    ],
    ontology: &[copied("_ont_name", "id"), copied("_ont_region", "region")],
    edges: &[Edge::incoming("RESOURCE", "AWSAccount", "id", |it, _| one(it.owner_id()))],
    ..Node::of("AWSVpc")
};

/// Accounts of either side: no listing of this account may delete one.
pub(crate) static ACCOUNT: Node<String> = Node {
    shared: |_| true,
    id: |id, _| id.clone(),
    props: &[prop("_ont_source", |_, _| "aws".into())],
    ..Node::of("AWSAccount")
};

/// A range of a VPC.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// The VPC.
    pub(crate) vpc_id: String,
    /// The range.
    pub(crate) cidr_block: String,
}

/// IPv4 blocks of either side; Cartography reads no IPv6 blocks of peerings. A block belongs to the place that sees the
/// peering and to the place that sees the VPC, and is removed once neither sees it.
pub(crate) static CIDR_BLOCK: Node<Block> = Node {
    extra_labels: &["AWSIpv4CidrBlock"],
    id: |it, _| it.id(),
    props: &[prop("vpcid", |it, _| (&it.vpc_id).into()), prop("cidr_block", |it, _| (&it.cidr_block).into())],
    edges: &[Edge::incoming("BLOCK_ASSOCIATION", "AWSVpc", "id", |it, _| one(Some(&it.vpc_id)))],
    ..Node::of("AWSCidrBlock")
};

impl Block {
    fn id(&self) -> String {
        format!("{}|{}", self.vpc_id, self.cidr_block)
    }

    fn of(side: &Side) -> Vec<Self> {
        let ranges = side.cidr_block_set().iter().filter_map(|block| block.cidr_block());
        let vpc_id = side.vpc_id().unwrap_or_default();
        ranges.map(|range| Self { vpc_id: vpc_id.to_owned(), cidr_block: range.to_owned() }).collect()
    }
}

/// The requester's value, as in Cartography.
fn options(it: &VpcPeeringConnection) -> Option<&Options> {
    it.requester_vpc_info().and_then(Side::peering_options)
}

fn block_ids(side: Option<&Side>) -> Vec<collector::Target> {
    side.map(Block::of).unwrap_or_default().iter().map(|block| block.id().into()).collect()
}

pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeVpcPeeringConnections",
    actions: &["ec2:DescribeVpcPeeringConnections"],
    feeds: &[&PEERING, &ACCOUNT, &VPC, &CIDR_BLOCK],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut pages = paged!(clients.ec2.describe_vpc_peering_connections().max_results(1000), next_token);
        while let Some(page) = pages.next().await {
            for peering in page?.vpc_peering_connections() {
                for side in [peering.requester_vpc_info(), peering.accepter_vpc_info()].into_iter().flatten() {
                    emit_side(side, sink).await?;
                }
                sink.emit(&PEERING, peering).await?;
            }
        }
        Ok(())
    })
}

/// A side that was never accepted may have only its ids.
async fn emit_side(side: &Side, sink: &mut Sink) -> Result<(), CollectError> {
    if let Some(owner) = side.owner_id() {
        sink.emit(&ACCOUNT, &owner.to_owned()).await?;
    }
    if side.vpc_id().is_some() {
        sink.emit(&VPC, side).await?;
        sink.emit_all(&CIDR_BLOCK, &Block::of(side)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{
        ACCOUNT, Block, CIDR_BLOCK, Options, PEERING, Side, VPC, VpcPeeringConnection, VpcPeeringConnectionStateReason,
    };
    use aws_sdk_ec2::types::CidrBlock;
    use collector::{
        Sink,
        testing::{place, render},
    };
    use events::Ownership;
    use expect_test::expect;

    fn side(account: &str, vpc: &str, region: &str, block: &str) -> Side {
        let options = Options::builder()
            .allow_dns_resolution_from_remote_vpc(true)
            .allow_egress_from_local_classic_link_to_remote_vpc(false)
            .allow_egress_from_local_vpc_to_remote_classic_link(false);
        Side::builder()
            .owner_id(account)
            .vpc_id(vpc)
            .region(region)
            .cidr_block_set(CidrBlock::builder().cidr_block(block).build())
            .peering_options(options.build())
            .build()
    }

    #[test]
    fn a_full_peering_leaves_nothing_null() {
        let status = VpcPeeringConnectionStateReason::builder().code("active".into()).message("Active").build();
        let peering = VpcPeeringConnection::builder()
            .vpc_peering_connection_id("pcx-1")
            .requester_vpc_info(side("111111111111", "vpc-1", "us-east-1", "10.0.0.0/16"))
            .accepter_vpc_info(side("222222222222", "vpc-2", "eu-west-1", "10.1.0.0/16"))
            .status(status)
            .build();
        expect![[r#"
            (:AWSPeeringConnection {id: "pcx-1"})
              allow_dns_resolution_from_remote_vpc = true
              allow_egress_from_local_classic_link_to_remote_vpc = false
              allow_egress_from_local_vpc_to_remote_classic_link = false
              requester_region = "us-east-1"
              accepter_region = "eu-west-1"
              status_code = "active"
              status_message = "Active"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:ACCEPTER_VPC]->(:AWSVpc {id: "vpc-2"})
              -[:REQUESTER_VPC]->(:AWSVpc {id: "vpc-1"})
              -[:ACCEPTER_CIDR]->(:AWSCidrBlock {id: "vpc-2|10.1.0.0/16"})
              -[:REQUESTER_CIDR]->(:AWSCidrBlock {id: "vpc-1|10.0.0.0/16"})
        "#]]
        .assert_eq(&render(&PEERING, &peering, &[]));
    }

    #[test]
    fn the_other_side_is_the_other_accounts() {
        let other = side("222222222222", "vpc-2", "eu-west-1", "10.1.0.0/16");
        let rendered = [
            render(&ACCOUNT, &"222222222222".to_owned(), &[]),
            render(&VPC, &other, &[]),
            render(&CIDR_BLOCK, &Block::of(&other)[0], &[]),
        ];
        expect![[r#"
            (:AWSAccount {id: "222222222222"})
              _ont_source = "aws"
            (:AWSVpc:VirtualNetwork {id: "vpc-2"})
              vpcid (indexed) = "vpc-2"
              region = "eu-west-1"
              _ont_name (indexed) = "vpc-2"
              _ont_region (indexed) = "eu-west-1"
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "222222222222"})
            (:AWSCidrBlock:AWSIpv4CidrBlock {id: "vpc-2|10.1.0.0/16"})
              vpcid = "vpc-2"
              cidr_block = "10.1.0.0/16"
              <-[:BLOCK_ASSOCIATION]-(:AWSVpc {id: "vpc-2"})
        "#]]
        .assert_eq(&rendered.concat());
    }

    /// A shared node stays as long as any node points at it, and the VPC does.
    #[tokio::test]
    async fn a_block_belongs_to_the_places_that_see_it() {
        let mut sink = Sink::to_memory(place());
        let other = side("222222222222", "vpc-2", "eu-west-1", "10.1.0.0/16");
        sink.emit_all(&CIDR_BLOCK, &Block::of(&other)).await.expect("memory takes all");
        sink.emit(&ACCOUNT, &"222222222222".to_owned()).await.expect("memory takes all");
        let batches = sink.into_batches().await.expect("in memory");
        let ownerships = batches[0].nodes.iter().map(|table| (table.label.as_str(), table.ownership()));
        let expected = [("AWSCidrBlock", Ownership::Scope), ("AWSAccount", Ownership::Shared)];
        assert_eq!(ownerships.collect::<Vec<_>>(), expected);
    }
}
