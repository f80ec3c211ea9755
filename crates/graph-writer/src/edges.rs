//! Turns edge rows into statements: looks up both ends ([`crate::elements`]), then creates or merges the relationship.
//! Rows that lack an end are returned, to be held.
//!
//! A target key that is not unique (`name`) links to every match, as in Cartography. The batch is held and retried for
//! matches that arrive later. A key equal to the `id` of its node is treated as unique.
//!
//! A node created in this transaction has no edges yet, so one statement creates its edges of all types. A second
//! statement matches the other edges of the catalog's types. Edges that it does not find are merged, one type at a
//! time: to merge a type given as a parameter, Neo4j scans all relationships. It also scans them to find an edge by id,
//! if it planned the statement on an empty graph. Between two known nodes it reads only the relationships of one of
//! them.
//!
//! The edges of new nodes come first, because later waves may have more rows for them ([`ownership::waves`]). Then each
//! wave matches and merges the other edges, and last writes those that changed or that several places see. In each of
//! these steps, the account's edges (`RESOURCE`) come last. The rows of a statement are sorted by their ends, so that
//! transactions lock hub nodes in one order.
//!
//! `MATCH` costs a third less than `MERGE` for an edge that exists. A scope surveyed for the first time has no edges,
//! so its rows are merged without a match. Ownership, age and hash are kept as on nodes. `_module_ends` holds the
//! labels between which the edge was declared; cleanup uses it.

mod cypher;

use crate::{
    bolt,
    elements::{Element, Elements, Key},
    missing::Missing,
    nodes::{Origin, hash_of, names_hash},
    ownership::{self, Kind, SEVERAL, rank},
    rows::{self, Cell},
    sightings::{Renewal, Sightings, renew},
};
use cypher::refresh;
pub(crate) use cypher::{create, merge, refresh_catalogued, remember};
use events::{Direction, EdgeRow, EdgeTable};
use graph::Transaction;
use neo4rs::{BoltNull, BoltType, Row};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, hash_map};

/// Type of the edges from an account to its assets. They come last in each step: the first one locks the account's
/// node, where all transactions of the account meet.
const OF_ACCOUNT: &str = "RESOURCE";

/// Rows to write.
#[derive(Default)]
pub struct EdgeWrites<'a> {
    tables: Vec<Published<'a>>,
}

/// A table as it was published.
struct Published<'a> {
    table: &'a EdgeTable,
    origin: Origin<'a>,
    /// Sequence of its batch in the stream.
    batch: u64,
    ends: String,
    hashes: Vec<Option<i64>>,
    rank: String,
}

/// A row and its table.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Entry {
    table: usize,
    row: usize,
}

/// A row between two nodes.
struct Link {
    entry: Entry,
    /// Further rows for the same edge: listings of one place often repeat one.
    also: Vec<Entry>,
    source: Element,
    target: Element,
}

/// Edges that lack an end, or may gain further targets, by the sequence of their batch. A complete batch has no labels.
pub type Held = BTreeMap<u64, Missing>;

impl<'a> EdgeWrites<'a> {
    /// Adds the rows of a table from the batch at `sequence`.
    pub fn add(&mut self, table: &'a EdgeTable, origin: Origin<'a>, sequence: u64) {
        let names = names_hash(table.properties.iter().map(String::as_str));
        let hash = |row: &EdgeRow| (!row.values.is_empty()).then(|| hash_of(&names, row.values.iter()));
        let hashes = table.rows.iter().map(hash).collect();
        let rank = rank(origin.run.tag, origin.place);
        self.tables.push(Published { table, origin, batch: sequence, ends: declared(table), hashes, rank });
    }

