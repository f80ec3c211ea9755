//! Rules of security groups and their ranges, `(:AWSIpRule)`, `(:AWSIpPermissionInbound)`, `(:AWSIpRange)`: part of what
//! `DescribeSecurityGroups` answers.

use aws_sdk_ec2::types::{IpPermission, SecurityGroup};
use collector::{Edge, Node, Prop, indexed, many, one, prop};
use std::collections::BTreeMap;

/// One rule of a group: a protocol and a span of ports.
#[derive(Debug, Clone)]
pub struct Rule {
    id: String,
    group_id: String,
    protocol: String,
    from_port: Option<i32>,
    to_port: Option<i32>,
}

/// Inbound rules. They are rules, too: whatever asks for `AWSIpRule` finds both directions.
pub static INBOUND: Node<Rule> = Node {
    extra_labels: &["IpPermissionInbound", "IpRule", "AWSIpRule"],
    id: |it, _| it.id.clone(),
    props: PROPS,
    edges: EDGES,
    ..Node::of("AWSIpPermissionInbound")
};

/// Outbound rules.
pub static OUTBOUND: Node<Rule> =
    Node { extra_labels: &["IpRule"], id: |it, _| it.id.clone(), props: PROPS, edges: EDGES, ..Node::of("AWSIpRule") };

const PROPS: &[Prop<Rule>] = &[
    indexed("ruleid", |it, _| (&it.id).into()),
    indexed("groupid", |it, _| (&it.group_id).into()),
    prop("protocol", |it, _| (&it.protocol).into()),
    prop("fromport", |it, _| it.from_port.into()),
    prop("toport", |it, _| it.to_port.into()),
];

const EDGES: &[Edge<Rule>] = &[
    Edge::account(),
    Edge::out("MEMBER_OF_EC2_SECURITY_GROUP", "AWSEC2SecurityGroup", "groupid", |it, _| one(Some(&it.group_id))),
];

/// An IPv4 range with the rules of one page that name it. IPv6 ranges have no node in Cartography's graph.
#[derive(Debug, Clone)]
pub struct IpRange {
    cidr: String,
    rule_ids: Vec<String>,
}

/// IPv4 ranges. One range stands in the rules of many accounts, and is kept for as long as any of them names it.
pub static RANGE: Node<IpRange> = Node {
    extra_labels: &["IpRange"],
    id: |it, _| it.cidr.clone(),
    props: &[prop("range", |it, _| (&it.cidr).into())],
    edges: &[
        Edge::account(),
        Edge::out("MEMBER_OF_IP_RULE", "AWSIpRule", "ruleid", |it, _| {
            many(it.rule_ids.iter().map(|id| Some(id.as_str())))
        }),
    ],
    ..Node::of("AWSIpRange")
};

const INBOUND_SET: &str = "IpPermissions";
const OUTBOUND_SET: &str = "IpPermissionsEgress";

impl Rule {
    /// The inbound rules of a group.
    pub fn inbound_of(group: &SecurityGroup) -> Vec<Self> {
        group.ip_permissions().iter().map(|it| Self::new(group, INBOUND_SET, it)).collect()
    }

    /// The outbound rules of a group.
    pub fn outbound_of(group: &SecurityGroup) -> Vec<Self> {
        group.ip_permissions_egress().iter().map(|it| Self::new(group, OUTBOUND_SET, it)).collect()
    }

    fn new(group: &SecurityGroup, set: &str, it: &IpPermission) -> Self {
        Self {
            id: rule_id(group, set, it),
            group_id: group.group_id().unwrap_or_default().to_owned(),
            protocol: protocol(it).to_owned(),
            from_port: it.from_port(),
            to_port: it.to_port(),
        }
    }
}

impl IpRange {
    /// Every range of the groups' rules, each once.
    pub fn of(groups: &[SecurityGroup]) -> Vec<Self> {
        let mut rules: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (group, set, it) in groups.iter().flat_map(permissions) {
            for cidr in it.ip_ranges().iter().filter_map(|range| range.cidr_ip()) {
                rules.entry(cidr).or_default().push(rule_id(group, set, it));
            }
        }
        rules.into_iter().map(|(cidr, rule_ids)| Self { cidr: cidr.to_owned(), rule_ids }).collect()
    }
}

