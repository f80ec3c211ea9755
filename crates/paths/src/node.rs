//! Assets and relationships of a path, with the properties that decide about it or explain it.

use serde::Deserialize;
use std::net::Ipv4Addr;

/// An asset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Node {
    /// Id of the node in the database. Empty: the internet.
    pub element: String,
    /// Its `id`.
    pub id: String,
    /// Its name, if it has one besides the id.
    pub name: Option<String>,
    /// Public address of an instance or of an interface. If the graph does not tell the address of an instance's first
    /// interface, the instance's is taken.
    pub address: Option<String>,
    /// Scheme of a load balancer, such as `internet-facing`.
    pub scheme: Option<String>,
    /// Type of a load balancer, such as `network`.
    pub kind: Option<String>,
    /// Protocol of a rule; `-1` is every protocol.
    pub protocol: Option<String>,
    /// First port of a rule.
    pub first_port: Option<i64>,
    /// Last port of a rule.
    pub last_port: Option<i64>,
    /// Addresses of a range.
    pub range: Option<String>,
    /// State of an instance, such as `running`.
    pub state: Option<String>,
    /// Whether an instance has an IPv6 address.
    pub has_ipv6: bool,
    /// Whether a load balancer has security groups.
    pub has_groups: bool,
    /// Listeners of a load balancer.
    pub listeners: Vec<Listener>,
}

/// A listener of a load balancer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Listener {
    /// Port.
    pub port: Option<i64>,
    /// Protocol in AWS's spelling, such as `HTTPS`.
    pub protocol: Option<String>,
    /// ARN of the target group of its default action. `None`: classic load balancer, or another action.
    pub target_group: Option<String>,
}

/// A relationship.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Edge {
    /// `must` or `may`, of a permission.
    pub certainty: Option<String>,
    /// Conditions under which a permission with `may` holds, as JSON.
    pub condition: Option<String>,
    /// Port on which a load balancer forwards.
    pub port: Option<i64>,
    /// Protocol in which a load balancer forwards.
    pub protocol: Option<String>,
    /// ARN of the target group to which a load balancer forwards.
    pub target_group: Option<String>,
    /// Protocols and ports that a security group admits from members of another, such as `tcp 443`; `-1` is every protocol.
    pub inbound: Vec<String>,
    /// Reason for which the step is only possible.
    pub doubt: Option<String>,
}

/// Range of every IPv4 address. The graph has no IPv6 ranges.
const ANY: &str = "0.0.0.0/0";
/// Id and label of the internet in output.
pub(crate) const INTERNET: &str = "internet";
/// Protocols of rules that admit no connection: names and numbers of ICMP.
const ICMP: [&str; 4] = ["icmp", "1", "icmpv6", "58"];
/// Protocols of rules that admit everything.
const EVERY: [&str; 2] = ["-1", "all"];

impl Node {
    /// The internet, for paths that begin without a range.
    pub(crate) fn internet() -> Self {
        Self { id: INTERNET.to_owned(), ..Self::default() }
    }

    /// Whether it is the range of every address.
    pub(crate) fn is_any(&self) -> bool {
        self.range.as_deref() == Some(ANY)
    }

    /// Whether it is a range of public addresses, so that its traffic comes over the internet.
    pub(crate) fn is_public_range(&self) -> bool {
        let address = self.range.as_deref().and_then(|range| range.split('/').next()?.parse::<Ipv4Addr>().ok());
        address.is_some_and(|it| {
            let [first, second, ..] = it.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            !(it.is_private() || it.is_loopback() || it.is_link_local() || is_shared)
        })
    }

    /// Whether a rule admits only ICMP.
    pub(crate) fn is_icmp(&self) -> bool {
        self.protocol.as_deref().is_some_and(|protocol| ICMP.contains(&protocol))
    }

    /// Whether a rule admits connections to a listener.
    pub(crate) fn admits(&self, listener: &Listener) -> bool {
        let Some(protocol) = self.protocol.as_deref() else { return false };
        let is_within = |port| {
            self.first_port.is_some_and(|first| first <= port) && self.last_port.is_some_and(|last| port <= last)
        };
        let (is_tcp, is_udp) = listener.transports();
        let is_carried = match protocol {
            "tcp" | "6" => is_tcp,
            "udp" | "17" => is_udp,
            _ => return EVERY.contains(&protocol),
        };
        is_carried && listener.port.is_some_and(is_within)
    }

    /// Protocol and ports of a rule: `tcp 22`, `tcp 1-1024`, `every protocol`. `None`: no rule.
    pub(crate) fn traffic(&self) -> Option<String> {
        let protocol = self.protocol.as_deref()?;
        Some(match (protocol, self.first_port, self.last_port) {
            (every, _, _) if EVERY.contains(&every) => EVERY_PROTOCOL.to_owned(),
            (icmp, _, _) if ICMP.contains(&icmp) => icmp.to_owned(),
            (_, Some(first), Some(last)) if first == last => format!("{protocol} {first}"),
            (_, Some(first), Some(last)) => format!("{protocol} {first}-{last}"),
            _ => protocol.to_owned(),
        })
    }
}

/// Text for every protocol.
const EVERY_PROTOCOL: &str = "every protocol";