    /// Writes the rows whose ends are among `elements` or in the graph. Returns, for each added batch, the edges that
    /// lack an end. Adds edges seen by several places to `sightings`.
    pub(crate) async fn write(
        &self,
        transaction: &mut Transaction,
        mut elements: Elements<'a>,
        sightings: &mut Sightings,
    ) -> Result<Held, neo4rs::Error> {
        elements.look_up(transaction, self.ends()).await?;
        let links = self.distinct(self.links(&elements));
        let mut waves = ownership::waves(links, |link| self.identity(link)).into_iter();
        let is_new = |link: &Link| elements.is_new(link.source) || elements.is_new(link.target);
        let (new, others): (Vec<Link>, Vec<Link>) = waves.next().unwrap_or_default().into_iter().partition(is_new);
        // First, because later waves may have more rows for these edges.
        let mut drawn = self.create(transaction, &new).await?;
        for wave in std::iter::once(others).chain(waves) {
            let left = self.draw(transaction, wave, &mut drawn).await?;
            // Last in the wave, because others may wait for them: these include edges that several places see.
            for (kind, links) in self.by_type(self.renew(transaction, left).await?) {
                self.remember(transaction, kind, &links, &mut drawn, sightings).await?;
            }
        }
        Ok(self.held(&elements, &drawn))
    }

    /// Returns the ends to look up.
    fn ends(&self) -> BTreeMap<Key<'a>, BTreeSet<&'a str>> {
        let mut ends = BTreeMap::<Key<'a>, BTreeSet<&'a str>>::new();
        for it in &self.tables {
            ends.entry(it.source()).or_default().extend(it.table.rows.iter().map(|row| row.source_id.as_str()));
            ends.entry(it.target()).or_default().extend(it.table.rows.iter().map(|row| row.target_value.as_str()));
        }
        ends
    }

