//! Labels and edges that a listing feeds, and the other listings that feed them, as reported when the listing finishes.
//!
//! All scopes of a listing report the same feeds, in every region of every account. So the graph stores each distinct
//! set once, as `(:GromaFeeds)` with a hash as its id, and scopes refer to the hash. There are about as many sets as
//! listings, times the collector versions that have run.

use crate::{bolt, edges, requests};
use events::{AssetBatch, EdgeFeed, NodeFeed, NodeTable, ScopeFinished};
use graph::{GraphError, GraphStore, Transaction};
use neo4rs::{BoltType, DeError, Row};
use serde::de::Error as _;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    hash::Hash,
};

/// Feeds of one listing, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Feeds {
    nodes: BTreeSet<String>,
    edges: BTreeSet<String>,
}

/// Sets of feeds by id.
#[derive(Debug, Clone, Default)]
pub struct Catalog(BTreeMap<String, Feeds>);

impl Feeds {
    /// Returns the feeds that a listing reports at its end.
    pub fn of(finished: &ScopeFinished) -> Self {
        Self {
            nodes: finished.nodes.iter().map(node_text).collect(),
            edges: finished.edges.iter().map(edge_text).collect(),
        }
    }

    /// Returns the feeds of texts stored in the graph. `None` if one of them cannot be read.
    pub(crate) fn of_texts(nodes: Vec<String>, edges: Vec<String>) -> Option<Self> {
        edges
            .iter()
            .all(|text| edge_feed(text).is_some())
            .then(|| Self { nodes: nodes.into_iter().collect(), edges: edges.into_iter().collect() })
    }

    pub(crate) fn node_texts(&self) -> &BTreeSet<String> {
        &self.nodes
    }

    pub(crate) fn edge_texts(&self) -> &BTreeSet<String> {
        &self.edges
    }

    /// Adds the feeds of a batch, without listings. A table that only adds to nodes feeds no label; an older version may
    /// have noted that it does.
    pub fn add(&mut self, batch: &AssetBatch) {
        let text = |table: &NodeTable| node_text(&NodeFeed { label: table.label.clone(), listings: Vec::new() });
        for table in batch.nodes.iter().filter(|table| table.supplements) {
            self.nodes.remove(&text(table));
        }
        self.nodes.extend(batch.nodes.iter().filter(|table| !table.supplements).map(text));
        for table in &batch.edges {
            let (from, to) = edges::ends(table);
            self.edges.insert(words(&[&table.r#type, from, to], []));
        }
    }

    /// Returns `id` in the graph: 128 bits as 32 hexadecimal digits, independent of the order of the feeds.
    pub fn id(&self) -> String {
        let mut hasher = SipHasher13::new();
        (&self.nodes, &self.edges).hash(&mut hasher);
        format!("{:032x}", hasher.finish128().as_u128())
    }

    /// Returns the labels, each with the listings that feed it (`service/listing`).
    pub fn nodes(&self) -> impl Iterator<Item = NodeFeed> + '_ {
        self.nodes.iter().filter_map(|text| node_feed(text))
    }

    /// Returns the edges, each with the listings that feed it (`service/listing`).
    pub fn edges(&self) -> impl Iterator<Item = EdgeFeed> + '_ {
        self.edges.iter().filter_map(|text| edge_feed(text))
    }
}

impl Catalog {
    /// Reads every set in the graph.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub async fn load(store: &GraphStore) -> Result<Self, GraphError> {
        let rows = store.rows(bolt::planned_once(LOAD, [])).await?;
        let sets = rows.iter().map(parse).collect::<Result<_, _>>();
        Ok(Self(sets.map_err(GraphError::from)?))
    }

    /// Returns the set with this id.
    pub fn get(&self, id: &str) -> Option<&Feeds> {
        self.0.get(id)
    }

    /// Adds a set.
    pub fn add(&mut self, feeds: Feeds) {
        self.0.insert(feeds.id(), feeds);
    }

    /// Returns the labels with at least one feeding listing.
    pub fn labels(&self) -> HashSet<String> {
        self.0.values().flat_map(Feeds::nodes).map(|feed| feed.label).collect()
    }

