//! `docs/schema.md`: every label with its properties and relationships, and the listings that they come from.

use super::{NOTE, quoted};
use catalog::{Listing, Table};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

/// Renders the page. Writing to a `String` cannot fail, so the results of `write!` are ignored.
pub fn text() -> String {
    let graph = Graph::of_catalog();
    let mut out = format!("# Schema\n\n{NOTE}{INTRODUCTION}");
    for (name, label) in &graph.labels {
        section(&mut out, name, label, &graph.edges);
    }
    out
}

const INTRODUCTION: &str = "
Everything that collectors write into the graph: Cartography's labels, properties and relationships. An analysis after each sync
adds results of the whole graph (which principals may assume which role, what the internet reaches). They are not on this page.

Every node has an `id`, unique among the nodes of its label and indexed; `firstseen`, in milliseconds since 1970; and
`lastupdated`, the update tag of the sync that last saw it, in seconds. Relationships have the latter two as well. A property
without a value in AWS is absent. Properties that begin with `_module_`, relationships whose type does, and labels that begin
with `Groma` are Groma's own notes.

A property or a relationship comes from one or more listings, named `service/Listing`. A listing that sees only a part of a node
(a volume in `DescribeInstances`) writes only that part. A node is removed when every listing that feeds its label was read
completely and none returned it.
";

/// Content of all tables.
#[derive(Default)]
struct Graph {
    labels: BTreeMap<&'static str, Label>,
    edges: BTreeMap<EdgeShape, Edge>,
}

#[derive(Default)]
struct Label {
    extra: BTreeSet<&'static str>,
    listings: Sources,
    actions: BTreeSet<&'static str>,
    properties: BTreeMap<&'static str, Property>,
}

#[derive(Default)]
struct Property {
    indexed: bool,
    listings: Sources,
}

#[derive(Default)]
struct Edge {
    properties: BTreeSet<&'static str>,
    listings: Sources,
}

/// Type and ends of an edge in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct EdgeShape {
    kind: &'static str,
    from: &'static str,
    to: &'static str,
}

type Sources = BTreeSet<String>;

impl Graph {
    fn of_catalog() -> Self {
        let mut graph = Self::default();
        for service in catalog::services() {
            for listing in &service.listings {
                let source = format!("{}/{}", service.name, listing.name);
                for table in &listing.tables {
                    graph.add(table, &source, listing);
                }
            }
        }
        graph
    }

    fn add(&mut self, table: &'static Table, source: &str, listing: &'static Listing) {
        let label = self.labels.entry(&table.label).or_default();
        label.extra.extend(table.labels().skip(1));
        label.listings.insert(source.to_owned());
        label.actions.extend(listing.actions.iter().map(String::as_str));
        for name in &table.properties {
            let property = label.properties.entry(name).or_default();
            property.indexed |= table.indexed.contains(name);
            property.listings.insert(source.to_owned());
        }
        for declared in table.edges.iter().filter(|edge| !edge.kind.starts_with("_module_")) {
            let (from, to) = declared.ends(&table.label);
            let edge = self.edges.entry(EdgeShape { kind: &declared.kind, from, to }).or_default();
            edge.properties.extend(declared.properties.iter().map(String::as_str));
            edge.listings.insert(source.to_owned());
        }
    }
}

fn section(out: &mut String, name: &str, label: &Label, edges: &BTreeMap<EdgeShape, Edge>) {
    let _ = write!(out, "\n## {name}\n\n");
    if !label.extra.is_empty() {
        let _ = writeln!(out, "- further labels: {}", quoted(label.extra.iter().copied()));
    }
    let _ = writeln!(out, "- seen by: {}", sources(&label.listings));
    let _ = writeln!(out, "- permissions: {}", quoted(label.actions.iter().copied()));
    if !label.properties.is_empty() {
        let _ = write!(out, "\n| property | | from |\n|---|---|---|\n");
    }
    for (property, Property { indexed, listings }) in &label.properties {
        let index = if *indexed { "indexed" } else { "" };
        let _ = writeln!(out, "| `{property}` | {index} | {} |", sources(listings));
    }
    let of_label: Vec<_> = edges.iter().filter(|(shape, _)| shape.from == name || shape.to == name).collect();
    if !of_label.is_empty() {
        let _ = write!(out, "\n| relationship | properties | from |\n|---|---|---|\n");
    }
    for (EdgeShape { kind, from, to }, Edge { properties, listings }) in of_label {
        let properties = quoted(properties.iter().copied());
        let _ = writeln!(out, "| `(:{from})-[:{kind}]->(:{to})` | {properties} | {} |", sources(listings));
    }
}

fn sources(listings: &Sources) -> String {
    listings.iter().cloned().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{Graph, text};

    #[test]
    fn every_label_of_every_collector_has_a_section() {
        let (graph, text) = (Graph::of_catalog(), text());
        assert!(graph.labels.len() > 50, "{}", graph.labels.len());
        for label in graph.labels.keys() {
            assert!(text.contains(&format!("\n## {label}\n")), "{label}");
        }
        for shape in graph.edges.keys() {
            assert!(text.contains(&format!("`(:{})-[:{}]->(:{})`", shape.from, shape.kind, shape.to)), "{shape:?}");
        }
    }

    #[test]
    fn a_label_that_several_listings_see_says_so() {
        let graph = Graph::of_catalog();
        let volume = &graph.labels["AWSEBSVolume"];
        assert!(volume.listings.contains("ec2/DescribeInstances") && volume.listings.contains("ec2/DescribeVolumes"));
        assert!(volume.properties["deleteontermination"].listings.len() == 1);
        assert!(text().contains("| `volumeid` | indexed |"));
    }
}