    /// Returns one link for each row and each pair of existing ends, sorted by target and source, `RESOURCE` last.
    fn links(&self, elements: &Elements<'a>) -> Vec<Link> {
        let mut links = Vec::new();
        for (table, it) in self.tables.iter().enumerate() {
            for (row, values) in it.table.rows.iter().enumerate() {
                for source in elements.get(it.source(), &values.source_id) {
                    for target in elements.get(it.target(), &values.target_value) {
                        let (source, target) = (*source, *target);
                        links.push(Link { entry: Entry { table, row }, also: Vec::new(), source, target });
                    }
                }
            }
        }
        links.sort_by_key(|link| (self.table(link).table.r#type == OF_ACCOUNT, link.target, link.source));
        links
    }

    /// Merges rows that write the same edge with the same labels, place, tag and properties.
    fn distinct(&self, links: Vec<Link>) -> Vec<Link> {
        let mut positions: HashMap<_, usize> = HashMap::new();
        let mut distinct: Vec<Link> = Vec::new();
        for link in links {
            let it = self.table(&link);
            let word = (&*it.ends, it.origin.place, it.origin.run.tag, it.hashes[link.entry.row]);
            match positions.entry((self.identity(&link), word)) {
                hash_map::Entry::Occupied(position) => distinct[*position.get()].also.push(link.entry),
                hash_map::Entry::Vacant(position) => {
                    position.insert(distinct.len());
                    distinct.push(link);
                }
            }
        }
        distinct
    }

    /// Creates relationships, which must not exist yet. Returns the written rows.
    async fn create(&self, transaction: &mut Transaction, links: &[Link]) -> Result<HashSet<Entry>, neo4rs::Error> {
        let mut drawn = HashSet::new();
        for answer in rows::run(transaction, &create(), self.rows(links)).await? {
            drawn.extend(answer.get::<Vec<usize>>("found")?.into_iter().flat_map(|position| links[position].entries()));
        }
        Ok(drawn)
    }

    /// Creates relationships, or renews the tag of existing unchanged ones. Returns the other rows, each with the
    /// edge's `_module_scope` if only this place's sighting needs a new tag, else with an empty text.
    async fn draw(
        &self,
        transaction: &mut Transaction,
        links: Vec<Link>,
        drawn: &mut HashSet<Entry>,
    ) -> Result<Vec<(Link, String)>, neo4rs::Error> {
        let (mut absent, known): (Vec<Link>, Vec<Link>) =
            links.into_iter().partition(|link| self.table(link).origin.is_first);
        let (catalogued, others): (Vec<Link>, Vec<Link>) =
            known.into_iter().partition(|link| cypher::is_catalogued(&self.table(link).table.r#type));
        let others = self.by_type(others).into_iter().map(|(kind, links)| (refresh([kind]), links));
        let mut left = Vec::new();
        for (text, links) in std::iter::once((refresh_catalogued(), catalogued)).chain(others) {
            let rows = links.iter().enumerate().map(|(position, link)| self.stub(position, link)).collect();
            let drawing = Drawing::of(links, rows::run(transaction, &text, rows).await?, drawn)?;
            absent.extend(drawing.absent);
            left.extend(drawing.left);
        }
        absent.sort_by_key(|link| (link.target, link.source));
        for (kind, links) in self.by_type(absent) {
            let answers = rows::run(transaction, &merge(kind), self.rows(&links)).await?;
            left.extend(Drawing::of(links, answers, drawn)?.left);
        }
        Ok(left)
    }

    /// Renews sightings where nothing else has changed. Returns the rows that need more.
    async fn renew(
        &self,
        transaction: &mut Transaction,
        left: Vec<(Link, String)>,
    ) -> Result<Vec<Link>, neo4rs::Error> {
        let (seen, more): (Vec<_>, Vec<_>) = left.into_iter().partition(|(_, thing)| !thing.is_empty());
        let renewal = |(link, thing): &(Link, String)| {
            let Origin { run, place, .. } = self.table(link).origin;
            Renewal { thing: thing.clone(), place, tag: run.tag }
        };
        let found = renew(transaction, &seen.iter().map(renewal).collect::<Vec<_>>()).await?;
        let again = seen.into_iter().enumerate().filter(|(position, _)| !found.contains(position));
        Ok(more.into_iter().chain(again.map(|(_, left)| left)).map(|(link, _)| link).collect())
    }

    /// Writes changed edges, and edges seen by several places. Recreates an edge that was removed meanwhile. An edge
    /// that lost an end counts as not written.
    async fn remember(
        &self,
        transaction: &mut Transaction,
        kind: &str,
        left: &[Link],
        drawn: &mut HashSet<Entry>,
        sightings: &mut Sightings,
    ) -> Result<(), neo4rs::Error> {
        let mut left: Vec<&Link> = left.iter().collect();
        for _ in 0..2 {
            let mut found = HashSet::new();
            let rows = left.iter().enumerate().map(|(position, link)| self.cells(position, link)).collect();
            for answer in rows::run(transaction, &remember(kind), rows).await? {
                found.extend(self.sight(kind, &answer, &left, sightings)?);
            }
            left = left.into_iter().enumerate().filter(|(n, _)| !found.contains(n)).map(|(_, link)| link).collect();
        }
        for entry in left.into_iter().flat_map(Link::entries) {
            drawn.remove(&entry);
        }
        Ok(())
    }

    /// Adds sightings of the edges that several places see, from the answer of [`remember`]. Returns the written rows.
    fn sight(
        &self,
        kind: &str,
        answer: &Row,
        left: &[&Link],
        sightings: &mut Sightings,
    ) -> Result<Vec<usize>, neo4rs::Error> {
        let (owners, ends): (Vec<String>, Vec<String>) = (answer.get("owners")?, answer.get("kinds")?);
        let (found, others): (Vec<usize>, Vec<Vec<String>>) = (answer.get("found")?, answer.get("others")?);
        for (((position, owner), ends), others) in found.iter().copied().zip(owners).zip(ends).zip(others) {
            if owner.starts_with(SEVERAL) {
                let (Origin { run, place, .. }, kind) = (self.table(left[position]).origin, Kind::edge(kind, &ends));
                sightings.add_others(&owner, &kind, &others);
                sightings.add(&owner, place, &kind, run.tag);
            }
        }
        Ok(found)
    }

    /// Counts the rows that were not written, by batch, and records the labels of their missing ends. If both ends were
    /// found, one was removed meanwhile, and both labels are recorded. For a written row with a non-unique key, records
    /// the target label: more targets may follow.
    fn held(&self, elements: &Elements<'a>, drawn: &HashSet<Entry>) -> Held {
        let mut held = Held::new();
        for (table, it) in self.tables.iter().enumerate() {
            let missing = held.entry(it.batch).or_default();
            for (row, values) in it.table.rows.iter().enumerate() {
                if drawn.contains(&Entry { table, row }) {
                    let open = elements.is_open(it.target(), &values.target_value);
                    missing.labels.extend(open.then(|| it.table.target_label.clone()));
                    continue;
                }
                let source = elements.get(it.source(), &values.source_id).is_empty();
                let target = elements.get(it.target(), &values.target_value).is_empty();
                let gone = !source && !target;
                missing.rows += 1;
                missing.labels.extend((source || gone).then(|| it.table.source_label.clone()));
                missing.labels.extend((target || gone).then(|| it.table.target_label.clone()));
            }
        }
        held
    }

    /// Groups links by type, `RESOURCE` last.
    fn by_type(&self, links: Vec<Link>) -> Vec<(&'a str, Vec<Link>)> {
        let mut types = BTreeMap::<(bool, &str), Vec<Link>>::new();
        for link in links {
            let kind = self.table(&link).table.r#type.as_str();
            types.entry((kind == OF_ACCOUNT, kind)).or_default().push(link);
        }
        types.into_iter().map(|((_, kind), links)| (kind, links)).collect()
    }

    fn table(&self, link: &Link) -> &Published<'a> {
        &self.tables[link.entry.table]
    }

    /// Returns from, to and type: equal for rows of the same relationship.
    fn identity(&self, link: &Link) -> (Element, Element, &'a str) {
        let it = self.table(link);
        let (from, to) = it.directed(link);
        (from, to, &it.table.r#type)
    }

    fn rows(&self, links: &[Link]) -> Vec<Vec<Cell<'_>>> {
        links.iter().enumerate().map(|(position, link)| self.cells(position, link)).collect()
    }

    /// Returns the parameters of [`refresh`].
    fn stub(&self, position: usize, link: &Link) -> Vec<Cell<'_>> {
        self.row(position, link, BoltType::Null(BoltNull))
    }

    /// Returns the parameters of the other statements.
    fn cells(&self, position: usize, link: &Link) -> Vec<Cell<'_>> {
        let (it, row) = (self.table(link), link.entry.row);
        self.row(position, link, it.properties(row, it.hashes[row]))
    }

    fn row(&self, position: usize, link: &Link, properties: BoltType) -> Vec<Cell<'_>> {
        let it = self.table(link);
        let (from, to) = it.directed(link);
        let hash = it.hashes[link.entry.row];
        vec![
            Cell::position(position),
            Cell::own(from),
            Cell::own(to),
            Cell::text(&it.table.r#type),
            Cell::text(&it.ends),
            Cell::text(it.origin.place),
            Cell::number(it.origin.run.tag),
            Cell::Own(properties),
            Cell::Own(hash.map_or(BoltType::Null(BoltNull), BoltType::from)),
            Cell::text(&it.rank),
        ]
    }
}

impl Link {
    fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        std::iter::once(self.entry).chain(self.also.iter().copied())
    }
}

