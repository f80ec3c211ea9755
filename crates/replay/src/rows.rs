//! Rows of an event, each with the identity of its node or edge in the graph.

use events::{AssetEvent, Direction, EdgeTable, NodeTable, Value, asset_event};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::{fmt, hash::Hash};

/// Identity of a node or an edge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// Label and id of a node.
    Node {
        /// Label of the node.
        label: String,
        /// Id of the node.
        id: String,
    },
    /// Type and ends of an edge.
    Edge {
        /// Relationship type.
        kind: String,
        /// Start of the edge.
        from: End,
        /// End of the edge.
        to: End,
    },
}

/// An end of an edge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct End {
    /// Label of the node.
    pub label: String,
    /// Property that identifies the node.
    pub key: String,
    /// Value of that property.
    pub value: String,
}

/// A node or an edge as seen by one listing.
pub(crate) struct Row<'a> {
    pub(crate) identity: Identity,
    pub(crate) properties: Vec<(&'a str, &'a Value)>,
}

impl Identity {
    /// A 128-bit hash, for practical purposes unique.
    pub(crate) fn hash(&self) -> u128 {
        let mut hasher = SipHasher13::new();
        Hash::hash(self, &mut hasher);
        hasher.finish128().into()
    }
}

/// Rows of a batch, nodes first. Empty for other events.
pub(crate) fn rows(event: &AssetEvent) -> impl Iterator<Item = Row<'_>> {
    let batch = match &event.event {
        Some(asset_event::Event::Batch(batch)) => Some(batch),
        _ => None,
    };
    let nodes = batch.into_iter().flat_map(|batch| &batch.nodes).flat_map(nodes);
    nodes.chain(batch.into_iter().flat_map(|batch| &batch.edges).flat_map(edges))
}

fn nodes(table: &NodeTable) -> impl Iterator<Item = Row<'_>> {
    table.rows.iter().map(|row| Row {
        identity: Identity::Node { label: table.label.clone(), id: row.id.clone() },
        properties: table.properties.iter().map(|property| property.name.as_str()).zip(&row.values).collect(),
    })
}

fn edges(table: &EdgeTable) -> impl Iterator<Item = Row<'_>> {
    table.rows.iter().map(|row| {
        let own = End { label: table.source_label.clone(), key: "id".to_owned(), value: row.source_id.clone() };
        let target =
            End { label: table.target_label.clone(), key: table.target_key.clone(), value: row.target_value.clone() };
        let (from, to) = if table.direction() == Direction::In { (target, own) } else { (own, target) };
        Row {
            identity: Identity::Edge { kind: table.r#type.clone(), from, to },
            properties: table.properties.iter().map(String::as_str).zip(&row.values).collect(),
        }
    })
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node { label, id } => write!(f, "{label} {id}"),
            Self::Edge { kind, from, to } => write!(f, "{from} -[{kind}]-> {to}"),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { label, key, value } = self;
        if key == "id" { write!(f, "{label} {value}") } else { write!(f, "{label} {key}={value}") }
    }
}
