//! Node rows to statements: every table with the same header becomes one `UNWIND … MERGE`, whatever scope its rows come
//! from, because a few large requests are several times faster than many small ones.
//!
//! What the writer keeps on a node beside the event's properties:
//!
//! - `firstseen` (milliseconds, on creation) and `lastupdated` (the tag of the newest sync that saw it). A sync that is older
//!   changes no property.
//! - `_module_scope`: the place (`account/region/service`) that the node belongs to, `shared` when it belongs to none.
//!   The first place that sees a node owns it. Where several see it, the others stand in `_module_others`, each with the tag of the
//!   newest sync in which it did, and `_module_seen` is that tag of the owner; cleanup forgets a place that no longer
//!   sees the node, and removes the node with the last of them. So it does not matter who came first.
//! - `_module_label`: its primary label. Other labels of the node may be primary labels of other nodes
//!   (`AWSIpPermissionInbound` nodes are also `AWSIpRule`), and cleaning those must not touch this one.
//!
//! Rows travel as lists, not maps, so that property names cross the wire once for each statement; the server's CPU time is
//! the same. Remembering places costs a quarter of a write when every row computes it, and nothing that shows when rows
//! that are their only place's own pass by. Writing equal values again costs a third of the first write, changed ones a
//! third more than it.

use crate::{bolt, requests, scopes::Run};
use events::{NodeTable, Ownership};
use neo4rs::{BoltType, Query};
use std::collections::BTreeMap;

/// `_module_scope` of nodes that accounts share.
pub const SHARED: &str = "shared";

/// Rows to write, gathered by header.
#[derive(Default)]
pub struct NodeWrites<'a> {
    tables: Vec<Gathered<'a>>,
    index: BTreeMap<Header<'a>, usize>,
    pub(crate) origins: Origins,
}

/// Label, extra labels, absent labels, whether shared, properties.
type Header<'a> = (&'a str, &'a [String], &'a [String], bool, Vec<&'a str>);

struct Gathered<'a> {
    table: &'a NodeTable,
    rows: Vec<BoltType>,
}

/// Where rows come from and when: each row carries its position in these lists, which travel with the statement.
#[derive(Default)]
pub(crate) struct Origins {
    tags: Vec<i64>,
    places: Vec<String>,
}

impl Origins {
    pub(crate) fn position(&mut self, run: &Run, place: &str) -> BoltType {
        let known = self.tags.iter().zip(&self.places).position(|(tag, known)| *tag == run.tag && known == place);
        let position = known.unwrap_or_else(|| {
            self.tags.push(run.tag);
            self.places.push(place.to_owned());
            self.tags.len() - 1
        });
        bolt::integer(position)
    }

    pub(crate) fn bind(&self, query: Query) -> Query {
        let tags = bolt::list(self.tags.iter().map(|tag| (*tag).into()));
        query.param("tags", tags).param("places", bolt::texts(&self.places))
    }

    /// Bytes that they take on the wire.
    pub(crate) fn size(&self) -> usize {
        self.places.iter().map(|place| place.len() + 16).sum()
    }
}

impl<'a> NodeWrites<'a> {
    /// Adds the rows of a table that a scope of this place published in this run.
    pub fn add(&mut self, table: &'a NodeTable, run: &Run, place: &str) {
        let origin = self.origins.position(run, place);
        let shared = table.ownership() == Ownership::Shared;
        let properties = table.properties.iter().map(|property| property.name.as_str()).collect();
        let header = (table.label.as_str(), &*table.extra_labels, &*table.absent_labels, shared, properties);
        let position = *self.index.entry(header).or_insert_with(|| {
            self.tables.push(Gathered { table, rows: Vec::new() });
            self.tables.len() - 1
        });
        let rows = table.rows.iter().map(|row| {
            let fixed = [origin.clone(), row.id.as_str().into()];
            bolt::list(fixed.into_iter().chain(row.values.iter().map(bolt::value)))
        });
        self.tables[position].rows.extend(rows);
    }

    /// The statements that write the rows.
    pub fn into_queries(self) -> Vec<Query> {
        let Self { tables, origins, .. } = self;
        let mut queries = Vec::new();
        for Gathered { table, rows } in tables {
            let text = statement(table);
            for request in requests::cut(rows, text.len() + origins.size()) {
                queries.push(origins.bind(Query::new(text.clone())).param("rows", bolt::list(request)));
            }
        }
        queries
    }
}