fn permissions(group: &SecurityGroup) -> impl Iterator<Item = (&SecurityGroup, &'static str, &IpPermission)> {
    let inbound = group.ip_permissions().iter().map(move |it| (group, INBOUND_SET, it));
    inbound.chain(group.ip_permissions_egress().iter().map(move |it| (group, OUTBOUND_SET, it)))
}

/// `sg-1/IpPermissions/8080tcp`: Cartography's format, in which a port that is absent reads `None`.
fn rule_id(group: &SecurityGroup, set: &str, it: &IpPermission) -> String {
    let port = |port: Option<i32>| port.map_or_else(|| "None".to_owned(), |port| port.to_string());
    let group_id = group.group_id().unwrap_or_default();
    format!("{group_id}/{set}/{}{}{}", port(it.from_port()), port(it.to_port()), protocol(it))
}

fn protocol(it: &IpPermission) -> &str {
    it.ip_protocol().unwrap_or("all")
}

#[cfg(test)]
mod tests {
    use super::{INBOUND, IpRange, OUTBOUND, RANGE, Rule};
    use aws_sdk_ec2::types::{IpPermission, IpRange as Cidr, SecurityGroup};
    use collector::testing::render;
    use expect_test::expect;

    fn group() -> SecurityGroup {
        let open = Cidr::builder().cidr_ip("0.0.0.0/0").build();
        let web = IpPermission::builder().ip_protocol("tcp").from_port(80).to_port(80).ip_ranges(open.clone());
        let all = IpPermission::builder().ip_protocol("-1").ip_ranges(open);
        SecurityGroup::builder().group_id("sg-1").ip_permissions(web.build()).ip_permissions_egress(all.build()).build()
    }

    #[test]
    fn rules_of_both_directions_are_ip_rules() {
        expect![[r#"
            (:AWSIpPermissionInbound:IpPermissionInbound:IpRule:AWSIpRule {id: "sg-1/IpPermissions/8080tcp"})
              ruleid (indexed) = "sg-1/IpPermissions/8080tcp"
              groupid (indexed) = "sg-1"
              protocol = "tcp"
              fromport = 80
              toport = 80
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:MEMBER_OF_EC2_SECURITY_GROUP]->(:AWSEC2SecurityGroup {groupid: "sg-1"})
        "#]]
        .assert_eq(&render(&INBOUND, &Rule::inbound_of(&group())[0], &[]));
        // A rule for every protocol has no ports.
        expect![[r#"
            (:AWSIpRule:IpRule {id: "sg-1/IpPermissionsEgress/NoneNone-1"})
              ruleid (indexed) = "sg-1/IpPermissionsEgress/NoneNone-1"
              groupid (indexed) = "sg-1"
              protocol = "-1"
              fromport = null
              toport = null
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:MEMBER_OF_EC2_SECURITY_GROUP]->(:AWSEC2SecurityGroup {groupid: "sg-1"})
        "#]]
        .assert_eq(&render(&OUTBOUND, &Rule::outbound_of(&group())[0], &["fromport", "toport"]));
    }

    #[test]
    fn a_range_is_one_row_with_all_its_rules() {
        let ranges = IpRange::of(&[group()]);
        assert_eq!(ranges.len(), 1);
        expect![[r#"
            (:AWSIpRange:IpRange {id: "0.0.0.0/0"})
              range = "0.0.0.0/0"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:MEMBER_OF_IP_RULE]->(:AWSIpRule {ruleid: "sg-1/IpPermissions/8080tcp"})
              -[:MEMBER_OF_IP_RULE]->(:AWSIpRule {ruleid: "sg-1/IpPermissionsEgress/NoneNone-1"})
        "#]]
        .assert_eq(&render(&RANGE, &ranges[0], &[]));
    }
}
