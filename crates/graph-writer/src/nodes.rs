//! Node rows to statements: every table with the same header becomes one `UNWIND … MERGE`, whatever scope its rows come
//! from, because a few large requests are several times faster than many small ones.
//!
//! What the writer keeps on a node beside the event's properties is said in [`crate::ownership`].
//!
//! Statements are short, because Neo4j plans each of them once for every label, and what that costs goes by the length
//! of the text: with the twenty property names of a type and everything about ownership in it, planning one took four
//! times as long (21 ms against 6), and a first sync spent most of its time so. So names travel with the rows, and what
//! only a few rows need is a statement of its own.

use crate::{
    bolt,
    ownership::{self, Kind, SHARED},
    requests,
    scopes::Run,
};
use events::{Message, NodeRow, NodeTable, Ownership};
use graph::Transaction;
use neo4rs::BoltType;
use siphasher::sip::SipHasher13;
use std::{
    collections::{BTreeMap, BTreeSet},
    hash::Hasher,
};

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
}

/// Listing, label, extra labels, absent labels, whether shared, properties.
type Header<'a> = (&'a str, &'a str, &'a [String], &'a [String], bool, Vec<&'a str>);

struct Gathered<'a> {
    table: &'a NodeTable,
    listing: &'a str,
    /// Whether nodes of these rows are likely to be in the graph.
    seen_before: bool,
    rows: Vec<(Origin<'a>, &'a NodeRow)>,
}

impl<'a> NodeWrites<'a> {
    /// Adds the rows of a table.
    pub fn add(&mut self, table: &'a NodeTable, origin: Origin<'a>) {
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
        gathered.rows.extend(table.rows.iter().map(|row| (origin, row)));
    }

    /// Writes the rows; adds labels of which several places see one to `several`.
    pub(crate) async fn write(
        &self,
        transaction: &mut Transaction,
        several: &mut BTreeSet<Kind>,
    ) -> Result<(), neo4rs::Error> {
        for gathered in &self.tables {
            if gathered.write(transaction).await? {
                several.insert(Kind::label(&gathered.table.label));
            }
        }
        Ok(())
    }
}

impl Gathered<'_> {
    /// Whether several places see one of them.
    async fn write(&self, transaction: &mut Transaction) -> Result<bool, neo4rs::Error> {
        let statements = Statements::of(self.table, self.listing);
        let hash_property = hash_property(self.listing);
        let header = header_hash(self.table);
        let hashes: Vec<i64> = self.rows.iter().map(|(_, row)| hash_of(&header, row.values.iter())).collect();
        let mut new: BTreeSet<usize> = (0..self.rows.len()).collect();
        let mut known = BTreeSet::new();
        if self.seen_before {
            let stub = |position: &usize| {
                let (origin, row) = &self.rows[*position];
                let state = bolt::list([self.owner(origin).into(), hashes[*position].into()]);
                bolt::list([row.id.as_str().into(), state, origin.run.tag.into(), bolt::integer(*position)])
            };
            for answer in requests::rows(transaction, &statements.refresh, new.iter().map(stub).collect()).await? {
                let (done, left): (Vec<usize>, Vec<usize>) = (answer.get("done")?, answer.get("left")?);
                for position in done.iter().chain(&left) {
                    new.remove(position);
                }
                known.extend(left);
            }
        }
        let whole = |position: &usize| {
            let (origin, row) = &self.rows[*position];
            let state = [self.owner(origin).into(), origin.run.tag.into(), hashes[*position].into()];
            let properties = self.properties(&hash_property, origin, row, hashes[*position]);
            bolt::list([row.id.as_str().into(), properties, bolt::list(state), bolt::integer(*position)])
        };
        for answer in requests::rows(transaction, &statements.create, new.iter().map(whole).collect()).await? {
            known.extend(answer.get::<Vec<usize>>("left")?);
        }
        ownership::run(transaction, &statements.remember, known.iter().map(whole).collect()).await
    }

    fn is_shared(&self) -> bool {
        self.table.ownership() == Ownership::Shared
    }

    fn owner<'b>(&self, origin: &Origin<'b>) -> &'b str {
        if self.is_shared() { SHARED } else { origin.place }
    }

    /// All that a node is to hold when it is new.
    fn properties(&self, hash_property: &str, origin: &Origin<'_>, row: &NodeRow, hash: i64) -> BoltType {
        let names = self.table.properties.iter().map(|property| property.name.as_str());
        let kind = (!self.is_shared()).then(|| ("_module_label", self.table.label.as_str().into()));
        let bookkeeping = [
            (hash_property, hash.into()),
            ("_module_name", "groma".into()),
            ("_module_scope", self.owner(origin).into()),
            ("lastupdated", origin.run.tag.into()),
        ];
        bolt::map(names.zip(row.values.iter().map(bolt::value)).chain(bookkeeping).chain(kind))
    }
}

pub(crate) fn hash_property(listing: &str) -> String {
    format!("_module_hash_{listing}")
}

/// The statements for rows with this header: for such as have not changed, for new ones and for all others.
pub(crate) fn texts(table: &NodeTable, listing: &str) -> [String; 3] {
    let Statements { refresh, create, remember } = Statements::of(table, listing);
    [refresh, create, remember]
}

/// The statements for one header, in the order in which rows pass through them; all but the last answer which rows are
/// left for it, the first also which are done: the rest is new.
struct Statements {
    /// Nodes that have not changed and are their only place's own: their tag is all that is written. A row is a list: id,
    /// place and hash, tag, its position.
    refresh: String,
    /// Nodes that are new. A row: id, properties, place and tag and hash, its position.
    create: String,
    /// Nodes that have changed, or that several places see, or that have been shared. Rows as before.
    remember: String,
}

