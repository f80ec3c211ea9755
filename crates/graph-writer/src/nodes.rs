//! Node rows to statements: rows of one label are looked up together, whatever listing and scope they come from, because a
//! few large requests are several times faster than many small ones. Those that have not changed get their tag in passing;
//! new ones are made, and all others changed, by one statement for all labels.
//!
//! What only its own place sees is written before the edges. What others see too (accounts, principals, images) is written
//! after them, because a node is locked from its first change to the end of the transaction: while accounts were locked
//! first, each of eight first syncs repeated transactions because of deadlocks, and lanes waited for each other for up to 0.3 s.
//!
//! What the writer keeps on a node beside the event's properties is said in [`crate::ownership`].
//!
//! Neo4j plans each statement once, and what that costs goes by the length of its text: with twenty property names and
//! everything about ownership in it, planning one took four times as long (21 ms against 6), and with three statements for
//! each label a first sync spent most of its time so. So labels and names travel with the rows, and the one statement that
//! has to name its label, because only so Neo4j uses an index, is short.

use crate::{
    bolt,
    elements::{Element, Elements},
    ownership::{self, Kind, SHARED},
    rows::{self, Cell},
    scopes::Run,
};
use events::{Message, NodeRow, NodeTable, Ownership};
use graph::Transaction;
use neo4rs::BoltType;
use siphasher::sip::SipHasher13;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
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
}

/// Rows to write.
#[derive(Default)]
pub struct NodeWrites<'a> {
    tables: Vec<Published<'a>>,
}

/// A table as it was published.
struct Published<'a> {
    table: &'a NodeTable,
    origin: Origin<'a>,
    hash_property: String,
    hashes: Vec<i64>,
}

/// A row and its table; small, because there are thousands.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry {
    table: usize,
    row: usize,
}

/// A row of which there is a node.
struct Left {
    entry: Entry,
    element: Element,
}

/// What is known of rows once their nodes have been looked up, but for those that need nothing more.
#[derive(Default)]
struct Known {
    /// Without a node.
    absent: Vec<Entry>,
    /// Of a node that only this place sees.
    own: Vec<Left>,
    /// Of one that others may see at the same moment.
    common: Vec<Left>,
}

/// What has been written, and what is left to write.
pub(crate) struct Written<'a> {
    /// What Neo4j calls the nodes.
    pub(crate) elements: Elements<'a>,
    /// For [`NodeWrites::write_common`].
    pub(crate) common: Common,
}

/// Rows of nodes that others see too.
pub(crate) struct Common(Vec<Left>);

impl<'a> NodeWrites<'a> {
    /// Adds the rows of a table.
    pub fn add(&mut self, table: &'a NodeTable, origin: Origin<'a>) {
        let header = header_hash(table);
        let hashes = table.rows.iter().map(|row| hash_of(&header, row.values.iter())).collect();
        self.tables.push(Published { table, origin, hash_property: hash_property(origin.listing), hashes });
    }

