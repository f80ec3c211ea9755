//! Helpers for tests of resource types. Renders a table's rows as text, and finds properties that a full fixture leaves
//! null (usually a misspelled accessor). [`Canned`] answers the calls of listings.

mod canned;
mod check;
mod run_listing;

pub use canned::{Canned, Request};
pub use check::{Api, PageSize, TwoPages, check_service};
pub use run_listing::run_listing;

use crate::{Place, rows::Rows, table::Node};
use events::{AssetBatch, Direction, EdgeRow, EdgeTable, NodeTable, Value, value::Kind};
use std::fmt::Write;

/// Account 111111111111 named `spoke`, in us-east-1.
pub fn place() -> Place {
    Place {
        account_id: "111111111111".into(),
        account_name: "spoke".into(),
        partition: "aws".into(),
        region: "us-east-1".into(),
        home_region: "us-east-1".into(),
    }
}

/// Renders an item's node and edges as lines of text, e.g. for `expect![[…]]`.
///
/// # Panics
/// Panics if a property that is not in `null_allowed` is null: the fixture is meant to be full.
pub fn render<T>(node: &'static Node<T>, item: &T, null_allowed: &[&str]) -> String {
    let mut rows = Rows::default();
    rows.push(node, item, &place());
    let (nodes, edges) = rows.take(usize::MAX).pop().unwrap_or_default();
    let mut out = String::new();
    for table in &nodes {
        render_nodes(&mut out, table, Some(null_allowed));
    }
    for table in &edges {
        render_edges(&mut out, table, |_| "  ".to_owned());
    }
    out
}

/// Ids of the nodes in the batches of a sink in memory, in order.
pub fn node_ids(batches: &[AssetBatch]) -> impl Iterator<Item = &str> {
    batches.iter().flat_map(|batch| &batch.nodes).flat_map(|table| &table.rows).map(|row| row.id.as_str())
}

/// Renders the batches of a sink in memory: nodes, then edges with both ends. Nulls are allowed.
pub fn render_batches(batches: &[AssetBatch]) -> String {
    let mut out = String::new();
    for batch in batches {
        for table in &batch.nodes {
            render_nodes(&mut out, table, None);
        }
        for table in &batch.edges {
            render_edges(&mut out, table, |row| format!("(:{} {{id: {:?}}})", table.source_label, row.source_id));
        }
    }
    out
}

fn render_nodes(out: &mut String, table: &NodeTable, null_allowed: Option<&[&str]>) {
    let labels = [std::slice::from_ref(&table.label), &table.extra_labels].concat().join(":");
    for row in &table.rows {
        let absent = table.absent_labels.iter().fold(String::new(), |all, label| all + " !" + label);
        line(out, format_args!("(:{labels} {{id: {:?}}}){absent}", row.id));
        for (property, value) in table.properties.iter().zip(&row.values) {
            let known =
                value.kind.is_some() || null_allowed.is_none_or(|names| names.contains(&property.name.as_str()));
            assert!(known, "{}.{} is null although the fixture is full", table.label, property.name);
            let index = if property.indexed { " (indexed)" } else { "" };
            line(out, format_args!("  {}{index} = {}", property.name, text(value)));
        }
    }
}

fn render_edges(out: &mut String, table: &EdgeTable, source: impl Fn(&EdgeRow) -> String) {
    for row in &table.rows {
        let EdgeTable { target_label, target_key, .. } = table;
        let (tail, head) = if table.direction() == Direction::In { ("<-", "-") } else { ("-", "->") };
        let values = table.properties.iter().zip(&row.values);
        let props = values.fold(String::new(), |all, (name, value)| all + " " + name + "=" + &text(value));
        let target = format!("(:{target_label} {{{target_key}: {:?}}})", row.target_value);
        line(out, format_args!("{}{tail}[:{}{props}]{head}{target}", source(row), table.r#type));
    }
}

fn line(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(out, "{arguments}").expect("a String takes any text");
}

fn text(value: &Value) -> String {
    match &value.kind {
        None => "null".to_owned(),
        Some(Kind::String(text)) => format!("{text:?}"),
        Some(Kind::Integer(number)) => number.to_string(),
        Some(Kind::Float(number)) => format!("{number:?}"),
        Some(Kind::Boolean(truth)) => truth.to_string(),
        Some(Kind::TimeMicros(micros)) => format!("time({micros})"),
        Some(Kind::Strings(list)) => format!("{:?}", list.items),
        Some(Kind::Floats(list)) => format!("{:?}", list.items),
    }
}
