//! Rows that Neo4j cannot store, and ids that are stored in a short form. A faulty row affects only itself: its batch
//! is applied without it, the scope's state counts it, and it is parked alone.

use crate::short::{self, Shortened, shorten};
use events::{
    AssetBatch, AssetEvent, EdgeRow, EdgeTable, Message, NodeRow, NodeTable, Scope, SyncId, Value, asset_event::Event,
    value::Kind,
};
use siphasher::sip::SipHasher13;
use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
};

/// Changes that made a batch acceptable to Neo4j.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Flaws {
    /// Rows left out.
    pub refused: Vec<Refused>,
    /// Shortened ids and indexed values, by label.
    pub shortened: BTreeMap<String, Shortened>,
}

/// A row left out of its batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// Reason, as a sentence that names the row.
    pub reason: String,
    /// The row alone, as a separate event.
    pub row: AssetEvent,
}

impl Refused {
    /// Returns the [`mark`] of the row, if it is an edge.
    pub(crate) fn mark(&self) -> Option<u64> {
        match &self.row.event {
            Some(Event::Batch(batch)) => batch.edges.first().map(mark),
            _ => None,
        }
    }
}

/// Returns the hash of a table with one edge. It names the edge within its batch.
pub(crate) fn mark(table: &EdgeTable) -> u64 {
    let mut hasher = SipHasher13::new();
    table.encode_to_vec().hash(&mut hasher);
    hasher.finish()
}

/// First index of batches that hold one parked row: far above the indexes of a listing, so that a returned row is not
/// mistaken for its batch.
const ROW_BATCHES: u32 = 1 << 31;

/// Origin of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Owner<'a> {
    pub(crate) sync: &'a SyncId,
    pub(crate) scope: &'a Scope,
    pub(crate) attempt: u32,
}

impl Owner<'_> {
    /// Returns a row to leave out, with the reason.
    pub(crate) fn refuse(self, batch: u32, row: &Row<'_>, why: &str) -> Refused {
        let batch = if batch >= ROW_BATCHES { batch } else { row.batch_index(batch) };
        let event = AssetEvent {
            sync: Some(self.sync.clone()),
            scope: Some(self.scope.clone()),
            attempt: self.attempt,
            event: Some(Event::Batch(row.alone(batch))),
        };
        Refused { reason: format!("{}: {why}", row.name()), row: event }
    }
}

/// A row with the header of its table.
pub(crate) enum Row<'a> {
    Node(&'a NodeTable, &'a NodeRow),
    Edge(&'a EdgeTable, &'a EdgeRow),
}

impl Row<'_> {
    fn alone(&self, index: u32) -> AssetBatch {
        let mut batch = AssetBatch { index, ..AssetBatch::default() };
        match self {
            Self::Node(table, row) => batch.nodes.push(NodeTable { rows: vec![(*row).clone()], ..header(table) }),
            Self::Edge(table, row) => batch.edges.push(EdgeTable { rows: vec![(*row).clone()], ..edge_header(table) }),
        }
        batch
    }

    /// Returns the batch index of the parked row: a hash of the row with its table. Equal rows have the same one.
    fn batch_index(&self, batch: u32) -> u32 {
        let mut hasher = SipHasher13::new();
        self.alone(batch).encode_to_vec().hash(&mut hasher);
        let hash = u32::try_from(hasher.finish() >> 33).unwrap_or_default();
        ROW_BATCHES | hash
    }

    fn name(&self) -> String {
        match self {
            Self::Node(table, row) => format!("{} {:?}", table.label, shown(&row.id)),
            Self::Edge(table, row) => {
                format!("{} from {:?} to {:?}", table.r#type, shown(&row.source_id), shown(&row.target_value))
            }
        }
    }
}

fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(100).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Copies a node table without its rows.
pub(crate) fn header(table: &NodeTable) -> NodeTable {
    let NodeTable { label, extra_labels, absent_labels, ownership, properties, rows: _, supplements } = table;
    NodeTable {
        label: label.clone(),
        extra_labels: extra_labels.clone(),
        absent_labels: absent_labels.clone(),
        ownership: *ownership,
        properties: properties.clone(),
        supplements: *supplements,
        rows: Vec::new(),
    }
}

