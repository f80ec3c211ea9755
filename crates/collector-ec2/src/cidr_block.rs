//! CIDR blocks of VPCs, `(:AWSCidrBlock)`: part of the answer of `DescribeVpcs`.

use aws_sdk_ec2::types::{Vpc, VpcCidrBlockState};
use collector::{Edge, Node, Prop, Value, one, prop};

/// One block that is or was associated with a VPC.
#[derive(Debug, Clone, Default)]
pub(crate) struct CidrBlock {
    /// VPC that has it.
    pub(crate) vpc_id: String,
    /// The range.
    pub(crate) range: String,
    /// Id of the association.
    pub(crate) association_id: Option<String>,
    /// State of the association.
    pub(crate) state: Option<String>,
    /// AWS's message about that state.
    pub(crate) state_message: Option<String>,
}

/// IPv4 blocks. A peering also lists blocks of other accounts' VPCs; a block is kept as long as any listing has it.
pub(crate) static IPV4: Node<CidrBlock> = Node { extra_labels: &["AWSIpv4CidrBlock"], ..BLOCK };

/// IPv6 blocks.
pub(crate) static IPV6: Node<CidrBlock> = Node { extra_labels: &["AWSIpv6CidrBlock"], ..BLOCK };

const BLOCK: Node<CidrBlock> =
    Node { id: |it, _| format!("{}|{}", it.vpc_id, it.range), props: PROPS, edges: EDGES, ..Node::of("AWSCidrBlock") };

const PROPS: &[Prop<CidrBlock>] = &[
    prop("vpcid", |it, _| (&it.vpc_id).into()),
    prop("association_id", |it, _| Value::text(it.association_id.as_ref())),
    prop("cidr_block", |it, _| (&it.range).into()),
    prop("block_state", |it, _| Value::text(it.state.as_ref())),
    prop("block_state_message", |it, _| Value::text(it.state_message.as_ref())),
];

const EDGES: &[Edge<CidrBlock>] = &[Edge::incoming("BLOCK_ASSOCIATION", "AWSVpc", "id", |it, _| one(Some(&it.vpc_id)))];

impl CidrBlock {
    /// The IPv4 blocks of a VPC.
    pub(crate) fn ipv4_of(vpc: &Vpc) -> Vec<Self> {
        let blocks = vpc.cidr_block_association_set().iter();
        blocks.map(|it| Self::new(vpc, it.cidr_block(), it.association_id(), it.cidr_block_state())).collect()
    }

    /// The IPv6 blocks of a VPC.
    pub(crate) fn ipv6_of(vpc: &Vpc) -> Vec<Self> {
        let blocks = vpc.ipv6_cidr_block_association_set().iter();
        blocks.map(|it| Self::new(vpc, it.ipv6_cidr_block(), it.association_id(), it.ipv6_cidr_block_state())).collect()
    }

    fn new(vpc: &Vpc, block: Option<&str>, association: Option<&str>, state: Option<&VpcCidrBlockState>) -> Self {
        Self {
            vpc_id: vpc.vpc_id().unwrap_or_default().to_owned(),
            range: block.unwrap_or_default().to_owned(),
            association_id: association.map(str::to_owned),
            state: state.and_then(VpcCidrBlockState::state).map(|state| state.as_str().to_owned()),
            state_message: state.and_then(VpcCidrBlockState::status_message).map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CidrBlock, IPV4, IPV6};
    use aws_sdk_ec2::types::{Vpc, VpcCidrBlockAssociation, VpcCidrBlockState, VpcIpv6CidrBlockAssociation};
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_block_is_named_by_its_vpc_and_range() {
        let state = VpcCidrBlockState::builder().state("failed".into()).status_message("limit reached").build();
        let ipv4 = VpcCidrBlockAssociation::builder().association_id("vpc-cidr-assoc-1").cidr_block("10.0.0.0/16");
        let ipv6 =
            VpcIpv6CidrBlockAssociation::builder().association_id("vpc-cidr-assoc-2").ipv6_cidr_block("2001:db8::/56");
        let vpc = Vpc::builder()
            .vpc_id("vpc-1")
            .cidr_block_association_set(ipv4.cidr_block_state(state.clone()).build())
            .ipv6_cidr_block_association_set(ipv6.ipv6_cidr_block_state(state).build())
            .build();
        expect![[r#"
            (:AWSCidrBlock:AWSIpv4CidrBlock {id: "vpc-1|10.0.0.0/16"})
              vpcid = "vpc-1"
              association_id = "vpc-cidr-assoc-1"
              cidr_block = "10.0.0.0/16"
              block_state = "failed"
              block_state_message = "limit reached"
              <-[:BLOCK_ASSOCIATION]-(:AWSVpc {id: "vpc-1"})
        "#]]
        .assert_eq(&render(&IPV4, &CidrBlock::ipv4_of(&vpc)[0], &[]));
        expect![[r#"
            (:AWSCidrBlock:AWSIpv6CidrBlock {id: "vpc-1|2001:db8::/56"})
              vpcid = "vpc-1"
              association_id = "vpc-cidr-assoc-2"
              cidr_block = "2001:db8::/56"
              block_state = "failed"
              block_state_message = "limit reached"
              <-[:BLOCK_ASSOCIATION]-(:AWSVpc {id: "vpc-1"})
        "#]]
        .assert_eq(&render(&IPV6, &CidrBlock::ipv6_of(&vpc)[0], &[]));
    }
}
