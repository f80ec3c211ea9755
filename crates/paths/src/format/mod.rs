//! Formats of ways, one a file. Names from the graph are escaped for each.

mod json;
mod picture;
mod text;

use crate::search::{Found, Step, Way};

/// Format of ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A line for each step.
    Text,
    /// Everything.
    Json,
    /// A flowchart of Mermaid.
    Mermaid,
    /// A graph of Graphviz.
    Dot,
}

impl Format {
    /// Names on the command line.
    pub const NAMES: [&str; 4] = ["text", "json", "mermaid", "dot"];

    /// The format of this name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Text, Self::Json, Self::Mermaid, Self::Dot];
        Self::NAMES.iter().zip(all).find(|(known, _)| **known == name).map(|(_, format)| format)
    }

    /// Prints the ways between two names. The text ends with a line break.
    pub fn text(self, found: &Found, from: &str, to: &str) -> String {
        match self {
            Self::Text => text::text(found, from, to),
            Self::Json => json::text(found, from, to),
            Self::Mermaid => picture::mermaid(&found.ways),
            Self::Dot => picture::dot(&found.ways),
        }
    }
}

/// Reason of a step with its facts: ports, addresses, conditions.
fn reason(way: &Way, at: usize) -> String {
    let Step { reason, edge, node, .. } = &way.steps[at];
    let mut facts = Vec::new();
    facts.extend(node.traffic());
    if let Some(port) = edge.port {
        facts.push(edge.protocol.as_deref().map_or(port.to_string(), |protocol| format!("{protocol} {port}")));
    }
    facts.extend(node.address.as_ref().map(|address| format!("public address {address}")));
    if edge.certainty.as_deref() == Some("may") {
        let condition = edge.condition.as_deref().unwrap_or_default();
        facts.push(format!("under conditions {condition}").trim_end().to_owned());
    }
    if facts.is_empty() { reason.clone() } else { format!("{reason}: {}", facts.join(", ")) }
}

/// Label and id of an asset, with its name if that says more.
fn title(label: &str, node: &crate::node::Node) -> String {
    let name = node.name.as_deref().filter(|name| !node.id.contains(name));
    let name = name.map_or(String::new(), |name| format!(" ({name})"));
    if label == node.id { node.id.clone() } else { format!("{label} {}{name}", node.id) }
}

#[cfg(test)]
pub(crate) mod testing {
    use crate::{
        node::{Edge, Node},
        search::{Found, Limits, Step, Way},
    };

    /// A way with a hostile name.
    pub(crate) fn hostile() -> Found {
        let id = "i\"]; click x\n\u{1b}[2J|<b>\\";
        let node = Node { element: "4:1".into(), id: id.into(), name: Some("web `x`".into()), ..Node::internet() };
        let edge = Edge { certainty: Some("may".into()), condition: Some("{\"a\":1}".into()), ..Edge::default() };
        let step =
            Step { kind: "EXPOSE", is_along: true, reason: "it forwards".into(), edge, label: "AWSEC2Instance", node };
        let way = Way { label: "internet", begin: Node::internet(), steps: vec![step], blocked: None };
        let blocked = Way { blocked: Some("it has no public address".into()), ..way.clone() };
        Found { ways: vec![way], blocked: vec![blocked], cut: None, limits: Limits::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn every_name_is_a_format() {
        assert!(Format::NAMES.iter().all(|name| Format::named(name).is_some()));
        assert_eq!(Format::named("png"), None);
    }
}
