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
//! - `_module_hash_<listing>`: what the labels and properties that this listing gave hash to. A node of which nothing has
//!   changed gets a new tag and nothing else, and its properties are not even sent.
//!
//! Rows travel as lists, not maps, so that property names cross the wire once for each statement; the server's CPU time is
//! the same. Remembering places is a statement of its own, for the few rows that need it: planning its text costs more
//! than that of all the rest (16.8 ms with it, 7.0 without), and most labels never do.

use crate::{bolt, requests, scopes::Run};
use events::{Message, NodeRow, NodeTable, Ownership};
use graph::Transaction;
use neo4rs::{BoltType, Query};
use siphasher::sip::SipHasher13;
use std::{
    collections::{BTreeMap, HashSet},
    hash::Hasher,
};

/// `_module_scope` of nodes that accounts share.
pub const SHARED: &str = "shared";

/// Who published a batch, and when.
#[derive(Clone, Copy)]
pub struct Origin<'a> {
    /// The run.
    pub run: &'a Run,
    /// `account/region/service`.
    pub place: &'a str,
    /// The listing.
    pub listing: &'a str,
    /// Whether the scope has been in the graph before this run.
    pub seen_before: bool,
}

/// Rows to write, gathered by header.
#[derive(Default)]
pub struct NodeWrites<'a> {
    tables: Vec<Gathered<'a>>,
    index: BTreeMap<Header<'a>, usize>,
    origins: Origins,
}

/// Listing, label, extra labels, absent labels, whether shared, properties.
type Header<'a> = (&'a str, &'a str, &'a [String], &'a [String], bool, Vec<&'a str>);

struct Gathered<'a> {
    table: &'a NodeTable,
    listing: &'a str,
    /// Whether nodes of these rows are likely to be in the graph.
    seen_before: bool,
    rows: Vec<(BoltType, &'a NodeRow)>,
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

    /// The statement with these rows, as several requests where that is faster.
    pub(crate) fn queries(&self, text: &str, rows: Vec<BoltType>) -> Vec<Query> {
        /// Of the tag and the framing.
        const BESIDES: usize = 16;
        let size: usize = self.places.iter().map(|place| place.len() + BESIDES).sum();
        let tags = bolt::list(self.tags.iter().map(|tag| (*tag).into()));
        let places = bolt::texts(&self.places);
        let query =
            |rows| bolt::query(text, [("tags", tags.clone()), ("places", places.clone()), ("rows", bolt::list(rows))]);
        requests::cut(rows, text.len() + size).into_iter().map(query).collect()
    }
}

impl<'a> NodeWrites<'a> {
    /// Adds the rows of a table.
    pub fn add(&mut self, table: &'a NodeTable, origin: Origin<'a>) {
        let position = self.origins.position(origin.run, origin.place);
        let shared = table.ownership() == Ownership::Shared;
        let properties = table.properties.iter().map(|property| property.name.as_str()).collect();
        let header =
            (origin.listing, table.label.as_str(), &*table.extra_labels, &*table.absent_labels, shared, properties);
        let index = *self.index.entry(header).or_insert_with(|| {
            self.tables.push(Gathered { table, listing: origin.listing, seen_before: false, rows: Vec::new() });
            self.tables.len() - 1
        });
        let gathered = &mut self.tables[index];
        gathered.seen_before |= origin.seen_before;
        gathered.rows.extend(table.rows.iter().map(|row| (position.clone(), row)));
    }

    /// Writes the rows.
    pub(crate) async fn write(&self, transaction: &mut Transaction) -> Result<(), neo4rs::Error> {
        for gathered in &self.tables {
            gathered.write(transaction, &self.origins).await?;
        }
        Ok(())
    }
}

impl Gathered<'_> {
    async fn write(&self, transaction: &mut Transaction, origins: &Origins) -> Result<(), neo4rs::Error> {
        let statements = Statements::of(self.table, self.listing);
        let header = header_hash(self.table);
        let hashes: Vec<i64> = self.rows.iter().map(|(_, row)| row_hash(&header, row)).collect();
        let stub = |position: usize| {
            let (origin, row) = &self.rows[position];
            [origin.clone(), row.id.as_str().into(), bolt::integer(position), hashes[position].into()]
        };
        let values = |position: usize| self.rows[position].1.values.iter().map(bolt::value);
        let mut left: Vec<usize> = (0..self.rows.len()).collect();
        if self.seen_before {
            let rows = left.iter().map(|position| bolt::list(stub(*position))).collect();
            let done = run(transaction, origins.queries(&statements.refresh, rows)).await?;
            left.retain(|position| !done.contains(position));
        }
        for text in [&statements.own, &statements.remember] {
            let whole = |position: &usize| bolt::list(stub(*position).into_iter().chain(values(*position)));
            let done = run(transaction, origins.queries(text, left.iter().map(whole).collect())).await?;
            left.retain(|position| !done.contains(position));
        }
        Ok(())
    }
}

