//! The graph as transactions see it: committed nodes, edges and scopes, and the holders of locks.

use crate::{
    real::Known,
    shape::{Listing, Place, Shape, SyncNo, Tag, Thing},
};
use std::collections::BTreeMap;

/// Source and target.
pub(crate) type EdgeId = (Thing, Thing);

/// Committed data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Graph {
    /// Existing nodes.
    pub(crate) nodes: BTreeMap<Thing, Node>,
    /// Existing edges.
    pub(crate) edges: BTreeMap<EdgeId, Edge>,
    /// States of scopes.
    pub(crate) scopes: BTreeMap<(Place, Listing), Known>,
    /// Scopes that have brought rows in some run, with the version of the collector that last finished.
    pub(crate) fed: BTreeMap<(Place, Listing), Option<usize>>,
}

/// A node with Groma's bookkeeping.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    /// `lastupdated`.
    pub(crate) tag: Tag,
    /// Places that see it, each with its last tag.
    pub(crate) seen: BTreeMap<Place, Tag>,
    /// By listing: the values of its row.
    pub(crate) values: BTreeMap<Listing, Value>,
}

/// Values that a row gives a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Value {
    /// AWS state of the properties.
    pub(crate) state: u8,
    /// The account with these values, if they differ between accounts.
    pub(crate) view: Option<Place>,
    /// Tag and place of the row.
    pub(crate) from: (Tag, Place),
}

/// An edge with Groma's bookkeeping.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Edge {
    /// `lastupdated`.
    pub(crate) tag: Tag,
    /// Places that see it, each with its last tag.
    pub(crate) seen: BTreeMap<Place, Tag>,
}

/// An object that can be locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Lock {
    /// A scope's state.
    Scope(Place, Listing),
    /// A node, or the right to create it.
    Node(Thing),
    /// An edge, or the right to create it.
    Edge(EdgeId),
}

/// Owner of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Owner {
    /// A lane.
    Writer(usize),
    /// A sync's end.
    Closer(SyncNo),
}

impl Graph {
    /// The newest tag; 0 in an empty graph.
    pub(crate) fn newest(&self) -> Tag {
        let nodes = self.nodes.values().map(|node| node.tag);
        let edges = self.edges.values().map(|edge| edge.tag);
        nodes.chain(edges).chain(self.scopes.values().map(|known| known.run().tag)).max().unwrap_or_default()
    }

    /// Edges of a node.
    pub(crate) fn edges_of(&self, thing: Thing) -> impl Iterator<Item = (&EdgeId, &Edge)> {
        self.edges.iter().filter(move |((from, to), _)| *from == thing || *to == thing)
    }

    /// Labels at the ends of an edge.
    pub(crate) fn ends(shape: &Shape, (from, to): EdgeId) -> (usize, usize) {
        (shape.things[from].label, shape.things[to].label)
    }
}
