//! Turns node rows into statements. Rows of one label are looked up together, whatever their listing and scope, because
//! a few large requests are several times faster than many small ones. One statement for all labels then gives
//! unchanged nodes their new tag, one creates new nodes, and one updates the rest. Nodes of a scope that is surveyed
//! for the first time are probably new: where there are many, the statement that looks them up creates them.
//!
//! Nodes that only one place sees are written before the edges. Nodes that others see too (accounts, principals,
//! images) are written after the edges, because a node stays locked from its first change to the end of the
//! transaction. While accounts were locked first, each of eight first syncs repeated transactions after deadlocks, and
//! lanes waited for each other for up to 0.3 s.
//!
//! [`crate::ownership`] describes the writer's own properties of a node; [`crate::sightings`] describes the places of a
//! node that several see.
//!
//! Neo4j plans each statement once, and planning time depends on the length of the text. With twenty property names and
//! all of ownership in the text, planning took four times as long (21 ms against 6 ms), and with three statements for
//! each label a first sync spent most of its time on planning. So labels and names are parameters. Only lookups name
//! their label, because Neo4j uses an index only then, and they are short: with the comparison of tags in the lookup, a
//! second sync spent ten seconds of processor time on planning it for each label.

mod cypher;
mod hash;

use crate::{
    bolt,
    elements::{Element, Elements, Key},
    ownership::{self, Kind, SEVERAL, SHARED, rank},
    rows::{self, Cell},
    run::Run,
    sightings::{Renewal, Sightings, renew},
};
pub(crate) use cypher::{create, make, refresh, remember};
use events::{NodeRow, NodeTable, Ownership};
use graph::Transaction;
pub(crate) use hash::{hash_of, hash_property, header_hash, names_hash};
use neo4rs::{BoltType, Row};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Rows of a label for which [`make`] saves more time than Neo4j needs to plan it.
const WORTH_A_PLAN: usize = 500;

/// Origin of a batch.
#[derive(Clone, Copy)]
pub struct Origin<'a> {
    /// The run.
    pub run: &'a Run,
    /// `account/region/service`.
    pub place: &'a str,
    /// The listing.
    pub listing: &'a str,
    /// Whether no earlier sync has surveyed the scope: then the graph holds nothing of it.
    pub is_first: bool,
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
    /// Property with the rank of the row that gave the properties, and the rank of these rows.
    rank_property: String,
    rank: String,
}

/// A row and its table; small, because there are thousands.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry {
    table: usize,
    row: usize,
}

/// A row with an existing node.
struct Pending {
    entry: Entry,
    element: Element,
    /// Id of an element that several places see, if only this place's sighting needs a new tag.
    thing: Option<String>,
}

/// Rows after the lookup of their nodes, without the completed ones.
#[derive(Default)]
struct Known {
    /// Rows without a node.
    absent: Vec<Entry>,
    /// Rows of nodes that only this place sees.
    own: Vec<Pending>,
    /// Rows of nodes that others may see at the same moment.
    common: Vec<Pending>,
}

/// Written nodes, and rows still to write.
pub(crate) struct Written<'a> {
    /// The nodes by Neo4j's internal ids.
    pub(crate) elements: Elements<'a>,
    /// Rows for [`NodeWrites::write_common`].
    pub(crate) common: Common,
}

/// Rows of nodes that others see too.
pub(crate) struct Common(Vec<Pending>);

impl<'a> NodeWrites<'a> {
    /// Adds the rows of a table.
    pub fn add(&mut self, table: &'a NodeTable, origin: Origin<'a>) {
        let header = header_hash(table);
        let hashes = table.rows.iter().map(|row| hash_of(&header, row.values.iter())).collect();
        self.tables.push(Published {
            table,
            origin,
            hash_property: hash_property(origin.listing),
            hashes,
            rank_property: format!("_module_from_{}", origin.listing),
            rank: rank(origin.run.tag, origin.place),
        });
    }