    /// Writes the rows of new nodes and of those that nobody else sees; answers what Neo4j calls all of them.
    pub(crate) async fn write(
        &self,
        transaction: &mut Transaction,
        several: &mut BTreeSet<Kind>,
    ) -> Result<Written<'a>, neo4rs::Error> {
        let mut elements = Elements::default();
        let mut common = Vec::new();
        let mut waiting: Vec<Entry> = Vec::new();
        for (table, it) in self.tables.iter().enumerate() {
            waiting.extend((0..it.hashes.len()).map(|row| Entry { table, row }));
        }
        // Once, unless somebody removes nodes at the same moment.
        while !waiting.is_empty() {
            let Known { absent, mut own, common: others } = self.refresh(transaction, &waiting, &mut elements).await?;
            common.extend(others);
            self.create(transaction, absent, &mut elements, &mut own).await?;
            waiting = Vec::new();
            for left in self.remember(transaction, own, several).await? {
                elements.forget((&self.table(left.entry).table.label, "id"), self.id(left.entry));
                waiting.push(left.entry);
            }
        }
        Ok(Written { elements, common: Common(common) })
    }

    /// Writes the rows of nodes that others see as well; to be done last. Answers whether all of them are still there: if not,
    /// the transaction has to be repeated.
    pub(crate) async fn write_common(
        &self,
        transaction: &mut Transaction,
        Common(left): Common,
        several: &mut BTreeSet<Kind>,
    ) -> Result<bool, neo4rs::Error> {
        Ok(self.remember(transaction, left, several).await?.is_empty())
    }

    /// Looks nodes up, and renews the tag of those that have not changed and are this place's own.
    async fn refresh(
        &self,
        transaction: &mut Transaction,
        entries: &[Entry],
        elements: &mut Elements<'a>,
    ) -> Result<Known, neo4rs::Error> {
        let mut labels = BTreeMap::<&str, Vec<Entry>>::new();
        for entry in entries {
            labels.entry(&self.table(*entry).table.label).or_default().push(*entry);
        }
        let mut known = Known::default();
        for (label, entries) in labels {
            let rows = entries.iter().enumerate().map(|(position, entry)| self.stub(position, *entry)).collect();
            let mut there = HashSet::new();
            for answer in rows::run(transaction, &refresh(label), rows).await? {
                let found: Vec<usize> = answer.get("found")?;
                let names: Vec<String> = answer.get("elements")?;
                let (done, own): (Vec<bool>, Vec<bool>) = (answer.get("done")?, answer.get("own")?);
                for (((position, element), done), own) in found.into_iter().zip(names).zip(done).zip(own) {
                    let entry = entries[position];
                    let element: Element = element.into();
                    there.insert(position);
                    elements.add((label, "id"), self.id(entry), element.clone());
                    if !done {
                        let left = if own { &mut known.own } else { &mut known.common };
                        left.push(Left { entry, element });
                    }
                }
            }
            let missing = entries.into_iter().enumerate().filter(|(position, _)| !there.contains(position));
            known.absent.extend(missing.map(|(_, entry)| entry));
        }
        Ok(known)
    }

    /// Makes the nodes; of a node that several rows bring, the first makes it and the others are added to `left`.
    async fn create(
        &self,
        transaction: &mut Transaction,
        entries: Vec<Entry>,
        elements: &mut Elements<'a>,
        left: &mut Vec<Left>,
    ) -> Result<(), neo4rs::Error> {
        let mut ids = HashSet::new();
        let (new, again): (Vec<Entry>, Vec<Entry>) =
            entries.into_iter().partition(|entry| ids.insert((&*self.table(*entry).table.label, self.id(*entry))));
        let rows = new.iter().enumerate().map(|(position, entry)| self.whole(position, *entry, None)).collect();
        for answer in rows::run(transaction, CREATE, rows).await? {
            let (made, names): (Vec<usize>, Vec<String>) = (answer.get("made")?, answer.get("elements")?);
            for (position, element) in made.into_iter().zip(names) {
                elements.create((&self.table(new[position]).table.label, "id"), self.id(new[position]), element.into());
            }
        }
        for entry in again {
            let made = elements.get((&self.table(entry).table.label, "id"), self.id(entry));
            left.extend(made.iter().map(|element| Left { entry, element: element.clone() }));
        }
        Ok(())
    }

    /// Writes what has changed, or is seen by several places, or belongs to none. Answers rows whose node is gone.
    async fn remember(
        &self,
        transaction: &mut Transaction,
        mut left: Vec<Left>,
        several: &mut BTreeSet<Kind>,
    ) -> Result<Vec<Left>, neo4rs::Error> {
        let mut gone = Vec::new();
        // Locked in one order, so that writers wait for each other and need not repeat.
        left.sort_by(|a, b| a.element.cmp(&b.element));
        let (shared, owned) = left.into_iter().partition(|left| self.table(left.entry).is_shared());
        for (text, left) in [(remember(), owned), (share(), shared)] {
            for wave in ownership::waves(left, |left| left.element.clone()) {
                let rows = wave.iter().enumerate();
                let rows = rows.map(|(position, left)| self.whole(position, left.entry, Some(&left.element))).collect();
                let mut found = HashSet::new();
                for answer in rows::run(transaction, &text, rows).await? {
                    found.extend(answer.get::<Vec<usize>>("found")?);
                    let labels = answer.get::<Vec<usize>>("several")?.into_iter();
                    several.extend(labels.map(|position| Kind::label(&self.table(wave[position].entry).table.label)));
                }
                let lost = wave.into_iter().enumerate().filter(|(position, _)| !found.contains(position));
                gone.extend(lost.map(|(_, left)| left));
            }
        }
        Ok(gone)
    }

    fn table(&self, entry: Entry) -> &Published<'a> {
        &self.tables[entry.table]
    }

    fn row(&self, entry: Entry) -> &'a NodeRow {
        &self.tables[entry.table].table.rows[entry.row]
    }

    fn id(&self, entry: Entry) -> &'a str {
        &self.row(entry).id
    }

    /// What [`refresh`] needs: position, id, place, tag, hash property, hash.
    fn stub(&self, position: usize, entry: Entry) -> Vec<Cell<'_>> {
        let it = self.table(entry);
        vec![
            Cell::position(position),
            Cell::own(self.id(entry)),
            Cell::text(it.owner()),
            Cell::number(it.origin.run.tag),
            Cell::text(&it.hash_property),
            Cell::own(it.hashes[entry.row]),
        ]
    }

    /// What the other statements need: position, properties, place, tag, hash property, hash, label, all labels, further
    /// labels, absent labels, and the node if it is there.
    fn whole<'b>(&'b self, position: usize, entry: Entry, element: Option<&'b str>) -> Vec<Cell<'b>> {
        let it = self.table(entry);
        let cells = [
            Cell::position(position),
            Cell::Own(it.properties(self.row(entry), it.hashes[entry.row])),
            Cell::text(it.owner()),
            Cell::number(it.origin.run.tag),
            Cell::text(&it.hash_property),
            Cell::own(it.hashes[entry.row]),
            Cell::text(&it.table.label),
            Cell::labels(Some(&it.table.label), &it.table.extra_labels),
            Cell::labels(None, &it.table.extra_labels),
            Cell::labels(None, &it.table.absent_labels),
        ];
        cells.into_iter().chain(element.map(Cell::text)).collect()
    }
}

