//! Rules of network ACLs, `(:AWSEC2NetworkAclRule)`: part of the answer of `DescribeNetworkAcls`.

use aws_sdk_ec2::types::{NetworkAcl, NetworkAclEntry, PortRange};
use collector::{Edge, Node, Value, When, one, prop};

/// A rule and the ACL that it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct AclRule {
    /// Id of the ACL.
    pub(crate) network_acl_id: String,
    /// The rule.
    pub(crate) entry: NetworkAclEntry,
}

/// Rules of both directions: a number is unique in each. Cartography looks the ports up by names that AWS does not
/// use here, and never sets them; Groma does.
pub(crate) static RULE: Node<AclRule> = Node {
    extra_labels: &["EC2NetworkAclRule"],
    labels_when: &[
        When { label: "IpPermissionEgress", holds: AclRule::is_egress },
        When { label: "IpPermissionInbound", holds: |it| !it.is_egress() },
    ],
    id: |it, _| {
        let direction = if it.is_egress() { "egress" } else { "inbound" };
        format!("{}/{direction}/{}", it.network_acl_id, it.entry.rule_number().unwrap_or_default())
    },
    props: &[
        prop("network_acl_id", |it, _| (&it.network_acl_id).into()),
        prop("protocol", |it, _| it.entry.protocol().into()),
        prop("fromport", |it, _| it.entry.port_range().and_then(PortRange::from).into()),
        prop("toport", |it, _| it.entry.port_range().and_then(PortRange::to).into()),
        prop("cidrblock", |it, _| it.entry.cidr_block().into()),
        prop("ipv6cidrblock", |it, _| it.entry.ipv6_cidr_block().into()),
        prop("egress", |it, _| it.entry.egress().into()),
        prop("rulenumber", |it, _| it.entry.rule_number().into()),
        prop("ruleaction", |it, _| Value::text(it.entry.rule_action())),
        prop("region", |_, place| (&place.region).into()),
    ],
    edges: &[
        Edge::account(),
        Edge::out("MEMBER_OF_NACL", "AWSEC2NetworkAcl", "network_acl_id", |it, _| one(Some(&it.network_acl_id))),
    ],
    ..Node::of("AWSEC2NetworkAclRule")
};

impl AclRule {
    /// The rules of an ACL.
    pub(crate) fn of(acl: &NetworkAcl) -> Vec<Self> {
        let network_acl_id = acl.network_acl_id().unwrap_or_default();
        let entries = acl.entries().iter().cloned();
        entries.map(|entry| Self { network_acl_id: network_acl_id.to_owned(), entry }).collect()
    }

    fn is_egress(&self) -> bool {
        self.entry.egress().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{AclRule, NetworkAcl, NetworkAclEntry, PortRange, RULE};
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn rules_of_both_directions_leave_nothing_null() {
        let entry = NetworkAclEntry::builder()
            .protocol("6")
            .port_range(PortRange::builder().from(443).to(444).build())
            .cidr_block("10.0.0.0/16")
            .ipv6_cidr_block("2001:db8::/56")
            .rule_number(100)
            .rule_action("allow".into());
        let acl = NetworkAcl::builder()
            .network_acl_id("acl-1")
            .entries(entry.clone().egress(true).build())
            .entries(entry.egress(false).build())
            .build();
        let rendered: String = AclRule::of(&acl).iter().map(|rule| render(&RULE, rule, &[])).collect();
        expect![[r#"
            (:AWSEC2NetworkAclRule:EC2NetworkAclRule:IpPermissionEgress {id: "acl-1/egress/100"}) !IpPermissionInbound
              network_acl_id = "acl-1"
              protocol = "6"
              fromport = 443
              toport = 444
              cidrblock = "10.0.0.0/16"
              ipv6cidrblock = "2001:db8::/56"
              egress = true
              rulenumber = 100
              ruleaction = "allow"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:MEMBER_OF_NACL]->(:AWSEC2NetworkAcl {network_acl_id: "acl-1"})
            (:AWSEC2NetworkAclRule:EC2NetworkAclRule:IpPermissionInbound {id: "acl-1/inbound/100"}) !IpPermissionEgress
              network_acl_id = "acl-1"
              protocol = "6"
              fromport = 443
              toport = 444
              cidrblock = "10.0.0.0/16"
              ipv6cidrblock = "2001:db8::/56"
              egress = false
              rulenumber = 100
              ruleaction = "allow"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:MEMBER_OF_NACL]->(:AWSEC2NetworkAcl {network_acl_id: "acl-1"})
        "#]]
        .assert_eq(&rendered);
    }
}