    /// Returns type and ends (from, to) of edges with at least one feeding listing.
    pub fn edges(&self) -> BTreeSet<(String, String, String)> {
        let feeds = self.0.values().flat_map(Feeds::edges);
        feeds.map(|feed| (feed.r#type, feed.from_label, feed.to_label)).collect()
    }

    /// Adds the sets of another catalog.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().map(|(id, feeds)| (id.clone(), feeds.clone())));
    }
}

const LOAD: &str = "MATCH (f:GromaFeeds) RETURN f.id AS id, f.nodes AS nodes, f.edges AS edges";
/// Statement of [`note`].
pub(crate) const NOTE: &str = "UNWIND $rows AS feeds MERGE (f:GromaFeeds {id: feeds.id}) ON CREATE SET f += feeds";

/// Stores sets, in the transaction that makes scopes refer to them.
pub(crate) async fn note<'a>(
    transaction: &mut Transaction,
    finished: impl Iterator<Item = &'a ScopeFinished>,
) -> Result<(), neo4rs::Error> {
    let sets: BTreeMap<String, Feeds> = finished.map(Feeds::of).map(|feeds| (feeds.id(), feeds)).collect();
    requests::run(transaction, NOTE, sets.iter().map(|(id, feeds)| row(id, feeds)).collect()).await
}

fn row(id: &str, feeds: &Feeds) -> BoltType {
    bolt::map([("id", id.into()), ("nodes", bolt::texts(&feeds.nodes)), ("edges", bolt::texts(&feeds.edges))])
}

fn parse(row: &Row) -> Result<(String, Feeds), DeError> {
    let id: String = row.get("id")?;
    let feeds = Feeds::of_texts(row.get("nodes")?, row.get("edges")?);
    let feeds = feeds.ok_or_else(|| {
        DeError::custom(format!("cannot read the edges of (:GromaFeeds {{id: '{id}'}}); delete the node"))
    })?;
    Ok((id, feeds))
}

/// Joins words with spaces.
fn words<'a>(first: &[&'a str], rest: impl IntoIterator<Item = &'a String>) -> String {
    first.iter().copied().chain(rest.into_iter().map(String::as_str)).collect::<Vec<_>>().join(" ")
}

/// Returns `<label> <listing> <listing> …`; [`crate::admit`] rejects names with a space.
fn node_text(feed: &NodeFeed) -> String {
    words(&[&feed.label], &feed.listings)
}

fn node_feed(text: &str) -> Option<NodeFeed> {
    let mut words = text.split(' ').map(str::to_owned);
    Some(NodeFeed { label: words.next()?, listings: words.collect() })
}

/// Returns `<type> <from> <to> <listing> <listing> …`.
fn edge_text(feed: &EdgeFeed) -> String {
    words(&[&feed.r#type, &feed.from_label, &feed.to_label], &feed.listings)
}

fn edge_feed(text: &str) -> Option<EdgeFeed> {
    let mut words = text.split(' ').map(str::to_owned);
    Some(EdgeFeed {
        r#type: words.next()?,
        from_label: words.next()?,
        to_label: words.next()?,
        listings: words.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feeds_are_read_as_they_were_written_and_their_order_does_not_matter() {
        let node = |label: &str| NodeFeed { label: label.into(), listings: vec!["ec2/A".into(), "ec2/B".into()] };
        let edge =
            EdgeFeed { r#type: "T".into(), from_label: "A".into(), to_label: "B".into(), listings: vec!["s/L".into()] };
        let finished =
            |nodes: Vec<NodeFeed>| ScopeFinished { nodes, edges: vec![edge.clone()], ..ScopeFinished::default() };
        let feeds = Feeds::of(&finished(vec![node("V"), node("W")]));
        assert_eq!(feeds.nodes().collect::<Vec<_>>(), [node("V"), node("W")]);
        assert_eq!(feeds.edges().collect::<Vec<_>>(), std::slice::from_ref(&edge));
        assert_eq!(feeds.id(), Feeds::of(&finished(vec![node("W"), node("V")])).id());
        assert_ne!(feeds.id(), Feeds::of(&finished(vec![node("V")])).id());
        assert_eq!(feeds.id().len(), 32);
    }
}
