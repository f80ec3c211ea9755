//! Explanations, as `--format json` prints them. Fields are only added.

use serde::Serialize;

/// Facts about a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Explanation {
    /// A label of nodes.
    Label(Box<Label>),
    /// A relationship type.
    Relationship(Relationship),
    /// A property of nodes or relationships.
    Property(Property),
}

/// Facts about a label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// Name.
    pub name: String,
    /// Meaning, for labels of Groma's own notes.
    pub meaning: Option<String>,
    /// Services whose listings write its nodes: title and scope, such as `EC2, in each region`.
    pub services: Vec<String>,
    /// Labels that its nodes also have, or some of them.
    pub further: Vec<String>,
    /// Labels whose nodes also have this one, or some of them.
    pub carried_by: Vec<String>,
    /// Origin of its nodes. Empty: they are known only as ends of relationships.
    pub from: Origin,
    /// Listings that also write its nodes, but only properties that one of `from` has.
    pub mentioned_by: Origin,
    /// Properties by which a node is found: `id`, and those with an index.
    pub keys: Vec<String>,
    /// Properties besides `id`, `firstseen` and `lastupdated`.
    pub properties: Vec<OfLabel>,
    /// Relationships from or to it, or one of its further labels.
    pub relationships: Vec<Shape>,
    /// Questions whose query mentions it.
    pub questions: Vec<Asked>,
}

/// Facts about a relationship type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Relationship {
    /// Name.
    pub name: String,
    /// Labels that it connects.
    pub shapes: Vec<Shape>,
    /// Questions whose query mentions it.
    pub questions: Vec<Asked>,
}

/// Facts about a property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Property {
    /// Name.
    pub name: String,
    /// Label or relationship type that was named with it.
    pub of: Option<String>,
    /// Meaning, for the properties of every node.
    pub meaning: Option<String>,
    /// Labels whose nodes have it.
    pub labels: Vec<OfLabel>,
    /// Relationships that have it.
    pub relationships: Vec<Shape>,
    /// Questions whose query mentions it, and `of`. They may mean the property of another label.
    pub questions: Vec<Asked>,
}

/// A property of a label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfLabel {
    /// Label.
    pub label: String,
    /// Property.
    pub name: String,
    /// Whether it has an index.
    pub indexed: bool,
    /// Origin of its values.
    pub from: Origin,
}

/// Relationships of one type between two labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// Pattern in Cypher.
    pub pattern: String,
    /// Names of its properties.
    pub properties: Vec<String>,
    /// Origin.
    pub from: Origin,
}

/// Listings and steps that write something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// Listings: service and AWS operation, such as `ec2/DescribeInstances`.
    pub listings: Vec<String>,
    /// IAM actions that these listings need.
    pub permissions: Vec<String>,
    /// Steps of the analysis that follows each sync.
    pub analysis: Vec<Step>,
}

/// A step of the analysis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Name.
    pub step: String,
    /// Meaning of the result. Empty: `allows` says it.
    pub about: String,
    /// IAM actions, one of which the start of the relationship may do on its end. Empty: it is no permission.
    pub allows: Vec<String>,
    /// Services that list the nodes that it reads. Without their permissions, the result is absent or not whole.
    pub services: Vec<String>,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Name, as in `groma ask NAME`.
    pub name: String,
    /// Severity of its findings.
    pub severity: String,
    /// Title.
    pub title: String,
}
