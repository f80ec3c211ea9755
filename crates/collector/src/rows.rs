//! Converts items to table rows. Pure.

use crate::{
    Place, Value,
    table::{Edge, Node, OntologySource, Target},
};
use events::{EdgeRow, EdgeTable, Message, NodeRow, NodeTable, Ownership, Property};
use std::collections::{HashMap, hash_map::Entry};

/// Rows of an unfinished batch.
#[derive(Debug, Default)]
pub struct Rows {
    nodes: Vec<NodeTable>,
    edges: Vec<EdgeTable>,
    by_table: HashMap<TableKey, usize>,
    assets: u64,
    bytes: usize,
    last: Last,
}

/// Rows of the last item.
#[derive(Debug, Default)]
struct Last {
    /// Index of its node table.
    nodes: Option<usize>,
    /// Index of the table of each of its edges.
    edges: Vec<usize>,
    bytes: usize,
}

/// Key of a table. Node tables: address of the [`Node`] (a static), with the conditional labels and the ownership of a
/// row. Edge tables: address of the node, with the position of the edge.
#[derive(Debug, PartialEq, Eq, Hash)]
enum TableKey {
    Nodes { table: usize, labels: Vec<bool>, shared: bool },
    Edges { table: usize, edge: usize },
}

impl Rows {
    /// Adds an item's node and edges.
    pub fn push<T>(&mut self, node: &'static Node<T>, item: &T, place: &Place) {
        let (id, before) = ((node.id)(item, place), self.bytes);
        self.last.edges.clear();
        self.push_edges(node, item, place, &id);
        let values = values(node, item, place, &id);
        self.assets += 1;
        self.bytes += id.len() + values.iter().map(size).sum::<usize>();
        let row = NodeRow { id, values: values.into_iter().map(Into::into).collect() };
        let index = self.node_table(node, item);
        self.nodes[index].rows.push(row);
        (self.last.nodes, self.last.bytes) = (Some(index), self.bytes - before);
    }

    /// Removes the last item's rows. A second call has no effect.
    pub fn undo(&mut self) {
        let Some(index) = self.last.nodes.take() else { return };
        self.nodes[index].rows.pop();
        for index in self.last.edges.drain(..) {
            self.edges[index].rows.pop();
        }
        self.assets -= 1;
        self.bytes -= self.last.bytes;
    }

    fn push_edges<T>(&mut self, node: &'static Node<T>, item: &T, place: &Place, id: &str) {
        for (position, edge) in node.edges.iter().enumerate() {
            for Target { value, props } in (edge.targets)(item, place) {
                debug_assert_eq!(props.len(), edge.props.len(), "{} {}: edge properties", node.label, edge.kind);
                self.bytes += id.len() + value.len() + props.iter().map(size).sum::<usize>();
                let values = props.into_iter().map(Into::into).collect();
                let row = EdgeRow { source_id: id.to_owned(), target_value: value, values };
                let index = self.edge_table(node, position, edge);
                self.edges[index].rows.push(row);
                self.last.edges.push(index);
            }
        }
    }

    fn node_table<T>(&mut self, node: &'static Node<T>, item: &T) -> usize {
        let labels: Vec<bool> = node.labels_when.iter().map(|when| (when.holds)(item)).collect();
        let shared = (node.shared)(item);
        let key = TableKey::Nodes { table: std::ptr::from_ref(node).addr(), labels: labels.clone(), shared };
        match self.by_table.entry(key) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                self.nodes.push(node_header(node, &labels, shared));
                *entry.insert(self.nodes.len() - 1)
            }
        }
    }

    fn edge_table<T>(&mut self, node: &'static Node<T>, position: usize, edge: &Edge<T>) -> usize {
        let key = TableKey::Edges { table: std::ptr::from_ref(node).addr(), edge: position };
        match self.by_table.entry(key) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                self.edges.push(edge_header(node, edge));
                *entry.insert(self.edges.len() - 1)
            }
        }
    }

    /// Number of node rows.
    pub fn assets(&self) -> u64 {
        self.assets
    }

    /// Approximate size of the rows on the bus, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.assets == 0
    }

    /// Takes all tables with rows, in parts. Each part has at most about `most` bytes of edges besides its nodes. Only
    /// an item with very many edges needs more than one part.
    pub fn take(&mut self, most: usize) -> Vec<Part> {
        let Self { mut nodes, mut edges, bytes, .. } = std::mem::take(self);
        nodes.retain(|table| !table.rows.is_empty());
        edges.retain(|table| !table.rows.is_empty());
        if bytes <= most {
            return vec![(nodes, edges)];
        }
        let mut parts = split(edges, most).into_iter();
        let first = (nodes, parts.next().unwrap_or_default());
        std::iter::once(first).chain(parts.map(|edges| (Vec::new(), edges))).collect()
    }
}

