//! Assets and relationships of a way, with the properties that decide about it or explain it.

use serde::Deserialize;

/// An asset.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Node {
    /// Id of the node in the database. Empty: the internet.
    pub element: String,
    /// Its `id`.
    pub id: String,
    /// Its name, if it has one besides the id.
    pub name: Option<String>,
    /// Public address of an instance, or of an interface or its instance.
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
    /// Permissions boundary of a principal.
    pub boundary: Option<String>,
    /// Ports of a load balancer's listeners.
    pub ports: Vec<i64>,
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
}

/// Ranges of every address.
const ANY: [&str; 2] = ["0.0.0.0/0", "::/0"];
/// Id and label of the internet in output.
pub(crate) const INTERNET: &str = "internet";

impl Node {
    /// The internet, for ways that begin without a range.
    pub(crate) fn internet() -> Self {
        Self {
            element: String::new(),
            id: INTERNET.to_owned(),
            name: None,
            address: None,
            scheme: None,
            kind: None,
            protocol: None,
            first_port: None,
            last_port: None,
            range: None,
            boundary: None,
            ports: Vec::new(),
        }
    }

    /// Whether it is a range of every address.
    pub(crate) fn is_any(&self) -> bool {
        self.range.as_deref().is_some_and(|range| ANY.contains(&range))
    }

    /// Whether a rule admits a port.
    pub(crate) fn admits(&self, port: i64) -> bool {
        let is_within =
            self.first_port.is_some_and(|first| first <= port) && self.last_port.is_some_and(|it| port <= it);
        self.protocol.as_deref() == Some("-1") || is_within
    }

    /// Protocol and ports of a rule: `tcp 22`, `tcp 1-1024`, `every protocol`. `None`: no rule.
    pub(crate) fn traffic(&self) -> Option<String> {
        let protocol = self.protocol.as_deref()?;
        Some(match (protocol, self.first_port, self.last_port) {
            ("-1", _, _) => "every protocol".to_owned(),
            (_, Some(first), Some(last)) if first == last => format!("{protocol} {first}"),
            (_, Some(first), Some(last)) => format!("{protocol} {first}-{last}"),
            _ => protocol.to_owned(),
        })
    }
}

/// Cypher map of a variable's node.
pub(crate) fn projection(variable: &str) -> String {
    let v = variable;
    format!(
        "{{element: elementId({v}), id: toString({v}.id), name: toString({v}.name), \
         address: toString(coalesce({v}.publicipaddress, {v}.public_ip, \
           [({v})<-[:NETWORK_INTERFACE]-(i:AWSEC2Instance) | i.publicipaddress][0])), scheme: toString({v}.scheme), \
         kind: toString({v}.type), protocol: toString({v}.protocol), first_port: {v}.fromport, last_port: {v}.toport, \
         range: toString({v}.range), boundary: toString({v}._groma_boundary), \
         ports: [({v})-[:ELBV2_LISTENER|ELB_LISTENER]->(l) WHERE l.port IS NOT NULL | l.port]}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(protocol: &str, first: i64, last: i64) -> Node {
        let ports = (Some(first), Some(last));
        Node { protocol: Some(protocol.into()), first_port: ports.0, last_port: ports.1, ..Node::internet() }
    }

    #[test]
    fn a_rule_admits_its_ports() {
        let web = rule("tcp", 80, 443);
        assert_eq!([79, 80, 443, 444].map(|port| web.admits(port)), [false, true, true, false]);
        assert!(rule("-1", 0, 0).admits(22));
        assert!(!Node::internet().admits(22));
    }

    #[test]
    fn a_rule_is_read_as_traffic() {
        let text = |rule: Node| rule.traffic().unwrap_or_default();
        assert_eq!([text(rule("tcp", 22, 22)), text(rule("udp", 1, 9))], ["tcp 22", "udp 1-9"]);
        assert_eq!([text(rule("-1", 0, 0)), text(Node::internet())], ["every protocol", ""]);
    }
}
