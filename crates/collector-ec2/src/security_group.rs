//! Security groups with their rules: `DescribeSecurityGroups` -> `(:AWSEC2SecurityGroup)`, `(:AWSIpRule)`,
//! `(:AWSIpPermissionInbound)`, `(:AWSIpRange)`.

use crate::{
    Clients, by_name,
    security_group_rule::{self as rule, IpRange, Rule},
};
use aws_sdk_ec2::types::SecurityGroup;
use collector::{Collecting, Edge, Listing, Node, Sink, copied, indexed, many, one, paged, prop};

/// Security groups as `DescribeSecurityGroups` knows them.
///
/// `ALLOWS_TRAFFIC_FROM` leads to every group that a rule refers to, including outbound rules, as in Cartography.
pub(crate) static GROUP: Node<SecurityGroup> = Node {
    extra_labels: &["EC2SecurityGroup", "NetworkAccessControl"],
    id: |it, _| it.group_id().unwrap_or_default().to_owned(),
    props: &[
        indexed("groupid", |it, _| it.group_id().into()),
        prop("name", |it, _| it.group_name().into()),
        prop("description", |it, _| it.description().into()),
        prop("region", |_, place| (&place.region).into()),
    ],
    ontology: &[copied("_ont_name", "name")],
    edges: &[
        Edge::account(),
        Edge::incoming("MEMBER_OF_EC2_SECURITY_GROUP", "AWSVpc", "vpcid", |it, _| one(it.vpc_id())),
        Edge::out("ALLOWS_TRAFFIC_FROM", "AWSEC2SecurityGroup", "groupid", |it, _| {
            let rules = it.ip_permissions().iter().chain(it.ip_permissions_egress());
            many(rules.flat_map(|rule| rule.user_id_group_pairs()).map(|pair| pair.group_id()))
        }),
    ],
    ..Node::of("AWSEC2SecurityGroup")
};

/// Security groups that other listings mention by id. They set no ontology label, and only the source of its properties.
pub(crate) static MENTION: Node<String> = Node {
    extra_labels: &["EC2SecurityGroup"],
    id: |id, _| id.clone(),
    props: &[
        indexed("groupid", |id, _| id.into()),
        prop("region", |_, place| (&place.region).into()),
        prop("_ont_source", |_, _| "aws".into()),
    ],
    edges: &[Edge::account()],
    ..Node::of("AWSEC2SecurityGroup")
};

pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeSecurityGroups",
    actions: &["ec2:DescribeSecurityGroups"],
    feeds: &[&GROUP, &rule::INBOUND, &rule::OUTBOUND, &rule::RANGE],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut names = clients.in_use.groups.begin().await;
        let mut pages = paged!(clients.ec2.describe_security_groups().max_results(1000), next_token);
        while let Some(page) = pages.next().await {
            let page = page?;
            names.extend(by_name::of_groups(page.security_groups()));
            sink.emit_all(&GROUP, page.security_groups()).await?;
            for group in page.security_groups() {
                sink.emit_all(&rule::INBOUND, &Rule::inbound_of(group)).await?;
                sink.emit_all(&rule::OUTBOUND, &Rule::outbound_of(group)).await?;
            }
            sink.emit_all(&rule::RANGE, &IpRange::of(page.security_groups())).await?;
        }
        names.complete();
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::{GROUP, MENTION, SecurityGroup};
    use aws_sdk_ec2::types::{IpPermission, UserIdGroupPair};
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_group_leaves_nothing_null() {
        let from = |group: &str| {
            IpPermission::builder().user_id_group_pairs(UserIdGroupPair::builder().group_id(group).build()).build()
        };
        let group = SecurityGroup::builder()
            .group_id("sg-1")
            .group_name("web")
            .description("serves the web")
            .vpc_id("vpc-1")
            .ip_permissions(from("sg-2"))
            .ip_permissions_egress(from("sg-3"))
            .build();
        expect![[r#"
            (:AWSEC2SecurityGroup:EC2SecurityGroup:NetworkAccessControl {id: "sg-1"})
              groupid (indexed) = "sg-1"
              name = "web"
              description = "serves the web"
              region = "us-east-1"
              _ont_name (indexed) = "web"
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              <-[:MEMBER_OF_EC2_SECURITY_GROUP]-(:AWSVpc {vpcid: "vpc-1"})
              -[:ALLOWS_TRAFFIC_FROM]->(:AWSEC2SecurityGroup {groupid: "sg-2"})
              -[:ALLOWS_TRAFFIC_FROM]->(:AWSEC2SecurityGroup {groupid: "sg-3"})
        "#]]
        .assert_eq(&render(&GROUP, &group, &[]));
    }

    #[test]
    fn a_mentioned_group_has_its_id_and_region() {
        expect![[r#"
            (:AWSEC2SecurityGroup:EC2SecurityGroup {id: "sg-1"})
              groupid (indexed) = "sg-1"
              region = "us-east-1"
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&MENTION, &"sg-1".to_owned(), &[]));
    }
}