/// Tables of one batch.
pub type Part = (Vec<NodeTable>, Vec<EdgeTable>);

/// Splits tables into groups of at most about `most` bytes, or one row.
fn split(tables: Vec<EdgeTable>, most: usize) -> Vec<Vec<EdgeTable>> {
    let mut groups = vec![Vec::new()];
    let mut bytes = 0;
    for mut table in tables {
        let rows = std::mem::take(&mut table.rows);
        let mut begun = false;
        for row in rows {
            let length = row.encoded_len();
            if bytes > 0 && bytes + length > most {
                groups.push(Vec::new());
                (bytes, begun) = (0, false);
            }
            bytes += length;
            let Some(group) = groups.last_mut() else { continue };
            if !begun {
                group.push(table.clone());
                begun = true;
            }
            if let Some(table) = group.last_mut() {
                table.rows.push(row);
            }
        }
    }
    groups
}

/// Creates an edge table without rows.
pub(crate) fn edge_header<T>(node: &Node<T>, edge: &Edge<T>) -> EdgeTable {
    EdgeTable {
        r#type: edge.kind.to_owned(),
        source_label: node.label.to_owned(),
        direction: edge.direction.into(),
        target_label: edge.to.to_owned(),
        target_key: edge.key.to_owned(),
        properties: edge.props.iter().map(|name| (*name).to_owned()).collect(),
        rows: Vec::new(),
    }
}

/// Creates a node table without rows, for rows with these conditional labels.
pub(crate) fn node_header<T>(node: &Node<T>, labels: &[bool], shared: bool) -> NodeTable {
    let conditional = |wanted: bool| {
        node.labels_when
            .iter()
            .zip(labels)
            .filter(move |(_, holds)| **holds == wanted)
            .map(|(when, _)| when.label.to_owned())
    };
    let always = node.extra_labels.iter().map(|label| (*label).to_owned());
    NodeTable {
        label: node.label.to_owned(),
        extra_labels: always.chain(conditional(true)).collect(),
        absent_labels: conditional(false).collect(),
        ownership: if shared { Ownership::Shared } else { Ownership::Scope }.into(),
        properties: crate::Table::properties(node)
            .into_iter()
            .map(|(name, indexed)| Property { name: name.to_owned(), indexed })
            .collect(),
        rows: Vec::new(),
        supplements: node.supplements,
    }
}

/// Values in the order of [`crate::Table::properties`].
fn values<T>(node: &Node<T>, item: &T, place: &Place, id: &str) -> Vec<Value> {
    let mut values: Vec<Value> = node.props.iter().map(|prop| (prop.value)(item, place)).collect();
    let derived: Vec<Value> = node.ontology.iter().map(|ont| ontology(node, &values, id, &ont.source)).collect();
    values.extend(derived);
    if !node.ontology.is_empty() {
        values.push("aws".into());
    }
    values
}

fn ontology<T>(node: &Node<T>, values: &[Value], id: &str, source: &OntologySource) -> Value {
    let property = |name: &str| match node.props.iter().position(|prop| prop.name == name) {
        Some(index) => values[index].clone(),
        None if name == "id" => id.into(),
        None => panic!("{}: the ontology reads property {name}, which the table does not have", node.label),
    };
    match source {
        OntologySource::Copy(from) => property(from),
        OntologySource::Fixed(value) => (*value).into(),
        OntologySource::Map(from, pairs) => match property(from) {
            Value::String(text) => pairs.iter().find(|(key, _)| *key == text).map(|(_, word)| *word).into(),
            _ => Value::Null,
        },
    }
}

/// Approximate size of a value in bytes.
fn size(value: &Value) -> usize {
    const OVERHEAD: usize = 4;
    OVERHEAD
        + match value {
            Value::Null => 0,
            Value::String(text) => text.len(),
            Value::Integer(_) | Value::Float(_) | Value::Time(_) => 8,
            Value::Boolean(_) => 1,
            Value::Strings(items) => items.iter().map(|item| item.len() + OVERHEAD).sum(),
            Value::Floats(items) => items.len() * 8,
        }
}
