//! Formats of paths, one a file. Names from the graph are escaped for each.

mod json;
mod picture;
mod text;

use crate::search::{Found, Path, Step};

/// Format of paths.
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

    /// Whether it shows only open paths.
    pub fn is_picture(self) -> bool {
        matches!(self, Self::Mermaid | Self::Dot)
    }

    /// Prints the paths between two names. The text ends with a line break.
    pub fn text(self, found: &Found, from: &str, to: &str) -> String {
        match self {
            Self::Text => text::text(found, from, to),
            Self::Json => json::text(found, from, to),
            Self::Mermaid => picture::mermaid(&found.paths),
            Self::Dot => picture::dot(&found.paths),
        }
    }
}

/// Characters of a condition that a person reads; the rest is in JSON.
const SHOWN: usize = 160;

/// Reason of a step with its facts: ports, addresses, conditions. Conditions end after `longest` characters.
fn reason(path: &Path, at: usize, longest: usize) -> String {
    let Step { reason, edge, node, doubt, .. } = &path.steps[at];
    let mut facts = Vec::new();
    facts.extend(node.traffic());
    facts.extend(edge.traffic());
    if let Some(port) = edge.port {
        facts.push(edge.protocol.as_deref().map_or(port.to_string(), |protocol| format!("{protocol} {port}")));
    }
    facts.extend(node.address.as_ref().map(|address| format!("public address {address}")));
    if edge.certainty.as_deref() == Some("may") {
        let condition = edge.condition.as_deref().unwrap_or_default();
        let shown: String = condition.chars().take(longest).collect();
        let more = if shown.len() < condition.len() { " ... (all with --format json)" } else { "" };
        facts.push(format!("may, under conditions {shown}").trim_end().to_owned() + more);
    }
    facts.extend(doubt.as_ref().map(|doubt| format!("may: {doubt}")));
    if facts.is_empty() { reason.clone() } else { format!("{reason}: {}", facts.join(", ")) }
}

/// Whether a step is only possible.
fn is_doubtful(step: &Step) -> bool {
    step.doubt.is_some() || step.edge.certainty.as_deref() == Some("may")
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
        search::{Found, Limits, Path, Step},
    };

    /// A path with a hostile name.
    pub(crate) fn hostile() -> Found {
        let id = "i\"]; click x\n\u{1b}[2J|<b>\\";
        let node = Node { element: "4:1".into(), id: id.into(), name: Some("web `x`".into()), ..Node::internet() };
        let edge = Edge { certainty: Some("may".into()), condition: Some("{\"a\":1}".into()), ..Edge::default() };
        let (reason, label) = ("it forwards".into(), "AWSEC2Instance");
        let step = Step { kind: "EXPOSE", is_along: true, reason, doubt: None, edge, label, node };
        let path = Path { label: "internet", begin: Node::internet(), steps: vec![step], blocked: None };
        let blocked = Path { blocked: Some("it has no public address".into()), ..path.clone() };
        Found {
            paths: vec![path],
            blocked: vec![blocked],
            cut: None,
            may_have_more: false,
            may_have_more_blocked: false,
            not_considered: vec!["route tables".into()],
            limits: Limits::default(),
        }
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
