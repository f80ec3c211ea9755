//! Computes the changes that events would make to a graph, without writing: each event is stepped through the same
//! states as if it were applied, its rows are compared with the graph, and the elements that cleanup would remove are
//! counted.
//!
//! Three passes: [`Preview::ask`] records the properties by which edges find their targets, [`Preview::note`] the
//! coming nodes, so that an edge to one of them counts as new; [`Preview::examine`] compares. Memory holds a hash of
//! each node and edge, and no properties. Later changes by the analysis are not foreseen. A node that several rows
//! describe differently may count as changed although its last state would be the same: rows are compared one by one.

mod compare;
mod due;
mod gone;

use crate::{
    admit::Admitted,
    edges::ends,
    feeds::{Catalog, Feeds},
    run::Run,
    scope_store::{self, StoredScope},
    scopes::{self, Verdict},
};
use events::{EdgeRow, EdgeTable, NodeRow, NodeTable, Scope, SyncId, asset_event::Event, value::Kind};
use graph::{GraphError, GraphStore};
use siphasher::sip::SipHasher13;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::{Hash, Hasher},
};

/// Number of scopes whose states are read together.
const TOGETHER: usize = 1_000;

/// Compares a graph with the events of one sync.
pub struct Preview {
    store: GraphStore,
    sync: SyncId,
    states: BTreeMap<String, StoredScope>,
    /// Feeds of its listings.
    feeds: Catalog,
    /// Labels and properties by which edges find their targets.
    keys: HashSet<(String, String)>,
    /// Coming nodes, by every label and key by which an edge may find them.
    coming: HashSet<u64>,
    nodes: BTreeMap<String, HashMap<u64, Fate>>,
    edges: BTreeMap<String, HashMap<u64, Fate>>,
    leading_out: HashSet<u64>,
    /// Edges of the graph that are seen again, by a hash of their element id. They are read in several transactions: an
    /// edge removed meanwhile counts as seen again if another one gets its id.
    seen_again: HashSet<u64>,
}

/// Change of a node or an edge; the greatest that any of its rows makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Unchanged,
    Changed,
    New,
}

/// Numbers of elements by change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Not in the graph yet.
    pub new: u64,
    /// With other properties or labels.
    pub changed: u64,
    /// Without a change.
    pub unchanged: u64,
    /// No longer seen.
    pub removed: u64,
}

/// Foreseen changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Foreseen {
    /// By label.
    pub nodes: BTreeMap<String, Counts>,
    /// By `(:From)-[:TYPE]->(:To)`.
    pub edges: BTreeMap<String, Counts>,
    /// Edges with an end that is neither in the graph nor coming.
    pub edges_leading_out: u64,
}