impl Listener {
    /// Whether it accepts TCP, and whether it accepts UDP. An unknown protocol is one on TCP.
    fn transports(&self) -> (bool, bool) {
        match self.protocol.as_deref() {
            Some("UDP" | "QUIC" | "GENEVE") => (false, true),
            Some("TCP_UDP" | "TCP_QUIC") => (true, true),
            _ => (true, false),
        }
    }
}

impl Edge {
    /// Traffic that a security group admits from members of another: `tcp 22, udp 53`. `None`: unknown.
    pub(crate) fn traffic(&self) -> Option<String> {
        let spelled = self.inbound.iter().map(|it| if EVERY.contains(&it.as_str()) { EVERY_PROTOCOL } else { it });
        (!self.inbound.is_empty()).then(|| spelled.collect::<Vec<_>>().join(", "))
    }

    /// Whether a security group admits only ICMP from members of another.
    pub(crate) fn is_icmp(&self) -> bool {
        !self.inbound.is_empty() && self.inbound.iter().all(|it| ICMP.contains(&it.as_str()))
    }
}

/// Cypher map of a variable's node.
pub(crate) fn projection(variable: &str) -> String {
    let v = variable;
    format!(
        "{{element: elementId({v}), id: toString({v}.id), name: toString({v}.name), \
         address: toString(coalesce({v}.publicipaddress, {v}.public_ip, \
           [({v})-[:PRIVATE_IP_ADDRESS]->(p:AWSEC2PrivateIp) WHERE p.public_ip IS NOT NULL | p.public_ip][0], \
           [({v})<-[:NETWORK_INTERFACE]-(i:AWSEC2Instance) WHERE coalesce({v}.device_index, 0) = 0 \
             | i.publicipaddress][0])), \
         scheme: toString({v}.scheme), kind: toString({v}.type), protocol: toString({v}.protocol), \
         first_port: {v}.fromport, last_port: {v}.toport, range: toString({v}.range), state: toString({v}.state), \
         has_ipv6: {v}.ipv6address IS NOT NULL, \
         has_groups: {v}:AWSLoadBalancerV2 AND EXISTS {{ ({v})-[:MEMBER_OF_EC2_SECURITY_GROUP]->() }}, \
         listeners: [({v})-[:ELBV2_LISTENER|ELB_LISTENER]->(l) | \
           {{port: l.port, protocol: toString(l.protocol), target_group: toString(l.targetgrouparn)}}]}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(protocol: &str, first: i64, last: i64) -> Node {
        let ports = (Some(first), Some(last));
        Node { protocol: Some(protocol.into()), first_port: ports.0, last_port: ports.1, ..Node::default() }
    }

    fn listener(protocol: &str, port: i64) -> Listener {
        Listener { port: Some(port), protocol: Some(protocol.into()), target_group: None }
    }

    #[test]
    fn a_rule_admits_its_ports() {
        let web = rule("tcp", 80, 443);
        assert_eq!([79, 80, 443, 444].map(|port| web.admits(&listener("HTTP", port))), [false, true, true, false]);
        assert!(rule("-1", 0, 0).admits(&listener("TCP", 22)));
        assert!(!Node::default().admits(&listener("TCP", 22)));
    }

    #[test]
    fn a_rule_admits_only_its_protocol() {
        let (udp, tcp) = (rule("udp", 0, 65_535), rule("6", 0, 65_535));
        assert_eq!(["HTTPS", "UDP", "TCP_UDP"].map(|it| udp.admits(&listener(it, 53))), [false, true, true]);
        assert_eq!(["HTTPS", "UDP", "TCP_UDP"].map(|it| tcp.admits(&listener(it, 53))), [true, false, true]);
        assert!(!rule("icmp", 0, 65_535).admits(&listener("HTTP", 80)));
        assert_eq!(["icmp", "58", "tcp", "-1"].map(|it| rule(it, -1, -1).is_icmp()), [true, true, false, false]);
    }

    #[test]
    fn a_rule_is_read_as_traffic() {
        let text = |rule: Node| rule.traffic().unwrap_or_default();
        assert_eq!([text(rule("tcp", 22, 22)), text(rule("udp", 1, 9))], ["tcp 22", "udp 1-9"]);
        assert_eq!([text(rule("-1", 0, 0)), text(rule("icmp", -1, -1))], ["every protocol", "icmp"]);
        assert_eq!(text(Node::default()), "");
        let edge = Edge { inbound: vec!["-1".into(), "tcp 22".into()], ..Edge::default() };
        assert_eq!((edge.traffic(), Edge::default().traffic()), (Some("every protocol, tcp 22".into()), None));
    }

    #[test]
    fn a_range_is_public_or_not() {
        let is_public = |range: &str| Node { range: Some(range.into()), ..Node::default() }.is_public_range();
        assert!(["203.0.113.0/24", "8.8.8.8/32", "0.0.0.0/0"].map(is_public).iter().all(|it| *it));
        let private = ["10.0.0.0/8", "172.20.0.0/16", "192.168.1.0/24", "100.64.0.0/10", "x"];
        assert!(private.map(is_public).iter().all(|it| !*it));
    }
}
