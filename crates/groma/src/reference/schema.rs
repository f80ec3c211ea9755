//! `docs/schema.md`: every label with its properties and relationships, and the listings that they come from.

use super::{NOTE, quoted};
use catalog::{
    Schema,
    schema::{EdgeShape, EdgeSources, Label, Property, Source},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

/// Renders the page. Writing to a `String` cannot fail, so the results of `write!` are ignored.
pub fn text() -> String {
    let schema = Schema::of(catalog::services());
    let mut out = format!("# Schema\n\n{NOTE}{INTRODUCTION}");
    for (name, label) in &schema.labels {
        section(&mut out, name, label, &schema.edges);
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

fn section(out: &mut String, name: &str, label: &Label<'_>, edges: &BTreeMap<EdgeShape<'_>, EdgeSources<'_>>) {
    let _ = write!(out, "\n## {name}\n\n");
    if !label.further.is_empty() {
        let _ = writeln!(out, "- further labels: {}", quoted(label.further.iter().copied()));
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
    for (shape, EdgeSources { properties, listings }) in of_label {
        let properties = quoted(properties.iter().copied());
        let _ = writeln!(out, "| `{shape}` | {properties} | {} |", sources(listings));
    }
}

fn sources(listings: &BTreeSet<Source<'_>>) -> String {
    listings.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::text;
    use catalog::Schema;

    #[test]
    fn every_label_of_every_collector_has_a_section() {
        let (schema, text) = (Schema::of(catalog::services()), text());
        for label in schema.labels.keys() {
            assert!(text.contains(&format!("\n## {label}\n")), "{label}");
        }
        for shape in schema.edges.keys() {
            assert!(text.contains(&format!("`{shape}`")), "{shape}");
        }
        assert!(text.contains("| `volumeid` | indexed |"));
    }
}
