//! The graph as transactions see it: committed nodes, edges and scopes, and who holds which lock.

use crate::{
    real::Known,
    shape::{Listing, Place, Shape, SyncNo, Tag, Thing},
};
use std::collections::BTreeMap;

/// Source and target.
pub(crate) type EdgeId = (Thing, Thing);

/// What is committed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Graph {
    /// Nodes that are there.
    pub(crate) nodes: BTreeMap<Thing, Node>,
    /// Edges that are there.
    pub(crate) edges: BTreeMap<EdgeId, Edge>,
    /// How far scopes have come.
    pub(crate) scopes: BTreeMap<(Place, Listing), Known>,
    /// Scopes that have brought rows in some run, and the version of the collector that finished last.
    pub(crate) fed: BTreeMap<(Place, Listing), Option<usize>>,
}

/// A node with Groma's bookkeeping.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    /// `lastupdated`.
    pub(crate) tag: Tag,
    /// Who sees it, and when last.
    pub(crate) seen: BTreeMap<Place, Tag>,
    /// By listing: what its row said.
    pub(crate) values: BTreeMap<Listing, Value>,
}

/// What a row said of a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Value {
    /// Which of AWS' states the properties are.
    pub(crate) state: u8,
    /// Whose view, where places may differ.
    pub(crate) view: Option<Place>,
    /// Tag of the row, and the place that it came from.
    pub(crate) from: (Tag, Place),
}

/// An edge with Groma's bookkeeping.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Edge {
    /// `lastupdated`.
    pub(crate) tag: Tag,
    /// Who sees it, and when last.
    pub(crate) seen: BTreeMap<Place, Tag>,
}

/// What can be locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Lock {
    /// A scope's state.
    Scope(Place, Listing),
    /// A node, or the right to make it.
    Node(Thing),
    /// An edge, or the right to make it.
    Edge(EdgeId),
}

/// A transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Owner {
    /// That of a lane.
    Writer(usize),
    /// That of a sync's end.
    Closer(SyncNo),
}

impl Graph {
    /// The newest tag of anything; 0 in an empty graph.
    pub(crate) fn newest(&self) -> Tag {
        let nodes = self.nodes.values().map(|node| node.tag);
        let edges = self.edges.values().map(|edge| edge.tag);
        nodes.chain(edges).chain(self.scopes.values().map(|known| known.run().tag)).max().unwrap_or_default()
    }

    /// Edges that hang on a node.
    pub(crate) fn edges_of(&self, thing: Thing) -> impl Iterator<Item = (&EdgeId, &Edge)> {
        self.edges.iter().filter(move |((from, to), _)| *from == thing || *to == thing)
    }

    /// Labels at the ends of an edge.
    pub(crate) fn ends(shape: &Shape, (from, to): EdgeId) -> (usize, usize) {
        (shape.things[from].label, shape.things[to].label)
    }
}