fn statement(table: &NodeTable) -> String {
    let label = &table.label;
    let owner = match table.ownership() {
        Ownership::Shared => {
            format!("SET n._module_scope = '{SHARED}', n._module_others = null, n._module_seen = null WITH n, row")
        }
        _ => owner("n", "_module_label", label),
    };
    let properties = properties(table.properties.iter().map(|property| &property.name), 2);
    let extra =
        if table.extra_labels.is_empty() { String::new() } else { format!(", n{}", labels(&table.extra_labels)) };
    let remove = if table.absent_labels.is_empty() {
        String::new()
    } else {
        format!(" REMOVE n{}", labels(&table.absent_labels))
    };
    format!(
        "UNWIND $rows AS row MERGE (n:`{label}` {{id: row[1]}}) ON CREATE SET n.firstseen = timestamp() {owner} \
         WHERE coalesce(n.lastupdated, 0) <= $tags[row[0]] \
         SET n += {{{properties}}}, n.lastupdated = $tags[row[0]], n._module_name = 'groma'{extra}{remove}"
    )
}

fn labels(labels: &[String]) -> String {
    labels.iter().fold(String::new(), |text, label| text + ":`" + label + "`")
}

/// Remembers the place that saw a node or an edge, and when; it becomes the owner when there is none. `kind` is noted for
/// cleanup. To be put after `ON CREATE SET …`; most rows are their only place's own, and pass by.
pub(crate) fn owner(variable: &str, kind_property: &str, kind: &str) -> String {
    const TEXT: &str = ", it._module_scope = PLACE, it.KIND_PROPERTY = 'KIND_VALUE' \
        WITH it, row, CASE WHEN it._module_scope = PLACE AND it._module_seen IS NULL THEN [] ELSE [1] END AS unsure \
        FOREACH (_ IN unsure | SET it.KIND_PROPERTY = coalesce(it.KIND_PROPERTY, 'KIND_VALUE'), \
        it._module_seen = CASE \
        WHEN it._module_scope = PLACE AND it._module_others IS NOT NULL \
        THEN CASE WHEN it._module_seen > TAG THEN it._module_seen ELSE TAG END \
        WHEN it._module_scope <> PLACE AND it._module_scope <> 'shared' AND it._module_others IS NULL \
        THEN it.lastupdated ELSE it._module_seen END, \
        it._module_others = CASE WHEN coalesce(it._module_scope, PLACE) IN [PLACE, 'shared'] THEN it._module_others \
        ELSE [o IN coalesce(it._module_others, []) WHERE split(o, ' ')[0] <> PLACE] + (PLACE + ' ' + \
        reduce(newest = TAG, o IN coalesce(it._module_others, []) | CASE WHEN split(o, ' ')[0] = PLACE \
        AND toInteger(split(o, ' ')[1]) > newest THEN toInteger(split(o, ' ')[1]) ELSE newest END)) END, \
        it._module_scope = coalesce(it._module_scope, PLACE)) \
        WITH it, row";
    [("it.", &*format!("{variable}.")), ("it,", &format!("{variable},")), ("PLACE", "$places[row[0]]")]
        .into_iter()
        .chain([("TAG", "$tags[row[0]]"), ("KIND_PROPERTY", kind_property), ("KIND_VALUE", kind)])
        .fold(TEXT.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// `name: row[first], …`.
pub(crate) fn properties<'a>(names: impl Iterator<Item = &'a String>, first: usize) -> String {
    let entries: Vec<String> =
        names.enumerate().map(|(position, name)| format!("`{name}`: row[{}]", first + position)).collect();
    entries.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{NodeRow, Property};
    use expect_test::expect;

    fn table(label: &str, rows: &[&str]) -> NodeTable {
        NodeTable {
            label: label.into(),
            extra_labels: vec!["Thing".into()],
            absent_labels: vec!["Other".into()],
            ownership: Ownership::Scope.into(),
            properties: vec![Property { name: "a".into(), indexed: false }],
            rows: rows.iter().map(|id| NodeRow { id: (*id).into(), values: vec![events::Value::default()] }).collect(),
        }
    }

    #[test]
    fn tables_with_one_header_are_one_statement() {
        let (first, second, other) = (table("A", &["1", "2"]), table("A", &["3"]), table("B", &["1"]));
        let run = Run { tag: 5, sync: "s".into(), attempt: 1 };
        let mut writes = NodeWrites::default();
        writes.add(&first, &run, "1/r");
        writes.add(&other, &run, "1/r");
        writes.add(&second, &run, "1/q");
        assert_eq!(writes.into_queries().len(), 2);
    }

    #[test]
    fn the_statement() {
        let text = statement(&table("A", &[])).replace(&owner("n", "_module_label", "A"), "OWNER");
        expect![[r"
            UNWIND $rows AS row MERGE (n:`A` {id: row[1]}) ON CREATE SET n.firstseen = timestamp() OWNER WHERE coalesce(n.lastupdated, 0) <= $tags[row[0]] SET n += {`a`: row[2]}, n.lastupdated = $tags[row[0]], n._module_name = 'groma', n:`Thing` REMOVE n:`Other`"]]
        .assert_eq(&text);
    }
}
