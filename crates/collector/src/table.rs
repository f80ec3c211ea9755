//! A resource type as a static table: its label, properties and edges, each with the function that reads it from the
//! SDK's own type.
//!
//! ```
//! use collector::{Edge, Node, indexed, one, prop};
//! pub struct Thing { id: String, vpc: Option<String> }
//! pub static THING: Node<Thing> = Node {
//!     id: |it, _| it.id.clone(),
//!     props: &[indexed("thingid", |it, _| (&it.id).into()), prop("region", |_, place| (&place.region).into())],
//!     edges: &[Edge::account(), Edge::out("MEMBER_OF_AWS_VPC", "AWSVpc", "id", |it, _| one(it.vpc.as_deref()))],
//!     ..Node::of("AWSThing")
//! };
//! ```

use crate::{Place, Value};
use events::Direction;

/// Nodes of one label with the properties that one listing returns.
pub struct Node<T: 'static> {
    /// Primary label: nodes are merged by this label and `id`.
    pub label: &'static str,
    /// Labels that every row also gets.
    pub extra_labels: &'static [&'static str],
    /// Labels that a row has only under a condition.
    pub labels_when: &'static [When<T>],
    /// Whether the rows only add to nodes that another listing of the service returns. Such a listing may fail for a few
    /// items in every sync (a bucket whose policy denies everything), and nodes that are gone are removed nevertheless.
    pub supplements: bool,
    /// Whether a row's node belongs to no account (a CIDR range, an AWS managed policy).
    pub shared: fn(&T) -> bool,
    /// The node's `id`.
    pub id: fn(&T, &Place) -> String,
    /// Properties besides `id`, `firstseen` and `lastupdated`.
    pub props: &'static [Prop<T>],
    /// `_ont_*` properties derived from `props`; any entry also sets `_ont_source` to `aws`.
    pub ontology: &'static [Ontology],
    /// Edges that each row declares.
    pub edges: &'static [Edge<T>],
}

impl<T> Node<T> {
    /// A node of this label with nothing else, for the rest of a table literal: `..Node::of("AWSVpc")`.
    pub const fn of(label: &'static str) -> Self {
        Self {
            label,
            extra_labels: &[],
            labels_when: &[],
            supplements: false,
            shared: |_| false,
            id: |_, _| String::new(),
            props: &[],
            ontology: &[],
            edges: &[],
        }
    }
}

/// A label that a row has only if the condition holds, and loses otherwise.
pub struct When<T: 'static> {
    /// The label.
    pub label: &'static str,
    /// Condition.
    pub holds: fn(&T) -> bool,
}

/// One property.
pub struct Prop<T: 'static> {
    /// Property name in the graph.
    pub name: &'static str,
    /// Whether the graph has an index on it.
    pub indexed: bool,
    /// Reads the value from an item.
    pub value: fn(&T, &Place) -> Value,
}

/// A property without an index.
pub const fn prop<T>(name: &'static str, value: fn(&T, &Place) -> Value) -> Prop<T> {
    Prop { name, indexed: false, value }
}

/// A property with an index.
pub const fn indexed<T>(name: &'static str, value: fn(&T, &Place) -> Value) -> Prop<T> {
    Prop { name, indexed: true, value }
}

/// An `_ont_*` property: the cross-provider name of another property.
pub struct Ontology {
    /// Property name: `_ont_…`.
    pub name: &'static str,
    /// Whether the graph has an index on it.
    pub indexed: bool,
    /// Source of the value.
    pub source: OntologySource,
}

impl Ontology {
    /// Removes the index, for texts longer than an index key may be.
    #[must_use]
    pub const fn unindexed(self) -> Self {
        Self { indexed: false, ..self }
    }
}

/// Source of an ontology property's value.
pub enum OntologySource {
    /// Copies the property of this name (or `id`).
    Copy(&'static str),
    /// Translates a property; null if the value is not in the list.
    Map(&'static str, &'static [(&'static str, &'static str)]),
    /// The same value for all rows.
    Fixed(&'static str),
}

/// Ontology property `name` with the value of property `from`.
pub const fn copied(name: &'static str, from: &'static str) -> Ontology {
    Ontology { name, indexed: true, source: OntologySource::Copy(from) }
}

/// Ontology property `name` with the value of property `from`, translated by `pairs`.
pub const fn mapped(
    name: &'static str,
    from: &'static str,
    pairs: &'static [(&'static str, &'static str)],
) -> Ontology {
    Ontology { name, indexed: true, source: OntologySource::Map(from, pairs) }
}

/// Ontology property `name` that is always `value`.
pub const fn fixed(name: &'static str, value: &'static str) -> Ontology {
    Ontology { name, indexed: true, source: OntologySource::Fixed(value) }
}

/// Edges of one type from (or to) each row's node.
pub struct Edge<T: 'static> {
    /// Relationship type.
    pub kind: &'static str,
    /// Direction, seen from the row's node.
    pub direction: Direction,
    /// Label of the target nodes.
    pub to: &'static str,
    /// Property by which target nodes are matched.
    pub key: &'static str,
    /// Names of the edge's properties, in the order of [`Target::props`].
    pub props: &'static [&'static str],
    /// Targets of the edge; empty for no edge.
    pub targets: fn(&T, &Place) -> Vec<Target>,
}

