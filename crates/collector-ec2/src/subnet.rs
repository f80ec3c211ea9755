//! Subnets: `DescribeSubnets` -> `(:AWSEC2Subnet)`.

use crate::Clients;
use aws_sdk_ec2::types::Subnet;
use collector::{Collecting, Edge, Listing, Node, Sink, Value, copied, indexed, one, paged, prop};

/// Subnets as `DescribeSubnets` knows them.
pub(crate) static SUBNET: Node<Subnet> = Node {
    extra_labels: LABELS,
    id: |it, _| it.subnet_id().unwrap_or_default().to_owned(),
    props: &[
        indexed("subnetid", |it, _| it.subnet_id().into()),
        indexed("subnet_id", |it, _| it.subnet_id().into()),
        prop("subnet_arn", |it, _| it.subnet_arn().into()),
        prop("name", |it, _| it.cidr_block().into()),
        prop("cidr_block", |it, _| it.cidr_block().into()),
        prop("available_ip_address_count", |it, _| it.available_ip_address_count().into()),
        prop("default_for_az", |it, _| it.default_for_az().into()),
        prop("map_customer_owned_ip_on_launch", |it, _| it.map_customer_owned_ip_on_launch().into()),
        prop("state", |it, _| Value::text(it.state())),
        prop("assignipv6addressoncreation", |it, _| it.assign_ipv6_address_on_creation().into()),
        prop("map_public_ip_on_launch", |it, _| it.map_public_ip_on_launch().into()),
        prop("availability_zone", |it, _| it.availability_zone().into()),
        prop("availability_zone_id", |it, _| it.availability_zone_id().into()),
        prop("vpc_id", |it, _| it.vpc_id().into()),
        prop("region", |_, place| (&place.region).into()),
    ],
    ontology: &[
        copied("_ont_name", "id"),
        copied("_ont_region", "region"),
        copied("_ont_cidr_block", "cidr_block"),
        copied("_ont_availability_zone", "availability_zone"),
    ],
    edges: &[Edge::account(), Edge::out("MEMBER_OF_AWS_VPC", "AWSVpc", "id", |it, _| one(it.vpc_id()))],
    ..Node::of("AWSEC2Subnet")
};

/// Subnets that other listings mention by id.
pub(crate) static MENTION: Node<String> = Node {
    extra_labels: LABELS,
    id: |id, _| id.clone(),
    props: &[
        indexed("subnetid", |id, _| id.into()),
        indexed("subnet_id", |id, _| id.into()),
        prop("region", |_, place| (&place.region).into()),
    ],
    ontology: &[copied("_ont_name", "id"), copied("_ont_region", "region")],
    edges: &[Edge::account()],
    ..Node::of("AWSEC2Subnet")
};

const LABELS: &[&str] = &["EC2Subnet", "Subnet"];

pub(crate) const LISTING: Listing<Clients> =
    Listing { name: "DescribeSubnets", actions: &["ec2:DescribeSubnets"], feeds: &[&SUBNET], collect };

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut pages = paged!(clients.ec2.describe_subnets().max_results(1000), next_token);
        while let Some(page) = pages.next().await {
            sink.emit_all(&SUBNET, page?.subnets()).await?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::{MENTION, SUBNET, Subnet};
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_subnet_leaves_nothing_null() {
        let subnet = Subnet::builder()
            .subnet_id("subnet-1")
            .subnet_arn("arn:aws:ec2:us-east-1:111111111111:subnet/subnet-1")
            .cidr_block("10.0.1.0/24")
            .available_ip_address_count(251)
            .default_for_az(false)
            .map_customer_owned_ip_on_launch(false)
            .state("available".into())
            .assign_ipv6_address_on_creation(true)
            .map_public_ip_on_launch(true)
            .availability_zone("us-east-1a")
            .availability_zone_id("use1-az1")
            .vpc_id("vpc-1")
            .build();
        expect![[r#"
            (:AWSEC2Subnet:EC2Subnet:Subnet {id: "subnet-1"})
              subnetid (indexed) = "subnet-1"
              subnet_id (indexed) = "subnet-1"
              subnet_arn = "arn:aws:ec2:us-east-1:111111111111:subnet/subnet-1"
              name = "10.0.1.0/24"
              cidr_block = "10.0.1.0/24"
              available_ip_address_count = 251
              default_for_az = false
              map_customer_owned_ip_on_launch = false
              state = "available"
              assignipv6addressoncreation = true
              map_public_ip_on_launch = true
              availability_zone = "us-east-1a"
              availability_zone_id = "use1-az1"
              vpc_id = "vpc-1"
              region = "us-east-1"
              _ont_name (indexed) = "subnet-1"
              _ont_region (indexed) = "us-east-1"
              _ont_cidr_block (indexed) = "10.0.1.0/24"
              _ont_availability_zone (indexed) = "us-east-1a"
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:MEMBER_OF_AWS_VPC]->(:AWSVpc {id: "vpc-1"})
        "#]]
        .assert_eq(&render(&SUBNET, &subnet, &[]));
    }

    #[test]
    fn a_mentioned_subnet_has_its_id_and_region() {
        expect![[r#"
            (:AWSEC2Subnet:EC2Subnet:Subnet {id: "subnet-1"})
              subnetid (indexed) = "subnet-1"
              subnet_id (indexed) = "subnet-1"
              region = "us-east-1"
              _ont_name (indexed) = "subnet-1"
              _ont_region (indexed) = "us-east-1"
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&MENTION, &"subnet-1".to_owned(), &[]));
    }
}
