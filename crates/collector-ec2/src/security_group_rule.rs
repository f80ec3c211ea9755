//! Rules of security groups and their ranges, `(:AWSIpRule)`, `(:AWSIpPermissionInbound)`, `(:AWSIpRange)`: part of the
//! answer of `DescribeSecurityGroups`.

use aws_sdk_ec2::types::{IpPermission, SecurityGroup};
use collector::{Edge, Node, Prop, indexed, many, one, prop};
use std::collections::{BTreeMap, HashMap};

/// One rule of a group: a protocol and a span of ports.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    id: String,
    group_id: String,
    protocol: String,
    from_port: Option<i32>,
    to_port: Option<i32>,
}

/// Inbound rules, also with the label `AWSIpRule`, so that queries for it find both directions.
pub(crate) static INBOUND: Node<Rule> = Node {
    extra_labels: &["IpPermissionInbound", "IpRule", "AWSIpRule"],
    id: |it, _| it.id.clone(),
    props: PROPS,
    edges: EDGES,
    ..Node::of("AWSIpPermissionInbound")
};

/// Outbound rules.
pub(crate) static OUTBOUND: Node<Rule> =
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
pub(crate) struct IpRange {
    cidr: String,
    rule_ids: Vec<String>,
}

/// IPv4 ranges. Rules of many accounts may name the same range; it is kept as long as any of them does.
pub(crate) static RANGE: Node<IpRange> = Node {
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
    pub(crate) fn inbound_of(group: &SecurityGroup) -> Vec<Self> {
        identified(group, INBOUND_SET).map(|(id, it)| Self::new(group, id, it)).collect()
    }

    /// The outbound rules of a group.
    pub(crate) fn outbound_of(group: &SecurityGroup) -> Vec<Self> {
        identified(group, OUTBOUND_SET).map(|(id, it)| Self::new(group, id, it)).collect()
    }

    fn new(group: &SecurityGroup, id: String, it: &IpPermission) -> Self {
        Self {
            id,
            group_id: group.group_id().unwrap_or_default().to_owned(),
            protocol: protocol(it).to_owned(),
            from_port: it.from_port(),
            to_port: it.to_port(),
        }
    }
}

impl IpRange {
    /// Distinct ranges of the groups' rules.
    pub(crate) fn of(groups: &[SecurityGroup]) -> Vec<Self> {
        let mut rules: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let both = |group| [INBOUND_SET, OUTBOUND_SET].into_iter().flat_map(move |set| identified(group, set));
        for (id, it) in groups.iter().flat_map(both) {
            for cidr in it.ip_ranges().iter().filter_map(|range| range.cidr_ip()) {
                rules.entry(cidr).or_default().push(id.clone());
            }
        }
        rules.into_iter().map(|(cidr, rule_ids)| Self { cidr: cidr.to_owned(), rule_ids }).collect()
    }
}

/// Permissions of one direction with their ids, in AWS's order. The id `sg-1/IpPermissions/8080tcp` is in Cartography's
/// format, in which an absent port is `None`. The format joins ports without a separator, so ids can collide (1-180 and
/// 11-80). The rule with the lowest ports then keeps the id; others append their ports (`…/1180tcp/11-80`).
fn identified<'a>(group: &'a SecurityGroup, set: &str) -> impl Iterator<Item = (String, &'a IpPermission)> + use<'a> {
    let permissions = if set == INBOUND_SET { group.ip_permissions() } else { group.ip_permissions_egress() };
    let group_id = group.group_id().unwrap_or_default();
    let ports = |it: &IpPermission| (it.from_port(), it.to_port());
    let joined =
        |it: &IpPermission| format!("{group_id}/{set}/{}{}{}", port(it.from_port()), port(it.to_port()), protocol(it));
    let mut lowest = HashMap::new();
    for it in permissions {
        let lowest = lowest.entry(joined(it)).or_insert(ports(it));
        *lowest = (*lowest).min(ports(it));
    }
    let ids: Vec<String> = permissions
        .iter()
        .map(|it| {
            let id = joined(it);
            let keeps = lowest.get(&id) == Some(&ports(it));
            if keeps { id } else { format!("{id}/{}-{}", port(it.from_port()), port(it.to_port())) }
        })
        .collect();
    ids.into_iter().zip(permissions)
}

fn port(port: Option<i32>) -> String {
    port.map_or_else(|| "None".to_owned(), |port| port.to_string())
}

fn protocol(it: &IpPermission) -> &str {
    it.ip_protocol().unwrap_or("all")
}

#[cfg(test)]
mod tests {
    use super::{INBOUND, IpRange, OUTBOUND, RANGE, Rule};
    use aws_sdk_ec2::types::{IpPermission, IpRange as Cidr, SecurityGroup};
    use collector::{Sink, testing::render};
    use events::Message;
    use expect_test::expect;
    use std::collections::HashSet;

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
    fn rules_whose_ports_join_alike_have_different_ids() {
        let rule = |from, to| {
            let range = Cidr::builder().cidr_ip("10.0.0.0/8").build();
            IpPermission::builder().ip_protocol("tcp").from_port(from).to_port(to).ip_ranges(range).build()
        };
        let group = SecurityGroup::builder().group_id("sg-1").ip_permissions(rule(11, 80)).ip_permissions(rule(1, 180));
        let group = group.ip_permissions(rule(118, 0)).build();
        let ids: Vec<_> = Rule::inbound_of(&group).into_iter().map(|rule| rule.id).collect();
        let expected =
            ["sg-1/IpPermissions/1180tcp/11-80", "sg-1/IpPermissions/1180tcp", "sg-1/IpPermissions/1180tcp/118-0"];
        assert_eq!(ids, expected);
        assert_eq!(IpRange::of(&[group])[0].rule_ids, expected);
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

    /// A common template: some hundred rules of each group name the same range.
    #[tokio::test]
    async fn a_range_that_very_many_rules_name_fits_into_messages() {
        let range = Cidr::builder().cidr_ip("10.0.0.0/8").build();
        let rule =
            |port| IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port).ip_ranges(range.clone());
        let rules: Vec<_> = (1_000..1_018).map(|port| rule(port).build()).collect();
        let group =
            |n| SecurityGroup::builder().group_id(format!("sg-{n:017}")).set_ip_permissions(Some(rules.clone()));
        let groups: Vec<_> = (0..1_000).map(|n| group(n).build()).collect();
        let mut sink = Sink::to_memory(collector::testing::place());
        sink.emit_all(&RANGE, &IpRange::of(&groups)).await.expect("memory takes all");
        let batches = sink.into_batches().await.expect("memory");
        assert!(batches.len() > 1);
        let longest = batches.iter().map(Message::encoded_len).max().unwrap_or_default();
        assert!(longest < 800_000, "{longest}: NATS takes 1 MiB");
        let mut ends = HashSet::new();
        for table in batches.iter().flat_map(|batch| &batch.edges).filter(|table| table.r#type == "MEMBER_OF_IP_RULE") {
            assert_eq!((table.source_label.as_str(), table.target_key.as_str()), ("AWSIpRange", "ruleid"));
            ends.extend(table.rows.iter().map(|row| row.target_value.clone()));
        }
        assert_eq!(ends.len(), 18_000);
        assert_eq!(batches.iter().flat_map(|batch| &batch.nodes).map(|table| table.rows.len()).sum::<usize>(), 1);
    }
}