impl<T> Edge<T> {
    /// `(row)-[:kind]->(:to {key: target})`.
    pub const fn out(
        kind: &'static str,
        to: &'static str,
        key: &'static str,
        targets: fn(&T, &Place) -> Vec<Target>,
    ) -> Self {
        Self { kind, direction: Direction::Out, to, key, props: &[], targets }
    }

    /// `(row)<-[:kind]-(:to {key: target})`.
    pub const fn incoming(
        kind: &'static str,
        to: &'static str,
        key: &'static str,
        targets: fn(&T, &Place) -> Vec<Target>,
    ) -> Self {
        Self { kind, direction: Direction::In, to, key, props: &[], targets }
    }

    /// `(:AWSAccount)-[:RESOURCE]->(row)`, from the account of the listing.
    pub const fn account() -> Self {
        Self::incoming("RESOURCE", "AWSAccount", "id", |_, place| vec![place.account_id.clone().into()])
    }

    /// Adds properties with these names. Each [`Target`] has their values in this order.
    #[must_use]
    pub const fn with_props(self, props: &'static [&'static str]) -> Self {
        Self { props, ..self }
    }
}

/// Target of one edge.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Value of the key property.
    pub value: String,
    /// Values of the edge's properties.
    pub props: Vec<Value>,
}

impl<S: Into<String>> From<S> for Target {
    fn from(value: S) -> Self {
        Self { value: value.into(), props: Vec::new() }
    }
}

/// At most one target: `one(it.vpc_id())`. An empty text is no target.
#[allow(clippy::needless_pass_by_value, reason = "takes what an SDK accessor returns")]
pub fn one<S: AsRef<str>>(target: Option<S>) -> Vec<Target> {
    let text = target.as_ref().map(AsRef::as_ref);
    text.filter(|text| !text.is_empty()).map(Target::from).into_iter().collect()
}

/// A target for each present text: `many(it.groups().iter().map(|group| group.group_id()))`.
pub fn many<'a>(targets: impl IntoIterator<Item = Option<&'a str>>) -> Vec<Target> {
    targets.into_iter().flat_map(one).collect()
}

/// A [`Node`] of any item type, for registries, cleanup and documentation.
pub trait Table: Sync {
    /// Primary label.
    fn label(&self) -> &'static str;
    /// All extra labels, including conditional ones.
    fn extra_labels(&self) -> Vec<&'static str>;
    /// Names of all properties, including ontology, and whether each is indexed.
    fn properties(&self) -> Vec<(&'static str, bool)>;
    /// Whether the rows only add to nodes that another listing returns.
    fn supplements(&self) -> bool;
    /// Shapes of all edges.
    fn edges(&self) -> Vec<EdgeShape>;
    /// Its entry in the catalog.
    fn describe(&self) -> catalog::Table;
}

/// Type and ends of an edge in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeShape {
    /// Relationship type.
    pub kind: &'static str,
    /// Label of its start node.
    pub from: &'static str,
    /// Label of its end node.
    pub to: &'static str,
}

impl<T> Table for Node<T> {
    fn label(&self) -> &'static str {
        self.label
    }

    fn extra_labels(&self) -> Vec<&'static str> {
        self.extra_labels.iter().copied().chain(self.labels_when.iter().map(|when| when.label)).collect()
    }

    fn properties(&self) -> Vec<(&'static str, bool)> {
        let own = self.props.iter().map(|prop| (prop.name, prop.indexed));
        let source = (!self.ontology.is_empty()).then_some(("_ont_source", false));
        own.chain(self.ontology.iter().map(|ont| (ont.name, ont.indexed))).chain(source).collect()
    }

    fn supplements(&self) -> bool {
        self.supplements
    }

    fn edges(&self) -> Vec<EdgeShape> {
        let shape = |edge: &Edge<T>| match edge.direction {
            Direction::In => EdgeShape { kind: edge.kind, from: edge.to, to: self.label },
            _ => EdgeShape { kind: edge.kind, from: self.label, to: edge.to },
        };
        self.edges.iter().map(shape).collect()
    }

    fn describe(&self) -> catalog::Table {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let conditional: Vec<&str> = self.labels_when.iter().map(|when| when.label).collect();
        let properties = Table::properties(self);
        let all: Vec<&str> = properties.iter().map(|(name, _)| *name).collect();
        let indexed: Vec<&str> = properties.iter().filter(|(_, indexed)| *indexed).map(|(name, _)| *name).collect();
        let edge = |edge: &Edge<T>| catalog::Edge {
            kind: edge.kind.to_owned(),
            direction: if edge.direction == Direction::In { catalog::Direction::In } else { catalog::Direction::Out },
            label: edge.to.to_owned(),
            key: edge.key.to_owned(),
            properties: owned(edge.props),
        };
        catalog::Table {
            label: self.label.to_owned(),
            extra_labels: owned(self.extra_labels),
            labels_when: owned(&conditional),
            supplements: self.supplements,
            properties: owned(&all),
            indexed: owned(&indexed),
            edges: self.edges.iter().map(edge).collect(),
        }
    }
}
