//! The graph that all listings together write: labels, properties and edges, each with the listings that it comes from.

use crate::{Listing, Service, Table};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Properties of every node, with their meaning.
pub const COMMON: [(&str, &str); 3] = [
    ("id", "unique among the nodes of its label, and indexed"),
    ("firstseen", "first time that Groma saw the node or relationship, in milliseconds since 1970"),
    ("lastupdated", "update tag of the sync that last saw the node or relationship: Unix seconds"),
];

/// Content of all tables. Bookkeeping edges (`_module_…`) are left out.
#[derive(Debug, Default)]
pub struct Schema<'a> {
    /// Labels by name.
    pub labels: BTreeMap<&'a str, Label<'a>>,
    /// Edges by type and ends.
    pub edges: BTreeMap<EdgeShape<'a>, EdgeSources<'a>>,
}

/// A primary label.
#[derive(Debug, Default)]
pub struct Label<'a> {
    /// Labels that its nodes also have, or some of them.
    pub further: BTreeSet<&'a str>,
    /// Listings that write its nodes.
    pub listings: BTreeSet<Source<'a>>,
    /// IAM actions of these listings.
    pub actions: BTreeSet<&'a str>,
    /// Properties besides `id`, `firstseen` and `lastupdated`.
    pub properties: BTreeMap<&'a str, Property<'a>>,
}

/// A property of a label.
#[derive(Debug, Default)]
pub struct Property<'a> {
    /// Whether it has an index.
    pub indexed: bool,
    /// Listings that write it.
    pub listings: BTreeSet<Source<'a>>,
}

/// Type and ends of an edge in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EdgeShape<'a> {
    /// Relationship type.
    pub kind: &'a str,
    /// Label of its start.
    pub from: &'a str,
    /// Label of its end.
    pub to: &'a str,
}

/// Properties and listings of edges of one shape.
#[derive(Debug, Default)]
pub struct EdgeSources<'a> {
    /// Names of the edge's properties.
    pub properties: BTreeSet<&'a str>,
    /// Listings that write it.
    pub listings: BTreeSet<Source<'a>>,
}

/// A listing of a service: `ec2/DescribeInstances`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source<'a> {
    /// Service, as in `--services`.
    pub service: &'a str,
    /// AWS operation.
    pub listing: &'a str,
}

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service, self.listing)
    }
}

impl fmt::Display for EdgeShape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, from, to } = self;
        write!(f, "(:{from})-[:{kind}]->(:{to})")
    }
}

impl<'a> Schema<'a> {
    /// Collects the tables of these services.
    pub fn of(services: &'a [Service]) -> Self {
        let mut schema = Self::default();
        for service in services {
            for listing in &service.listings {
                let source = Source { service: &service.name, listing: &listing.name };
                listing.tables.iter().for_each(|table| schema.add(table, source, listing));
            }
        }
        schema
    }

    fn add(&mut self, table: &'a Table, source: Source<'a>, listing: &'a Listing) {
        let label = self.labels.entry(&table.label).or_default();
        label.further.extend(table.labels().skip(1));
        label.listings.insert(source);
        label.actions.extend(listing.actions.iter().map(String::as_str));
        for name in &table.properties {
            let property = label.properties.entry(name).or_default();
            property.indexed |= table.indexed.contains(name);
            property.listings.insert(source);
        }
        for declared in table.edges.iter().filter(|edge| !edge.kind.starts_with("_module_")) {
            let (from, to) = declared.ends(&table.label);
            let edge = self.edges.entry(EdgeShape { kind: &declared.kind, from, to }).or_default();
            edge.properties.extend(declared.properties.iter().map(String::as_str));
            edge.listings.insert(source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_several_listings_see_names_all() {
        let schema = Schema::of(crate::services());
        assert!(schema.labels.len() > 50, "{}", schema.labels.len());
        let volume = &schema.labels["AWSEBSVolume"];
        let names: Vec<String> = volume.listings.iter().map(ToString::to_string).collect();
        assert!(names.contains(&"ec2/DescribeInstances".into()) && names.contains(&"ec2/DescribeVolumes".into()));
        assert_eq!(volume.properties["deleteontermination"].listings.len(), 1);
        assert!(volume.properties["volumeid"].indexed);
    }

    #[test]
    fn an_edge_has_its_direction_and_bookkeeping_is_left_out() {
        let schema = Schema::of(crate::services());
        let shapes: Vec<String> = schema.edges.keys().map(ToString::to_string).collect();
        assert!(shapes.contains(&"(:AWSAccount)-[:RESOURCE]->(:AWSVpc)".to_owned()));
        assert!(!shapes.iter().any(|shape| shape.contains("_module_")), "{shapes:?}");
    }
}