/// Copies an edge table without its rows.
pub(crate) fn edge_header(table: &EdgeTable) -> EdgeTable {
    let EdgeTable { r#type, source_label, direction, target_label, target_key, properties, rows: _ } = table;
    EdgeTable {
        r#type: r#type.clone(),
        source_label: source_label.clone(),
        direction: *direction,
        target_label: target_label.clone(),
        target_key: target_key.clone(),
        properties: properties.clone(),
        rows: Vec::new(),
    }
}

/// Limit in bytes of the events made from a batch's refused rows. Each event repeats the names of its table: a message
/// of 1 MiB with as many names as faulty rows would become 50 GB. A thousand rows of the largest table of any collector
/// take 3 MiB.
const MOST_REFUSED: usize = 4 << 20;
/// Size of such an event without the names, in bytes.
const EVENT: usize = 500;

/// Whether the rows that [`sift`] would remove can be parked one by one.
pub(crate) fn is_siftable(batch: &AssetBatch) -> bool {
    let nodes = batch.nodes.iter().map(|table| {
        let is_refused = |row: &&NodeRow| why_not(&row.values, table.properties.len(), ("id", &row.id)).is_some();
        table.rows.iter().filter(is_refused).count() * (EVENT + header(table).encoded_len())
    });
    let edges = batch.edges.iter().map(|table| {
        let is_refused =
            |row: &&EdgeRow| why_not(&row.values, table.properties.len(), ("source", &row.source_id)).is_some();
        table.rows.iter().filter(is_refused).count() * (EVENT + edge_header(table).encoded_len())
    });
    nodes.chain(edges).fold(0_usize, usize::saturating_add) <= MOST_REFUSED
}

/// Removes rows that Neo4j cannot store from a batch, and shortens values that are too long for an index.
pub(crate) fn sift(owner: Owner<'_>, batch: &mut AssetBatch) -> Flaws {
    let mut flaws = Flaws::default();
    // Rows parked after shortening are not shortened again.
    let shorten: fn(&mut String) -> bool = match batch.index {
        0..ROW_BATCHES => shorten,
        _ => |text: &mut String| short::is_long(text) && shorten(text),
    };
    for table in &mut batch.nodes {
        let mut shortened = Shortened::default();
        for mut row in std::mem::take(&mut table.rows) {
            if let Some(why) = why_not(&row.values, table.properties.len(), ("id", &row.id)) {
                flaws.refused.push(owner.refuse(batch.index, &Row::Node(&header(table), &row), &why));
            } else {
                shorten_node(table, &mut row, shorten, &mut shortened);
                table.rows.push(row);
            }
        }
        if shortened.count > 0 {
            flaws.shortened.entry(table.label.clone()).or_default().add(&shortened);
        }
    }
    for table in &mut batch.edges {
        for mut row in std::mem::take(&mut table.rows) {
            if let Some(why) = why_not(&row.values, table.properties.len(), ("source", &row.source_id)) {
                flaws.refused.push(owner.refuse(batch.index, &Row::Edge(&edge_header(table), &row), &why));
            } else {
                shorten(&mut row.source_id);
                shorten(&mut row.target_value);
                table.rows.push(row);
            }
        }
    }
    flaws
}

fn why_not(values: &[Value], properties: usize, (name, text): (&str, &str)) -> Option<String> {
    if text.is_empty() {
        return Some(format!("its {name} is empty"));
    }
    let fits = values.len() == properties;
    (!fits).then(|| format!("it does not fit its table: {} values for {properties} properties", values.len()))
}

fn shorten_node(table: &NodeTable, row: &mut NodeRow, shorten: fn(&mut String) -> bool, shortened: &mut Shortened) {
    if shorten(&mut row.id) {
        shortened.add(&Shortened { count: 1, example: row.id.clone() });
    }
    for (property, value) in table.properties.iter().zip(&mut row.values) {
        if let (true, Some(Kind::String(text))) = (property.indexed, &mut value.kind)
            && shorten(text)
        {
            shortened.add(&Shortened { count: 1, example: text.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::Property;

    fn batch(rows: Vec<NodeRow>) -> AssetBatch {
        let properties = vec![Property { name: "name".into(), indexed: true }];
        let nodes = vec![NodeTable { label: "A".into(), properties, rows, ..NodeTable::default() }];
        AssetBatch { index: 3, nodes, ..AssetBatch::default() }
    }

    fn row(id: &str, values: &[&str]) -> NodeRow {
        let text = |text: &&str| Value { kind: Some(Kind::String((*text).to_owned())) };
        NodeRow { id: id.into(), values: values.iter().map(text).collect() }
    }

    fn sifted(mut batch: AssetBatch) -> (AssetBatch, Flaws) {
        let (sync, scope) = (SyncId { id: "s".into(), update_tag: 1 }, Scope::default());
        let flaws = sift(Owner { sync: &sync, scope: &scope, attempt: 1 }, &mut batch);
        (batch, flaws)
    }

    #[test]
    fn a_bad_row_costs_only_itself() {
        let (batch, flaws) = sifted(batch(vec![row("a", &["x"]), row("", &["x"]), row("b", &[]), row("c", &["x"])]));
        let ids: Vec<&str> = batch.nodes[0].rows.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids, ["a", "c"]);
        let reasons: Vec<&str> = flaws.refused.iter().map(|refused| refused.reason.as_str()).collect();
        let fits = "A \"b\": it does not fit its table: 0 values for 1 properties";
        assert_eq!(reasons, ["A \"\": its id is empty", fits]);
    }

    #[test]
    fn bad_rows_with_the_same_id_are_parked_apart() {
        let (_, flaws) = sifted(batch(vec![row("", &["x"]), row("", &["y"]), row("", &[])]));
        let index = |refused: &Refused| match &refused.row.event {
            Some(Event::Batch(batch)) => batch.index,
            _ => 0,
        };
        let indexes: std::collections::BTreeSet<u32> = flaws.refused.iter().map(index).collect();
        assert_eq!(indexes.len(), 3, "the bus stores messages with the same id once");
    }

    #[test]
    fn bad_rows_that_repeat_many_names_are_not_parked_one_by_one() {
        let of = |names: usize, rows: usize| {
            let name = |n: usize| Property { name: format!("{}{n}", "a".repeat(100)), indexed: false };
            let mut batch = batch(vec![row("a", &[]); rows]);
            batch.nodes[0].properties = (0..names).map(name).collect();
            batch
        };
        assert!(is_siftable(&of(20, 1_000)) && !is_siftable(&of(4_000, 100)));
    }

    #[test]
    fn a_parked_row_is_a_batch_of_its_own_and_stays_the_same_when_it_comes_again() {
        let (_, flaws) = sifted(batch(vec![row("", &["x"])]));
        let Some(Event::Batch(alone)) = flaws.refused[0].row.event.clone() else { panic!("a batch") };
        assert!(alone.index >= ROW_BATCHES && alone.nodes[0].rows.len() == 1);
        let (_, again) = sifted(alone.clone());
        let Some(Event::Batch(same)) = again.refused[0].row.event.clone() else { panic!("a batch") };
        assert_eq!(same.encode_to_vec(), alone.encode_to_vec());
    }

    #[test]
    fn ids_and_indexed_values_are_shortened_and_counted() {
        let long = "x".repeat(9_000);
        let (once, flaws) = sifted(batch(vec![row(&long, &[&long]), row("b", &["c"])]));
        let id = &once.nodes[0].rows[0].id;
        assert!(id.len() < 1_100);
        assert_eq!(flaws.shortened["A"], Shortened { count: 2, example: id.clone() });
        // After parking and return, it keeps the id that edges refer to.
        let (twice, _) = sifted(AssetBatch { index: ROW_BATCHES, ..once.clone() });
        assert_eq!(&twice.nodes[0].rows[0].id, id);
    }
}