impl Preview {
    /// Prepares the preview of a sync with these scopes.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub async fn new(store: GraphStore, sync: SyncId, scopes: &[Scope]) -> Result<Self, GraphError> {
        let ids: Vec<String> = scopes.iter().map(scopes::id).collect();
        let mut states = BTreeMap::new();
        for ids in ids.chunks(TOGETHER) {
            states.extend(scope_store::by_id(&store, ids).await?.into_iter().map(|stored| (stored.id(), stored)));
        }
        Ok(Self {
            store,
            sync,
            states,
            feeds: Catalog::default(),
            keys: HashSet::new(),
            coming: HashSet::new(),
            nodes: BTreeMap::new(),
            edges: BTreeMap::new(),
            leading_out: HashSet::new(),
            seen_again: HashSet::new(),
        })
    }

    /// Records the properties by which the edges of an event find their targets.
    pub fn ask(&mut self, event: &Admitted) {
        let Event::Batch(batch) = &event.event else { return };
        self.keys.extend(batch.edges.iter().map(|table| (table.target_label.clone(), table.target_key.clone())));
    }

    /// Records the nodes of an event. Call it after [`Self::ask`] for every event.
    pub fn note(&mut self, event: &Admitted) {
        let Event::Batch(batch) = &event.event else { return };
        for table in &batch.nodes {
            for label in std::iter::once(&table.label).chain(&table.extra_labels) {
                let is_key = |name: &str| self.keys.contains(&(label.clone(), name.to_owned()));
                let wanted: Vec<bool> = table.properties.iter().map(|property| is_key(&property.name)).collect();
                self.coming.extend(table.rows.iter().flat_map(|row| keys(label, table, row, &wanted)));
            }
        }
    }

    /// Compares the rows of an event with the graph.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub async fn examine(&mut self, event: &Admitted) -> Result<(), GraphError> {
        let new = || StoredScope { scope: event.scope.clone(), state: scopes::ScopeState::default() };
        let stored = self.states.entry(scopes::id(&event.scope)).or_insert_with(new);
        let run = Run::of(&event.sync, event.attempt);
        let (state, verdict) = std::mem::take(&mut stored.state).step(&run, &event.event);
        stored.state = state;
        if let Event::Finished(finished) = &event.event {
            self.feeds.add(Feeds::of(finished));
        }
        let Event::Batch(batch) = &event.event else { return Ok(()) };
        for table in &batch.nodes {
            let fates = self.fates_of_nodes(table, &event.scope.listing, verdict == Verdict::Apply).await?;
            let known = self.nodes.entry(table.label.clone()).or_default();
            table.rows.iter().zip(fates).for_each(|(row, fate)| raise(known, hash(&[&row.id]), fate));
        }
        for table in &batch.edges {
            let fates = self.fates_of_edges(table, verdict == Verdict::Apply).await?;
            let known = self.edges.entry(shape(table)).or_default();
            for (row, fate) in table.rows.iter().zip(fates) {
                let edge = edge(table, row);
                match fate {
                    Some(fate) => raise(known, edge, fate),
                    None => drop(self.leading_out.insert(edge)),
                }
            }
        }
        Ok(())
    }

    /// Counts the changes. Call it after [`Self::examine`] for every event.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub async fn finish(self) -> Result<Foreseen, GraphError> {
        let sums = |all: &BTreeMap<String, HashMap<u64, Fate>>| -> BTreeMap<String, Counts> {
            all.iter().filter(|(_, fates)| !fates.is_empty()).map(|(name, fates)| (name.clone(), sum(fates))).collect()
        };
        let (mut nodes, mut edges) = (sums(&self.nodes), sums(&self.edges));
        let due = self.due().await?.whole();
        for (label, ready) in &due.nodes {
            nodes.entry(label.clone()).or_default().removed += self.nodes_gone(label, ready).await?;
        }
        for ((kind, ends), ready) in &due.edges {
            let (from, to) = ends.split_once('>').unwrap_or((ends, ""));
            let removed = self.edges_gone(kind, ends, ready).await?;
            edges.entry(named(from, kind, to)).or_default().removed += removed;
        }
        let some = |counts: &mut BTreeMap<String, Counts>| counts.retain(|_, counts| *counts != Counts::default());
        some(&mut nodes);
        some(&mut edges);
        Ok(Foreseen { nodes, edges, edges_leading_out: self.leading_out.len() as u64 })
    }
}

fn raise(known: &mut HashMap<u64, Fate>, key: u64, fate: Fate) {
    known.entry(key).and_modify(|known| *known = fate.max(*known)).or_insert(fate);
}

fn sum(fates: &HashMap<u64, Fate>) -> Counts {
    fates.values().fold(Counts::default(), |mut counts, fate| {
        *match fate {
            Fate::New => &mut counts.new,
            Fate::Changed => &mut counts.changed,
            Fate::Unchanged => &mut counts.unchanged,
        } += 1;
        counts
    })
}

fn hash(words: &[&str]) -> u64 {
    let mut hasher = SipHasher13::new();
    words.hash(&mut hasher);
    hasher.finish()
}

/// Returns keys by which an edge may find this node: its id, and the wanted properties.
fn keys<'a>(
    label: &'a str,
    table: &'a NodeTable,
    row: &'a NodeRow,
    wanted: &'a [bool],
) -> impl Iterator<Item = u64> + 'a {
    let properties = table.properties.iter().zip(&row.values).zip(wanted).filter(|(_, wanted)| **wanted);
    let texts = properties.filter_map(|((property, value), _)| match &value.kind {
        Some(Kind::String(text)) => Some((property.name.as_str(), text.as_str())),
        _ => None,
    });
    std::iter::once(("id", row.id.as_str())).chain(texts).map(move |(key, value)| hash(&[label, key, value]))
}

fn edge(table: &EdgeTable, row: &EdgeRow) -> u64 {
    hash(&[&shape(table), &table.target_key, &row.source_id, &row.target_value])
}

fn shape(table: &EdgeTable) -> String {
    let (from, to) = ends(table);
    named(from, &table.r#type, to)
}

fn named(from: &str, kind: &str, to: &str) -> String {
    format!("(:{from})-[:{kind}]->(:{to})")
}