/// Positions of the rows that the requests have done with.
async fn run(transaction: &mut Transaction, queries: Vec<Query>) -> Result<HashSet<usize>, neo4rs::Error> {
    let mut done = HashSet::new();
    for query in queries {
        for row in transaction.rows(query).await? {
            done.extend(row.get::<Vec<usize>>("done")?);
        }
    }
    Ok(done)
}

/// The statements for one header, in the order in which rows pass through them; each answers which rows are done.
///
/// A row is a list: position of its origin, id, its own position, its hash, then the values.
struct Statements {
    /// Nodes that have not changed and are their only place's own: their tag is all that is written.
    refresh: String,
    /// Nodes that are new or their only place's own.
    own: String,
    /// Nodes that several places see, or that have been shared.
    remember: String,
}

impl Statements {
    fn of(table: &NodeTable, listing: &str) -> Self {
        let label = &table.label;
        let shared = table.ownership() == Ownership::Shared;
        let place = if shared { format!("'{SHARED}'") } else { "$places[row[0]]".to_owned() };
        let hash = format!("n.`_module_hash_{listing}`");
        let merge =
            format!("UNWIND $rows AS row MERGE (n:`{label}` {{id: row[1]}}) ON CREATE SET n.firstseen = timestamp()");
        let kind = if shared { String::new() } else { format!(", n._module_label = '{label}'") };
        let is_own = format!("n._module_scope = {place} AND n._module_seen IS NULL");
        let is_current = "coalesce(n.lastupdated, 0) <= $tags[row[0]]";
        let set = set(table, &hash);
        let owner = if shared {
            format!("SET n._module_scope = '{SHARED}', n._module_others = null, n._module_seen = null WITH n, row")
        } else {
            owner("n", "_module_label", label)
        };
        Self {
            refresh: format!(
                "UNWIND $rows AS row MATCH (n:`{label}` {{id: row[1]}}) USING INDEX n:`{label}`(id) \
                 WHERE {hash} = row[3] AND {is_own} AND {is_current} \
                 SET n.lastupdated = $tags[row[0]] RETURN collect(row[2]) AS done"
            ),
            own: format!(
                "{merge}, n._module_scope = {place}{kind} WITH n, row WHERE {is_own} AND {is_current} \
                 SET n.lastupdated = $tags[row[0]], {set} RETURN collect(row[2]) AS done"
            ),
            remember: format!(
                "{merge} {owner} WHERE {is_current} SET n.lastupdated = $tags[row[0]] \
                 FOREACH (_ IN CASE WHEN {hash} = row[3] THEN [] ELSE [1] END | SET {set}) RETURN collect(row[2]) AS done"
            ),
        }
    }
}

/// What is only written when it has changed.
fn set(table: &NodeTable, hash: &str) -> String {
    let properties = properties(table.properties.iter().map(|property| &property.name), 4);
    let extra =
        if table.extra_labels.is_empty() { String::new() } else { format!(", n{}", labels(&table.extra_labels)) };
    let remove = if table.absent_labels.is_empty() {
        String::new()
    } else {
        format!(" REMOVE n{}", labels(&table.absent_labels))
    };
    format!("n += {{{properties}}}, {hash} = row[3], n._module_name = 'groma'{extra}{remove}")
}

/// The same for equal headers, in every version and on every machine: a hash stands in the graph until the next sync.
fn header_hash(table: &NodeTable) -> SipHasher13 {
    let properties: Vec<&str> = table.properties.iter().map(|property| property.name.as_str()).collect();
    let texts = |labels: &'_ [String]| labels.join(":");
    names_hash([&*table.label, &texts(&table.extra_labels), &texts(&table.absent_labels)].into_iter().chain(properties))
}

