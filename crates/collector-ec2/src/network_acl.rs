//! Network ACLs with their rules: `DescribeNetworkAcls` ->
//! `(:AWSEC2NetworkAcl)<-[:MEMBER_OF_NACL]-(:AWSEC2NetworkAclRule)`.

use crate::{
    Clients,
    network_acl_rule::{AclRule, RULE},
};
use aws_sdk_ec2::types::NetworkAcl;
use collector::{Collecting, Edge, Listing, Node, Place, Sink, many, one, paged, prop};

/// Network ACLs. Cartography links an ACL of several subnets to the last one only; Groma links it to all.
pub(crate) static NETWORK_ACL: Node<NetworkAcl> = Node {
    extra_labels: &["EC2NetworkAcl"],
    id: arn,
    props: &[
        prop("arn", |it, place| arn(it, place).into()),
        prop("network_acl_id", |it, _| it.network_acl_id().into()),
        prop("is_default", |it, _| it.is_default().into()),
        prop("region", |_, place| (&place.region).into()),
        prop("vpc_id", |it, _| it.vpc_id().into()),
    ],
    edges: &[
        Edge::account(),
        Edge::out("MEMBER_OF_AWS_VPC", "AWSVpc", "vpcid", |it, _| one(it.vpc_id())),
        Edge::out("PART_OF_SUBNET", "AWSEC2Subnet", "subnetid", |it, _| {
            many(it.associations().iter().map(|association| association.subnet_id()))
        }),
    ],
    ..Node::of("AWSEC2NetworkAcl")
};

fn arn(it: &NetworkAcl, place: &Place) -> String {
    place.arn("ec2", &format!("network-acl/{}", it.network_acl_id().unwrap_or_default()))
}

pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeNetworkAcls",
    actions: &["ec2:DescribeNetworkAcls"],
    feeds: &[&NETWORK_ACL, &RULE],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut pages = paged!(clients.ec2.describe_network_acls().max_results(1000), next_token);
        while let Some(page) = pages.next().await {
            for acl in page?.network_acls() {
                sink.emit(&NETWORK_ACL, acl).await?;
                sink.emit_all(&RULE, &AclRule::of(acl)).await?;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::{NETWORK_ACL, NetworkAcl};
    use aws_sdk_ec2::types::NetworkAclAssociation;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_network_acl_leaves_nothing_null() {
        let association = |subnet: &str| NetworkAclAssociation::builder().subnet_id(subnet).build();
        let acl = NetworkAcl::builder()
            .network_acl_id("acl-1")
            .is_default(true)
            .vpc_id("vpc-1")
            .associations(association("subnet-1"))
            .associations(association("subnet-2"))
            .build();
        expect![[r#"
            (:AWSEC2NetworkAcl:EC2NetworkAcl {id: "arn:aws:ec2:us-east-1:111111111111:network-acl/acl-1"})
              arn = "arn:aws:ec2:us-east-1:111111111111:network-acl/acl-1"
              network_acl_id = "acl-1"
              is_default = true
              region = "us-east-1"
              vpc_id = "vpc-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:MEMBER_OF_AWS_VPC]->(:AWSVpc {vpcid: "vpc-1"})
              -[:PART_OF_SUBNET]->(:AWSEC2Subnet {subnetid: "subnet-1"})
              -[:PART_OF_SUBNET]->(:AWSEC2Subnet {subnetid: "subnet-2"})
        "#]]
        .assert_eq(&render(&NETWORK_ACL, &acl, &[]));
    }
}