    /// Writes the rows of new nodes and of nodes that only this place sees. Returns the internal ids of all nodes.
    pub(crate) async fn write(
        &self,
        transaction: &mut Transaction,
        sightings: &mut Sightings,
    ) -> Result<Written<'a>, neo4rs::Error> {
        let mut elements = Elements::default();
        let (mut own, mut common) = (Vec::new(), Vec::new());
        let (new, mut waiting): (Vec<Entry>, Vec<Entry>) =
            self.entries().partition(|entry| self.table(*entry).is_probably_new());
        waiting.extend(self.make(transaction, new, &mut elements, &mut own).await?);
        // Runs once, unless another transaction removes nodes at the same moment.
        while !waiting.is_empty() || !own.is_empty() {
            let known = self.refresh(transaction, &waiting, &mut elements).await?;
            own.extend(known.own);
            common.extend(known.common);
            self.create(transaction, known.absent, &mut elements, &mut own).await?;
            waiting = Vec::new();
            for left in self.remember(transaction, std::mem::take(&mut own), sightings).await? {
                elements.forget(self.key(left.entry), self.id(left.entry));
                waiting.push(left.entry);
            }
        }
        Ok(Written { elements, common: Common(common) })
    }

    /// Writes the rows of nodes that others see as well; must be called last. Returns whether all of them still exist:
    /// if not, the transaction must be repeated.
    pub(crate) async fn write_common(
        &self,
        transaction: &mut Transaction,
        Common(left): Common,
        sightings: &mut Sightings,
    ) -> Result<bool, neo4rs::Error> {
        let left = self.renew(transaction, left).await?;
        Ok(self.remember(transaction, left, sightings).await?.is_empty())
    }

    /// Looks nodes up, and renews the tag of unchanged ones that only this place sees.
    async fn refresh(
        &self,
        transaction: &mut Transaction,
        entries: &[Entry],
        elements: &mut Elements<'a>,
    ) -> Result<Known, neo4rs::Error> {
        let mut wanted = BTreeMap::<Key<'a>, BTreeSet<&'a str>>::new();
        for entry in entries {
            wanted.entry(self.key(*entry)).or_default().insert(self.id(*entry));
        }
        elements.look_up(transaction, wanted).await?;
        let mut known = Known::default();
        let mut there = Vec::new();
        for &entry in entries {
            match elements.get(self.key(entry), self.id(entry)) {
                [element, ..] => there.push((entry, *element)),
                [] => known.absent.push(entry),
            }
        }
        let rows = there.iter().enumerate();
        let rows = rows.map(|(position, (entry, element))| self.stub(position, *entry, *element)).collect();
        let mut still_there = HashSet::new();
        for answer in rows::run(transaction, &refresh(), rows).await? {
            let found: Vec<usize> = answer.get("found")?;
            let (done, own): (Vec<bool>, Vec<bool>) = (answer.get("done")?, answer.get("own")?);
            let things: Vec<String> = answer.get("things")?;
            for (((position, done), own), thing) in found.into_iter().zip(done).zip(own).zip(things) {
                still_there.insert(position);
                let (entry, element) = there[position];
                if !done {
                    let left = if own { &mut known.own } else { &mut known.common };
                    left.push(Pending { entry, element, thing: Some(thing).filter(|thing| !thing.is_empty()) });
                }
            }
        }
        for (_, (entry, _)) in there.into_iter().enumerate().filter(|(position, _)| !still_there.contains(position)) {
            elements.forget(self.key(entry), self.id(entry));
            known.absent.push(entry);
        }
        Ok(known)
    }

    /// Like [`Self::create`], for labels with many of these rows: creates the nodes that do not exist. Returns the
    /// other rows.
    async fn make(
        &self,
        transaction: &mut Transaction,
        entries: Vec<Entry>,
        elements: &mut Elements<'a>,
        left: &mut Vec<Pending>,
    ) -> Result<Vec<Entry>, neo4rs::Error> {
        let mut others = Vec::new();
        for (label, entries) in self.by_label(entries) {
            if entries.len() < WORTH_A_PLAN {
                others.extend(entries);
                continue;
            }
            others.extend(self.create_by(&make(label), transaction, entries, elements, left).await?);
        }
        Ok(others)
    }

    /// Creates the nodes. If several rows bring one node, the first creates it and the others are added to `left`.
    async fn create(
        &self,
        transaction: &mut Transaction,
        entries: Vec<Entry>,
        elements: &mut Elements<'a>,
        left: &mut Vec<Pending>,
    ) -> Result<(), neo4rs::Error> {
        self.create_by(&create(), transaction, entries, elements, left).await.map(drop)
    }

    /// Creates nodes by this statement. Returns the rows of nodes that it has not created.
    async fn create_by(
        &self,
        text: &str,
        transaction: &mut Transaction,
        entries: Vec<Entry>,
        elements: &mut Elements<'a>,
        left: &mut Vec<Pending>,
    ) -> Result<Vec<Entry>, neo4rs::Error> {
        let key = |entry: &Entry| (self.key(*entry), self.id(*entry));
        let mut ids = HashSet::new();
        let (mut new, again): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(|entry| ids.insert(key(entry)));
        // Neo4j locks the ids in this order.
        new.sort_by_key(key);
        let rows = new.iter().enumerate().map(|(position, entry)| self.whole(position, *entry, None)).collect();
        for answer in rows::run(transaction, text, rows).await? {
            let (made, new_elements): (Vec<usize>, Vec<Element>) = (answer.get("made")?, answer.get("elements")?);
            for (position, element) in made.into_iter().zip(new_elements) {
                elements.create(self.key(new[position]), self.id(new[position]), element);
            }
        }
        let element = |entry: &Entry| elements.get(self.key(*entry), self.id(*entry)).first().copied();
        left.extend(
            again.iter().filter_map(|entry| Some(Pending { entry: *entry, element: element(entry)?, thing: None })),
        );
        Ok(new.into_iter().chain(again).filter(|entry| element(entry).is_none()).collect())
    }

    /// Renews sightings where nothing else has changed. Returns the rows that need more.
    async fn renew(&self, transaction: &mut Transaction, left: Vec<Pending>) -> Result<Vec<Pending>, neo4rs::Error> {
        let (seen, mut more): (Vec<Pending>, Vec<Pending>) = left.into_iter().partition(|left| left.thing.is_some());
        let renewal = |left: &Pending| {
            let Origin { run, place, .. } = self.table(left.entry).origin;
            Renewal { thing: left.thing.clone().unwrap_or_default(), place, tag: run.tag }
        };
        let found = renew(transaction, &seen.iter().map(renewal).collect::<Vec<_>>()).await?;
        more.extend(seen.into_iter().enumerate().filter(|(n, _)| !found.contains(n)).map(|(_, left)| left));
        Ok(more)
    }

    /// Writes nodes that changed, or that may belong to several places or to none. Returns rows whose node is gone.
    async fn remember(
        &self,
        transaction: &mut Transaction,
        mut left: Vec<Pending>,
        sightings: &mut Sightings,
    ) -> Result<Vec<Pending>, neo4rs::Error> {
        let mut gone = Vec::new();
        // One order of locks, so that writers wait for each other and need not repeat.
        left.sort_by_key(|left| left.element);
        for wave in ownership::waves(left, |left| left.element) {
            let rows = wave.iter().enumerate();
            let rows = rows.map(|(position, left)| self.whole(position, left.entry, Some(left.element))).collect();
            let mut found = HashSet::new();
            for answer in rows::run(transaction, &remember(), rows).await? {
                let positions = answer.get::<Vec<usize>>("found")?;
                self.sight(&answer, positions.iter().map(|position| wave[*position].entry), sightings)?;
                found.extend(positions);
            }
            let lost = wave.into_iter().enumerate().filter(|(position, _)| !found.contains(position));
            gone.extend(lost.map(|(_, left)| left));
        }
        Ok(gone)
    }

    /// Adds sightings of the nodes that several places see, from the answer of [`remember`].
    fn sight(
        &self,
        answer: &Row,
        entries: impl Iterator<Item = Entry>,
        sightings: &mut Sightings,
    ) -> Result<(), neo4rs::Error> {
        let (owners, kinds): (Vec<String>, Vec<String>) = (answer.get("owners")?, answer.get("kinds")?);
        let others: Vec<Vec<String>> = answer.get("others")?;
        for (((entry, owner), kind), others) in entries.zip(owners).zip(kinds).zip(others) {
            let (it, kind) = (self.table(entry), Kind::label(&kind));
            if owner.starts_with(SEVERAL) {
                sightings.add_others(&owner, &kind, &others);
                if !it.is_shared() {
                    sightings.add(&owner, it.origin.place, &kind, it.origin.run.tag);
                }
            }
        }
        Ok(())
    }

    fn entries(&self) -> impl Iterator<Item = Entry> {
        let tables = self.tables.iter().enumerate();
        tables.flat_map(|(table, it)| (0..it.hashes.len()).map(move |row| Entry { table, row }))
    }

    fn by_label(&self, entries: impl IntoIterator<Item = Entry>) -> BTreeMap<&'a str, Vec<Entry>> {
        let mut labels = BTreeMap::<&str, Vec<Entry>>::new();
        for entry in entries {
            labels.entry(&self.table(entry).table.label).or_default().push(entry);
        }
        labels
    }

    fn table(&self, entry: Entry) -> &Published<'a> {
        &self.tables[entry.table]
    }

    fn row(&self, entry: Entry) -> &'a NodeRow {
        &self.tables[entry.table].table.rows[entry.row]
    }

    fn key(&self, entry: Entry) -> Key<'a> {
        (&self.table(entry).table.label, "id")
    }

    fn id(&self, entry: Entry) -> &'a str {
        &self.row(entry).id
    }

    /// Returns the parameters of [`refresh`].
    fn stub(&self, position: usize, entry: Entry, element: Element) -> Vec<Cell<'_>> {
        let it = self.table(entry);
        vec![
            Cell::position(position),
            Cell::own(element),
            Cell::text(it.owner()),
            Cell::number(it.origin.run.tag),
            Cell::text(&it.hash_property),
            Cell::own(it.hashes[entry.row]),
            Cell::text(&it.rank_property),
            Cell::text(&it.rank),
        ]
    }

    /// Returns the parameters of the other statements, with the node if it exists.
    fn whole(&self, position: usize, entry: Entry, element: Option<Element>) -> Vec<Cell<'_>> {
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
            Cell::text(&it.rank_property),
            Cell::text(&it.rank),
        ];
        cells.into_iter().chain(element.map(Cell::own)).collect()
    }
}

impl<'a> Published<'a> {
    fn is_shared(&self) -> bool {
        self.table.ownership() == Ownership::Shared
    }

    /// Whether its nodes are probably not in the graph yet.
    fn is_probably_new(&self) -> bool {
        self.origin.is_first && !self.is_shared()
    }

    fn owner(&self) -> &'a str {
        if self.is_shared() { SHARED } else { self.origin.place }
    }

    /// Returns all properties of a new node except the time.
    fn properties(&self, row: &NodeRow, hash: i64) -> BoltType {
        let names = self.table.properties.iter().map(|property| property.name.as_str());
        let kind = if self.is_shared() {
            vec![("_module_shared", true.into()), (&*self.rank_property, self.rank.as_str().into())]
        } else {
            vec![("_module_label", self.table.label.as_str().into())]
        };
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