/// Rows after [`refresh`] or [`merge`].
struct Drawing {
    /// Rows without a relationship.
    absent: Vec<Link>,
    /// Rows that need more, each with the edge's `_module_scope` if only this place's sighting needs a new tag, else
    /// with an empty text.
    left: Vec<(Link, String)>,
}

impl Drawing {
    /// Reads the answers to these rows. Adds the rows with a relationship to `drawn`.
    fn of(links: Vec<Link>, answers: Vec<Row>, drawn: &mut HashSet<Entry>) -> Result<Self, neo4rs::Error> {
        let (mut found, mut changed) = (HashSet::new(), HashMap::new());
        for answer in answers {
            found.extend(answer.get::<Vec<usize>>("found")?);
            changed.extend(answer.get::<Vec<usize>>("left")?.into_iter().zip(answer.get::<Vec<String>>("things")?));
        }
        let mut drawing = Self { absent: Vec::new(), left: Vec::new() };
        for (position, link) in links.into_iter().enumerate() {
            if !found.contains(&position) {
                drawing.absent.push(link);
                continue;
            }
            drawn.extend(link.entries());
            drawing.left.extend(changed.remove(&position).map(|thing| (link, thing)));
        }
        Ok(drawing)
    }
}

impl<'a> Published<'a> {
    fn source(&self) -> Key<'a> {
        (&self.table.source_label, "id")
    }

    fn target(&self) -> Key<'a> {
        (&self.table.target_label, &self.table.target_key)
    }

    /// Returns the start and end of the relationship.
    fn directed(&self, link: &Link) -> (Element, Element) {
        match self.table.direction() {
            Direction::In => (link.target, link.source),
            _ => (link.source, link.target),
        }
    }

    /// Returns the properties that the event gives the edge, and its hash.
    fn properties(&self, row: usize, hash: Option<i64>) -> BoltType {
        let values = self.table.properties.iter().zip(&self.table.rows[row].values);
        let values = values.map(|(name, value)| (name.as_str(), bolt::value(value)));
        bolt::map(values.chain(hash.map(|hash| ("_module_hash", hash.into()))))
    }
}

