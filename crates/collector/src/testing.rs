//! Helpers for tests of resource types. Renders a table's rows as text, and finds properties that a full fixture leaves
//! null (usually a misspelled accessor). [`Canned`] answers the calls of listings.

mod canned;

pub use canned::{Canned, Request};

use crate::{
    Place, Service,
    rows::Rows,
    table::{Node, Table},
};
use events::{AssetBatch, Direction, EdgeRow, EdgeTable, NodeTable, Value, identifier::is_valid, value::Kind};
use std::{
    collections::{HashMap, HashSet},
    fmt::Write,
};

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

/// Checks the registry of a service: names of listings are unique, actions are spelled as in IAM, names are valid
/// Cypher identifiers, and the tables of a label agree on indexes.
///
/// # Panics
/// Panics if a rule is broken.
pub fn check_service<C>(service: &Service<C>) {
    let mut names = HashSet::new();
    let mut indexes = HashMap::new();
    for listing in service.listings {
        assert!(names.insert(listing.name), "two listings are named {}", listing.name);
        for table in listing.feeds {
            check_table(*table, &mut indexes);
        }
    }
    for action in service.actions() {
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let well_formed = action
            .split_once(':')
            .is_some_and(|(prefix, name)| plain(prefix) && plain(name) && name.starts_with(char::is_uppercase));
        assert!(well_formed, "{action} is not prefix:Action");
    }
}

fn check_table(table: &dyn Table, indexes: &mut HashMap<(&'static str, &'static str), bool>) {
    let label = table.label();
    let mut names = HashSet::new();
    for (property, indexed) in table.properties() {
        assert!(is_valid(property) && names.insert(property), "{label}.{property} is not unique or not an identifier");
        let known = *indexes.entry((label, property)).or_insert(indexed);
        assert_eq!(known, indexed, "{label}.{property} is indexed in one table only");
    }
    for edge in table.edges() {
        assert!([edge.kind, edge.from, edge.to].into_iter().all(is_valid), "{edge:?} is not an identifier");
    }
    for label in table.extra_labels().into_iter().chain([label]) {
        assert!(is_valid(label), "{label} is not an identifier");
    }
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
