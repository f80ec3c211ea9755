//! Nodes of one label as one listing writes them, with their edges.

use events::{EdgeTable, NodeTable, Ownership, Property};
use serde::{Deserialize, Serialize};

/// A table of nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Primary label.
    pub label: String,
    /// Labels that every row also gets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra_labels: Vec<String>,
    /// Labels that a row has only under a condition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels_when: Vec<String>,
    /// Whether the rows only add to nodes that another listing of the service returns.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub supplements: bool,
    /// Properties besides `id`, `firstseen` and `lastupdated`, in the order of the rows' values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<String>,
    /// Properties with an index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexed: Vec<String>,
    /// Edges of its rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<Edge>,
}

/// Edges of one type between a row's node and others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// Relationship type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Seen from the row's node.
    pub direction: Direction,
    /// Label of the other end.
    pub label: String,
    /// Property of the other end that is matched.
    pub key: String,
    /// Names of the edge's properties.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<String>,
}

/// Direction of an edge, seen from the node whose row declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Begins at the node.
    Out,
    /// Ends at the node.
    In,
}

impl Table {
    /// The primary label, then the further ones, conditional ones included.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        let further = self.extra_labels.iter().chain(&self.labels_when);
        std::iter::once(&self.label).chain(further).map(String::as_str)
    }

    /// Node tables without rows, as events carry them: for rows with all conditional labels, with none, and with each of
    /// them. The graph's indexes and statements follow from them.
    pub fn nodes(&self) -> Vec<NodeTable> {
        let all: Vec<&String> = self.labels_when.iter().collect();
        let mut held = vec![Vec::new(), all.clone()];
        held.extend(all.iter().map(|label| vec![*label]));
        held.sort();
        held.dedup();
        held.iter().map(|held| self.node(held)).collect()
    }

    fn node(&self, held: &[&String]) -> NodeTable {
        let absent = self.labels_when.iter().filter(|label| !held.contains(label));
        NodeTable {
            label: self.label.clone(),
            extra_labels: self.extra_labels.iter().chain(held.iter().copied()).cloned().collect(),
            absent_labels: absent.cloned().collect(),
            // Ownership is known for each row only. Sharing has a separate statement, and is rare.
            ownership: Ownership::Scope.into(),
            properties: self.properties.iter().map(|name| self.property(name)).collect(),
            rows: Vec::new(),
            supplements: self.supplements,
        }
    }

    fn property(&self, name: &str) -> Property {
        Property { name: name.to_owned(), indexed: self.indexed.iter().any(|indexed| indexed == name) }
    }

    /// Edge tables without rows, as events carry them.
    pub fn edges(&self) -> impl Iterator<Item = EdgeTable> {
        self.edges.iter().map(|edge| EdgeTable {
            r#type: edge.kind.clone(),
            source_label: self.label.clone(),
            direction: events::Direction::from(edge.direction).into(),
            target_label: edge.label.clone(),
            target_key: edge.key.clone(),
            properties: edge.properties.clone(),
            rows: Vec::new(),
        })
    }
}

impl Edge {
    /// Labels of its start and its end, if a node with this label declares it.
    pub fn ends<'a>(&'a self, label: &'a str) -> (&'a str, &'a str) {
        match self.direction {
            Direction::Out => (label, &self.label),
            Direction::In => (&self.label, label),
        }
    }
}

impl From<Direction> for events::Direction {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Out => Self::Out,
            Direction::In => Self::In,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(labels_when: &[&str]) -> Table {
        Table {
            label: "AWSThing".into(),
            extra_labels: vec!["Thing".into()],
            labels_when: labels_when.iter().map(|&label| label.to_owned()).collect(),
            supplements: false,
            properties: vec!["arn".into(), "region".into()],
            indexed: vec!["arn".into()],
            edges: vec![Edge {
                kind: "RESOURCE".into(),
                direction: Direction::In,
                label: "AWSAccount".into(),
                key: "id".into(),
                properties: Vec::new(),
            }],
        }
    }

    #[test]
    fn conditional_labels_are_all_there_none_or_one() {
        let held = |labels_when: &[&str]| -> Vec<String> {
            table(labels_when).nodes().iter().map(|node| node.extra_labels.join(" ")).collect()
        };
        assert_eq!(held(&[]), ["Thing"]);
        assert_eq!(held(&["A"]), ["Thing", "Thing A"]);
        assert_eq!(held(&["A", "B"]), ["Thing", "Thing A", "Thing A B", "Thing B"]);
        let absent: Vec<_> = table(&["A", "B"]).nodes().into_iter().map(|node| node.absent_labels).collect();
        assert_eq!(absent[1], ["B"]);
        assert_eq!(table(&[]).labels().collect::<Vec<_>>(), ["AWSThing", "Thing"]);
    }

    #[test]
    fn headers_have_indexes_and_directions() {
        let table = table(&[]);
        let [nodes] = &table.nodes()[..] else { panic!("no conditions") };
        assert!(nodes.properties[0].indexed && !nodes.properties[1].indexed);
        let edges: Vec<_> = table.edges().collect();
        assert_eq!((edges[0].direction(), edges[0].source_label.as_str()), (events::Direction::In, "AWSThing"));
        assert_eq!(table.edges[0].ends("AWSThing"), ("AWSAccount", "AWSThing"));
    }
}