/// Returns the labels at the start and the end of the relationship.
pub(crate) fn ends(table: &EdgeTable) -> (&str, &str) {
    match table.direction() {
        Direction::In => (&table.target_label, &table.source_label),
        _ => (&table.source_label, &table.target_label),
    }
}

/// Returns the value of `_module_ends`.
fn declared(table: &EdgeTable) -> String {
    let (from, to) = ends(table);
    format!("{from}>{to}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Run;

    /// Returns edges of a resource in this direction to another node, by type.
    fn table(kind: &str, target: &str, direction: Direction) -> EdgeTable {
        EdgeTable {
            r#type: kind.into(),
            source_label: "AWSVpc".into(),
            target_label: target.into(),
            target_key: "id".into(),
            direction: direction.into(),
            rows: vec![EdgeRow { source_id: "vpc".into(), target_value: "1".into(), values: Vec::new() }],
            ..EdgeTable::default()
        }
    }

    #[test]
    fn the_edges_at_the_account_come_last() {
        let tables = [
            table(OF_ACCOUNT, "AWSAccount", Direction::In),
            table("ZONE", "Zone", Direction::Out),
            table("ATTACHED", "Gateway", Direction::Out),
        ];
        let run = Run { tag: 5, sync: "s".into(), attempt: 1 };
        let origin = Origin { run: &run, place: "1/r", listing: "L", is_first: true };
        let mut writes = EdgeWrites::default();
        for table in &tables {
            writes.add(table, origin, 1);
        }
        let mut elements = Elements::default();
        elements.add(("AWSVpc", "id"), "vpc", 5);
        // The account's node has the smallest id.
        for (element, label) in ["AWSAccount", "Zone", "Gateway"].into_iter().enumerate() {
            elements.add((label, "id"), "1", i64::try_from(element).expect("a small number"));
        }
        let links = writes.links(&elements);
        let kinds: Vec<&str> = links.iter().map(|link| &*writes.table(link).table.r#type).collect();
        assert_eq!(kinds, ["ZONE", "ATTACHED", OF_ACCOUNT]);
        let kinds: Vec<&str> = writes.by_type(links).into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, ["ATTACHED", "ZONE", OF_ACCOUNT]);
    }

    #[test]
    fn an_edge_inwards_begins_at_the_target() {
        let run = Run { tag: 5, sync: "s".into(), attempt: 1 };
        let origin = Origin { run: &run, place: "1/r", listing: "L", is_first: true };
        for (direction, from, ends) in
            [(Direction::In, 2, "AWSAccount>AWSVpc"), (Direction::Out, 1, "AWSVpc>AWSAccount")]
        {
            let table = table(OF_ACCOUNT, "AWSAccount", direction);
            let mut writes = EdgeWrites::default();
            writes.add(&table, origin, 1);
            let mut elements = Elements::default();
            elements.add(("AWSVpc", "id"), "vpc", 1);
            elements.add(("AWSAccount", "id"), "1", 2);
            let links = writes.links(&elements);
            assert_eq!((writes.identity(&links[0]).0, &*writes.tables[0].ends), (from, ends));
        }
    }
}