impl<'a> Published<'a> {
    fn is_shared(&self) -> bool {
        self.table.ownership() == Ownership::Shared
    }

    fn owner(&self) -> &'a str {
        if self.is_shared() { SHARED } else { self.origin.place }
    }

    /// All that a node is to hold when it is new, but for the time.
    fn properties(&self, row: &NodeRow, hash: i64) -> BoltType {
        let names = self.table.properties.iter().map(|property| property.name.as_str());
        let kind = (!self.is_shared()).then(|| ("_module_label", self.table.label.as_str().into()));
        let bookkeeping = [
            ("id", row.id.as_str().into()),
            (&*self.hash_property, hash.into()),
            ("_module_name", "groma".into()),
            ("_module_scope", self.owner().into()),
            ("lastupdated", self.origin.run.tag.into()),
        ];
        bolt::map(names.zip(row.values.iter().map(bolt::value)).chain(bookkeeping).chain(kind))
    }
}

pub(crate) fn hash_property(listing: &str) -> String {
    format!("_module_hash_{listing}")
}

/// Finds nodes of a label. Of those that have not changed and are their only place's own, the tag is all that is written;
/// those that have it already, and those that others see too, are not locked. It is done where nobody has joined before the
/// lock was taken.
pub(crate) fn refresh(label: &str) -> String {
    format!(
        "UNWIND $rows AS row MATCH (n:`{label}` {{id: row[1]}}) USING INDEX n:`{label}`(id) WITH n, row, \
         $words[row[3]] AS tag, n._module_scope = $words[row[2]] AND n[$words[row[4]]] = row[5] AS same, \
         coalesce(n._module_scope = $words[row[2]] AND n._module_scope <> '{SHARED}', false) AS own \
         SET (CASE WHEN same AND own AND n.lastupdated < tag THEN n END).lastupdated = tag \
         RETURN collect(row[0]) AS found, collect(elementId(n)) AS elements, \
         collect(coalesce(same AND n.lastupdated = tag AND n._module_scope = $words[row[2]], false)) AS done, \
         collect(own) AS own"
    )
}

