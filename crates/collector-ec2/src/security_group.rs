//! Security groups with their rules: `DescribeSecurityGroups` -> `(:AWSEC2SecurityGroup)`, `(:AWSIpRule)`,
//! `(:AWSIpPermissionInbound)`, `(:AWSIpRange)`.

use crate::{
    Clients, by_name,
    security_group_rule::{self as rule, IpRange, Rule},
};
use aws_sdk_ec2::types::{IpPermission, SecurityGroup};
use collector::{Collecting, Edge, Listing, Node, Sink, Target, Value, copied, indexed, one, paged, prop};
use std::collections::{BTreeMap, BTreeSet};

/// Security groups as `DescribeSecurityGroups` knows them.
///
/// `ALLOWS_TRAFFIC_FROM` leads to every group that a rule refers to, including outbound rules, as in Cartography. Its
/// properties tell the directions apart.
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
        Edge::out("ALLOWS_TRAFFIC_FROM", "AWSEC2SecurityGroup", "groupid", |it: &SecurityGroup, _| mentioned(it))
            .with_props(&["_groma_directions", "_groma_inbound"]),
    ],
    ..Node::of("AWSEC2SecurityGroup")
};

/// Rules of a group that mention another group.
#[derive(Debug, Default)]
struct Mentioned {
    /// Traffic of the inbound rules, see [`traffic`].
    inbound: BTreeSet<String>,
    /// Whether an outbound rule mentions it.
    is_outbound: bool,
}

/// The groups that the rules of a group mention, each once, sorted by id. `_groma_directions` has `inbound`, `outbound` or
/// both. `_groma_inbound` has the traffic of the inbound rules, and is null if there is none.
fn mentioned(group: &SecurityGroup) -> Vec<Target> {
    let mut all: BTreeMap<&str, Mentioned> = BTreeMap::new();
    for rule in group.ip_permissions() {
        for id in mentions(rule) {
            all.entry(id).or_default().inbound.insert(traffic(rule));
        }
    }
    for id in group.ip_permissions_egress().iter().flat_map(mentions) {
        all.entry(id).or_default().is_outbound = true;
    }
    let target = |(id, it): (&str, Mentioned)| {
        let is_inbound = !it.inbound.is_empty();
        let directions = [("inbound", is_inbound), ("outbound", it.is_outbound)];
        let directions = directions.iter().filter(|(_, is)| *is).map(|(name, _)| (*name).to_owned());
        let inbound: Value = is_inbound.then(|| it.inbound.into_iter().collect::<Vec<_>>()).into();
        Target { value: id.to_owned(), props: vec![directions.collect::<Vec<_>>().into(), inbound] }
    };
    all.into_iter().map(target).collect()
}

/// Ids of the groups that a rule mentions.
fn mentions(rule: &IpPermission) -> impl Iterator<Item = &str> {
    rule.user_id_group_pairs().iter().filter_map(|pair| pair.group_id()).filter(|id| !id.is_empty())
}

/// Protocol and ports of a rule as text: `tcp 22`, `udp 1-9`, or the protocol alone. `-1` is every protocol.
fn traffic(rule: &IpPermission) -> String {
    let protocol = rule.ip_protocol().unwrap_or("-1");
    match (protocol, rule.from_port(), rule.to_port()) {
        ("tcp" | "udp" | "6" | "17", Some(first), Some(last)) if first == last => format!("{protocol} {first}"),
        ("tcp" | "udp" | "6" | "17", Some(first), Some(last)) => format!("{protocol} {first}-{last}"),
        _ => protocol.to_owned(),
    }
}

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
    use super::{GROUP, MENTION, SecurityGroup, traffic};
    use aws_sdk_ec2::types::{IpPermission, UserIdGroupPair};
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_group_leaves_nothing_null() {
        let from = |group: &str| {
            let pair = UserIdGroupPair::builder().group_id(group).build();
            IpPermission::builder().ip_protocol("tcp").from_port(80).to_port(443).user_id_group_pairs(pair).build()
        };
        let group = SecurityGroup::builder()
            .group_id("sg-1")
            .group_name("web")
            .description("serves the web")
            .vpc_id("vpc-1")
            .ip_permissions(from("sg-2"))
            .ip_permissions_egress(from("sg-3"))
            .ip_permissions_egress(from("sg-2"))
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
              -[:ALLOWS_TRAFFIC_FROM _groma_directions=["inbound", "outbound"] _groma_inbound=["tcp 80-443"]]->(:AWSEC2SecurityGroup {groupid: "sg-2"})
              -[:ALLOWS_TRAFFIC_FROM _groma_directions=["outbound"] _groma_inbound=null]->(:AWSEC2SecurityGroup {groupid: "sg-3"})
        "#]]
        .assert_eq(&render(&GROUP, &group, &[]));
    }

    #[test]
    fn rules_are_read_as_traffic() {
        let rule = |protocol: &str, first, last| {
            IpPermission::builder().ip_protocol(protocol).set_from_port(first).set_to_port(last).build()
        };
        let rules = [
            rule("tcp", Some(22), Some(22)),
            rule("udp", Some(1), Some(9)),
            rule("-1", None, None),
            rule("icmp", Some(-1), Some(-1)),
        ];
        assert_eq!(rules.each_ref().map(traffic), ["tcp 22", "udp 1-9", "-1", "icmp"]);
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