/// Hash of names, to be continued with values.
pub(crate) fn names_hash<'a>(names: impl IntoIterator<Item = &'a str>) -> SipHasher13 {
    let mut hasher = SipHasher13::new();
    for name in names {
        hasher.write(name.as_bytes());
        hasher.write_u8(0);
    }
    hasher
}

fn row_hash(header: &SipHasher13, row: &NodeRow) -> i64 {
    hash_of(header, row.values.iter())
}

/// Hash of property values, continued from that of their names.
pub(crate) fn hash_of<'a>(names: &SipHasher13, values: impl Iterator<Item = &'a events::Value>) -> i64 {
    let mut hasher = *names;
    values.for_each(|value| hasher.write(&value.encode_length_delimited_to_vec()));
    hasher.finish().cast_signed()
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

    fn origin(run: &Run) -> Origin<'_> {
        Origin { run, place: "1/r", listing: "L", seen_before: false }
    }

    #[test]
    fn tables_with_one_header_are_written_together() {
        let (first, second, other) = (table("A", &["1", "2"]), table("A", &["3"]), table("B", &["1"]));
        let run = Run { tag: 5, sync: "s".into(), attempt: 1 };
        let mut writes = NodeWrites::default();
        writes.add(&first, origin(&run));
        writes.add(&other, origin(&run));
        writes.add(&second, Origin { place: "1/q", ..origin(&run) });
        let rows: Vec<_> = writes.tables.iter().map(|gathered| gathered.rows.len()).collect();
        assert_eq!(rows, [3, 1]);
    }

    #[test]
    fn the_statements() {
        let Statements { refresh, own, remember } = Statements::of(&table("A", &[]), "L");
        let remember = remember.replace(&owner("n", "_module_label", "A"), "OWNER");
        expect![[r#"
            UNWIND $rows AS row MATCH (n:`A` {id: row[1]}) USING INDEX n:`A`(id) WHERE n.`_module_hash_L` = row[3] AND n._module_scope = $places[row[0]] AND n._module_seen IS NULL AND coalesce(n.lastupdated, 0) <= $tags[row[0]] SET n.lastupdated = $tags[row[0]] RETURN collect(row[2]) AS done
            UNWIND $rows AS row MERGE (n:`A` {id: row[1]}) ON CREATE SET n.firstseen = timestamp(), n._module_scope = $places[row[0]], n._module_label = 'A' WITH n, row WHERE n._module_scope = $places[row[0]] AND n._module_seen IS NULL AND coalesce(n.lastupdated, 0) <= $tags[row[0]] SET n.lastupdated = $tags[row[0]], n += {`a`: row[4]}, n.`_module_hash_L` = row[3], n._module_name = 'groma', n:`Thing` REMOVE n:`Other` RETURN collect(row[2]) AS done
            UNWIND $rows AS row MERGE (n:`A` {id: row[1]}) ON CREATE SET n.firstseen = timestamp() OWNER WHERE coalesce(n.lastupdated, 0) <= $tags[row[0]] SET n.lastupdated = $tags[row[0]] FOREACH (_ IN CASE WHEN n.`_module_hash_L` = row[3] THEN [] ELSE [1] END | SET n += {`a`: row[4]}, n.`_module_hash_L` = row[3], n._module_name = 'groma', n:`Thing` REMOVE n:`Other`) RETURN collect(row[2]) AS done
        "#]]
        .assert_eq(&format!("{refresh}\n{own}\n{remember}\n"));
    }

    #[test]
    fn a_hash_tells_values_names_and_labels_apart_and_never_changes() {
        let hash = |change: fn(&mut NodeTable)| {
            let mut table = table("A", &["1"]);
            change(&mut table);
            row_hash(&header_hash(&table), &table.rows[0])
        };
        let text = |text: &str| events::Value { kind: Some(events::value::Kind::String(text.into())) };
        let mut rows = table("A", &["1", "2"]);
        rows.rows[1].values = vec![text("")];
        let header = header_hash(&rows);
        assert_ne!(row_hash(&header, &rows.rows[0]), row_hash(&header, &rows.rows[1]));
        let hashes = [
            hash(|_| ()),
            hash(|table| table.properties[0].name = "b".into()),
            hash(|table| table.extra_labels.clear()),
            hash(|table| table.absent_labels.push("C".into())),
        ];
        assert_eq!(HashSet::from(hashes).len(), hashes.len());
        expect!["5338087672640442836"].assert_eq(&hashes[0].to_string());
    }
}