/// Makes nodes. One that somebody else made since they were looked up violates its label's constraint, and the
/// transaction is repeated.
pub(crate) const CREATE: &str = "UNWIND $rows AS row CREATE (n:$($words[row[7]])) SET n = row[1], \
    n.firstseen = timestamp() RETURN collect(row[0]) AS made, collect(elementId(n)) AS elements";

/// Nodes that have changed, or that several places see.
pub(crate) fn remember() -> String {
    change(&ownership::remember("n", "_module_label", "$words[row[6]]"))
}

/// Nodes that belong to no place.
pub(crate) fn share() -> String {
    change(&ownership::share("n"))
}

/// The node is locked before it is looked at; Neo4j does that where a property is set to what it was.
fn change(ownership: &str) -> String {
    format!(
        "UNWIND $rows AS row MATCH (n) WHERE elementId(n) = $words[row[10]] SET n._module_scope = n._module_scope \
         WITH n, row, $words[row[2]] AS place, $words[row[3]] AS tag{ownership} \
         SET n.lastupdated = CASE WHEN current THEN $words[row[3]] ELSE n.lastupdated END \
         FOREACH (_ IN CASE WHEN current AND coalesce(n[$words[row[4]]] <> row[5], true) THEN [1] ELSE [] END \
         | SET n += row[1], n:$($words[row[8]]) REMOVE n:$($words[row[9]])) \
         SET n._module_scope = owner, n._module_label = kind {}",
        ownership::ANSWER
    )
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
    fn the_statements() {
        let remember = remember().replace(&ownership::remember("n", "_module_label", "$words[row[6]]"), " OWNERSHIP");
        expect![[r"
            UNWIND $rows AS row MATCH (n:`A` {id: row[1]}) USING INDEX n:`A`(id) WITH n, row, $words[row[3]] AS tag, n._module_scope = $words[row[2]] AND n[$words[row[4]]] = row[5] AS same, coalesce(n._module_scope = $words[row[2]] AND n._module_scope <> 'shared', false) AS own SET (CASE WHEN same AND own AND n.lastupdated < tag THEN n END).lastupdated = tag RETURN collect(row[0]) AS found, collect(elementId(n)) AS elements, collect(coalesce(same AND n.lastupdated = tag AND n._module_scope = $words[row[2]], false)) AS done, collect(own) AS own
            UNWIND $rows AS row CREATE (n:$($words[row[7]])) SET n = row[1], n.firstseen = timestamp() RETURN collect(row[0]) AS made, collect(elementId(n)) AS elements
            UNWIND $rows AS row MATCH (n) WHERE elementId(n) = $words[row[10]] SET n._module_scope = n._module_scope WITH n, row, $words[row[2]] AS place, $words[row[3]] AS tag OWNERSHIP SET n.lastupdated = CASE WHEN current THEN $words[row[3]] ELSE n.lastupdated END FOREACH (_ IN CASE WHEN current AND coalesce(n[$words[row[4]]] <> row[5], true) THEN [1] ELSE [] END | SET n += row[1], n:$($words[row[8]]) REMOVE n:$($words[row[9]])) SET n._module_scope = owner, n._module_label = kind RETURN collect(row[0]) AS found, collect(CASE owner WHEN 'several' THEN row[0] END) AS several
        "]]
        .assert_eq(&format!("{}\n{CREATE}\n{remember}\n", refresh("A")));
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