impl Statements {
    fn of(table: &NodeTable, listing: &str) -> Self {
        let label = &table.label;
        let hash = format!("n.`{}`", hash_property(listing));
        let extra =
            if table.extra_labels.is_empty() { String::new() } else { format!(", n{}", labels(&table.extra_labels)) };
        let absent = if table.absent_labels.is_empty() {
            String::new()
        } else {
            format!(" REMOVE n{}", labels(&table.absent_labels))
        };
        let merge =
            format!("UNWIND $rows AS row MERGE (n:`{label}` {{id: row[0]}}) ON CREATE SET n.firstseen = timestamp()");
        let remember = if table.ownership() == Ownership::Shared {
            ownership::share("n")
        } else {
            ownership::remember("n", "_module_label", label)
        };
        Self {
            refresh: format!(
                "UNWIND $rows AS row MATCH (n:`{label}` {{id: row[0]}}) USING INDEX n:`{label}`(id) \
                 WITH n, row, [n._module_scope, {hash}] = row[1] AND n.lastupdated <= row[2] AS same \
                 SET n.lastupdated = CASE WHEN same THEN row[2] ELSE n.lastupdated END \
                 RETURN collect(CASE WHEN same THEN row[3] END) AS done, \
                 collect(CASE WHEN same THEN null ELSE row[3] END) AS left"
            ),
            create: format!(
                "{merge}, n += row[1]{extra} \
                 RETURN collect(CASE [n._module_scope, n.lastupdated, {hash}] WHEN row[2] THEN null ELSE row[3] END) AS left"
            ),
            remember: format!(
                "{merge} {remember} SET n.lastupdated = CASE WHEN current THEN row[2][1] ELSE n.lastupdated END \
                 FOREACH (_ IN CASE WHEN current AND coalesce({hash} <> row[2][2], true) THEN [1] ELSE [] END \
                 | SET n += row[1]{extra}{absent}) SET n._module_scope = owner, n._module_label = kind {}",
                ownership::ANSWER
            ),
        }
    }
}

/// The same for equal headers, in every version and on every machine: a hash stands in the graph until the next sync.
pub(crate) fn header_hash(table: &NodeTable) -> SipHasher13 {
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

/// Hash of property values, continued from that of their names.
pub(crate) fn hash_of<'a>(names: &SipHasher13, values: impl Iterator<Item = &'a events::Value>) -> i64 {
    let mut hasher = *names;
    values.for_each(|value| hasher.write(&value.encode_length_delimited_to_vec()));
    hasher.finish().cast_signed()
}

fn labels(labels: &[String]) -> String {
    labels.iter().fold(String::new(), |text, label| text + ":`" + label + "`")
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
        let Statements { refresh, create, remember } = Statements::of(&table("A", &[]), "L");
        let remember = remember.replace(&ownership::remember("n", "_module_label", "A"), "OWNERSHIP");
        expect![[r"
            UNWIND $rows AS row MATCH (n:`A` {id: row[0]}) USING INDEX n:`A`(id) WITH n, row, [n._module_scope, n.`_module_hash_L`] = row[1] AND n.lastupdated <= row[2] AS same SET n.lastupdated = CASE WHEN same THEN row[2] ELSE n.lastupdated END RETURN collect(CASE WHEN same THEN row[3] END) AS done, collect(CASE WHEN same THEN null ELSE row[3] END) AS left
            UNWIND $rows AS row MERGE (n:`A` {id: row[0]}) ON CREATE SET n.firstseen = timestamp(), n += row[1], n:`Thing` RETURN collect(CASE [n._module_scope, n.lastupdated, n.`_module_hash_L`] WHEN row[2] THEN null ELSE row[3] END) AS left
            UNWIND $rows AS row MERGE (n:`A` {id: row[0]}) ON CREATE SET n.firstseen = timestamp() OWNERSHIP SET n.lastupdated = CASE WHEN current THEN row[2][1] ELSE n.lastupdated END FOREACH (_ IN CASE WHEN current AND coalesce(n.`_module_hash_L` <> row[2][2], true) THEN [1] ELSE [] END | SET n += row[1], n:`Thing` REMOVE n:`Other`) SET n._module_scope = owner, n._module_label = kind RETURN count(CASE owner WHEN 'several' THEN 1 END) AS several
        "]]
        .assert_eq(&format!("{refresh}\n{create}\n{remember}\n"));
    }

    #[test]
    fn a_hash_tells_values_names_and_labels_apart_and_never_changes() {
        let hash = |change: fn(&mut NodeTable)| {
            let mut table = table("A", &["1"]);
            change(&mut table);
            hash_of(&header_hash(&table), table.rows[0].values.iter())
        };
        let text = |text: &str| events::Value { kind: Some(events::value::Kind::String(text.into())) };
        let mut rows = table("A", &["1", "2"]);
        rows.rows[1].values = vec![text("")];
        let header = header_hash(&rows);
        assert_ne!(hash_of(&header, rows.rows[0].values.iter()), hash_of(&header, rows.rows[1].values.iter()));
        let hashes = [
            hash(|_| ()),
            hash(|table| table.properties[0].name = "b".into()),
            hash(|table| table.extra_labels.clear()),
            hash(|table| table.absent_labels.push("C".into())),
        ];
        assert_eq!(BTreeSet::from(hashes).len(), hashes.len());
        expect!["5338087672640442836"].assert_eq(&hashes[0].to_string());
    }
}
