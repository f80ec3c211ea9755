//! Everything that is true at one moment.

use crate::{
    calm,
    check::{Ghost, Rows},
    graph::{Edge, EdgeId, Graph, Lock, Node, Owner},
    real::{self, Known},
    shape::{Budget, Listing, Place, Shape, SyncNo, Tag, Thing},
};
use std::collections::{BTreeMap, BTreeSet};

/// One state of the model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    /// By thing: 0 where AWS has none, else a number that changes with its properties.
    pub(crate) aws: Vec<u8>,
    /// Syncs, those that have not begun too.
    pub(crate) syncs: Vec<SyncRun>,
    /// Newest tag that was `started`, by bus.
    pub(crate) started: BTreeMap<usize, Tag>,
    /// The work queue.
    pub(crate) items: BTreeMap<(SyncNo, Place), Item>,
    /// Items that collectors are working on.
    pub(crate) hands: Vec<Hand>,
    /// The assets stream: messages by their place in it.
    pub(crate) stream: BTreeMap<u64, Message>,
    /// What Neo4j has committed.
    pub(crate) graph: Graph,
    /// Who has locked what.
    pub(crate) locks: BTreeMap<Lock, Owner>,
    /// Open transactions of the lanes.
    pub(crate) lanes: Vec<Option<Transaction>>,
    /// What may still go wrong.
    pub(crate) left: Budget,
    /// What the checks remember; no role can see it.
    pub(crate) ghost: Ghost,
    /// The first invariant that did not hold.
    pub(crate) broken: Option<String>,
}

/// A sync, from its scheduler's view.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct SyncRun {
    /// What it covers.
    pub(crate) places: BTreeSet<Place>,
    /// Its bus.
    pub(crate) bus: usize,
    /// The sync that it collects again for.
    pub(crate) repeats: Option<SyncNo>,
    /// Where it is.
    pub(crate) phase: Phase,
    /// Its tag, once it has begun.
    pub(crate) tag: Tag,
    /// What was answered about the newest tags: the graph's, the bus'.
    pub(crate) asked: Option<(Tag, Tag)>,
    /// By place: the report that counts.
    pub(crate) reports: BTreeMap<Place, Report>,
    /// Of its end.
    pub(crate) end: Option<End>,
    /// What its scheduler tells the user, the repeats taken in.
    pub(crate) outcome: Option<Named>,
}

/// Where a sync is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Phase {
    /// It has not begun.
    #[default]
    Idle,
    /// Its scheduler knows the newest tags.
    Asked,
    /// Its items are published.
    Running,
    /// All is reported.
    Collected,
    /// The writer has closed it.
    Finished,
    /// Its scheduler died.
    Dead,
}

/// A report of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Report {
    /// The attempt; 0 when the scheduler gave the item up.
    pub(crate) attempt: u32,
    /// By listing: its batches, or none when it failed.
    pub(crate) listings: BTreeMap<Listing, Option<u32>>,
}

/// What may be cleaned, in which places.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Due {
    /// By label.
    pub(crate) nodes: BTreeMap<usize, BTreeSet<Place>>,
    /// By the labels at the ends.
    pub(crate) edges: BTreeMap<(usize, usize), BTreeSet<Place>>,
}

/// A sync's end, step by step.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum End {
    /// Held edges of these scopes are to be drawn again; these scopes will be named.
    Redraw {
        /// Scopes.
        scopes: Vec<(Place, Listing)>,
        /// Named.
        named: Named,
    },
    /// What is due is being removed.
    Sweep {
        /// What is left to do.
        due: Due,
        /// What the statement that looks has found, before its locks.
        found: Option<Vec<Lock>>,
        /// Named.
        named: Named,
    },
    /// Done; these scopes are named as not written.
    Done {
        /// Named.
        named: Named,
    },
}

/// What a sync's end or its scheduler names as not written; without a listing, a whole item.
pub(crate) type Named = BTreeMap<(Place, Option<Listing>), Why>;

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Why {
    /// The listing failed, or nobody reported on the item.
    Failed,
    /// Not all of it arrived.
    Lost,
    /// A newer run holds it.
    Superseded,
}

/// An item in the work queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Item {
    /// JetStream's counter.
    pub(crate) deliveries: u32,
    /// Whether a collector has it.
    pub(crate) taken: bool,
    /// Attempts that were given; only to choose others.
    pub(crate) attempts: BTreeSet<u32>,
}

/// An item in a collector's hands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Hand {
    /// The item.
    pub(crate) item: (SyncNo, Place),
    /// Version of the collector.
    pub(crate) version: usize,
    /// The run's attempt.
    pub(crate) attempt: u32,
    /// Whether JetStream still holds the item for it.
    pub(crate) holds: bool,
    /// Listings that have ended: their batches, or none when they failed.
    pub(crate) done: BTreeMap<Listing, Option<u32>>,
}

/// One attempt of one sync at a scope, ordered by age as the real one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RunNo {
    /// The sync's tag.
    pub(crate) tag: Tag,
    /// The sync.
    pub(crate) sync: SyncNo,
    /// The attempt.
    pub(crate) attempt: u32,
}

/// A message of the assets stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Message {
    /// Its sync.
    pub(crate) sync: SyncNo,
    /// Its run.
    pub(crate) run: RunNo,
    /// Its place.
    pub(crate) place: Place,
    /// Its listing.
    pub(crate) listing: Listing,
    /// What it says.
    pub(crate) body: Body,
    /// Whether it is still to be applied.
    pub(crate) waiting: bool,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Body {
    /// The listing has begun.
    Started,
    /// Rows.
    Batch {
        /// Position in the listing.
        index: u32,
        /// Nodes, and which of AWS' states they are in.
        things: Vec<(Thing, u8)>,
        /// Edges, by their position in [`Shape::links`].
        links: Vec<usize>,
    },
    /// Every page was read.
    Finished {
        /// How many.
        batches: u32,
        /// Version of the collector.
        version: usize,
        /// All that the collector read, for the checks.
        read: Rows,
    },
    /// It failed.
    Failed,
}

/// An open transaction of a lane.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Transaction {
    /// Messages, by their place in the stream.
    pub(crate) messages: Vec<u64>,
    /// The scopes' states after them.
    pub(crate) states: BTreeMap<(Place, Listing), Known>,
    /// Rows that are left to write.
    pub(crate) rows: Vec<Row>,
    /// What the statement that compares has read before its lock.
    pub(crate) read: Option<Read>,
    /// Nodes that it has written.
    pub(crate) nodes: BTreeMap<Thing, Node>,
    /// Edges that it has written.
    pub(crate) edges: BTreeMap<EdgeId, Edge>,
    /// By message: its edges that lack an end, or may yet get another.
    pub(crate) missing: BTreeMap<u64, u64>,
}

/// What was read of a node, if there was one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Read(pub(crate) Option<Node>);

/// A row to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Row {
    /// A node.
    Node {
        /// The message.
        message: u64,
        /// The node.
        thing: Thing,
        /// Its state.
        state: u8,
    },
    /// An edge.
    Link {
        /// The message.
        message: u64,
        /// The link.
        link: usize,
    },
}

impl World {
    /// Before anything has happened.
    pub(crate) fn new(shape: &Shape) -> Self {
        let mut world = Self {
            aws: shape.things.iter().map(|thing| u8::from(thing.exists)).collect(),
            syncs: Vec::new(),
            started: BTreeMap::new(),
            items: BTreeMap::new(),
            hands: Vec::new(),
            stream: BTreeMap::new(),
            graph: Graph::default(),
            locks: BTreeMap::new(),
            lanes: vec![None; shape.writers],
            left: shape.budget.clone(),
            ghost: Ghost::default(),
            broken: None,
        };
        for _ in 0..shape.before {
            world = calm::sync(&world, shape);
        }
        let syncs = shape.syncs.iter();
        world.syncs.extend(syncs.map(|it| SyncRun { places: it.places.clone(), bus: it.bus, ..SyncRun::default() }));
        world.left = shape.budget.clone();
        world
    }

    /// Whether nothing is under way: no sync, no item, no message, no transaction.
    pub(crate) fn is_quiet(&self) -> bool {
        self.syncs.iter().all(|sync| matches!(sync.phase, Phase::Idle | Phase::Finished | Phase::Dead))
            && self.items.is_empty()
            && self.hands.is_empty()
            && self.lanes.iter().all(Option::is_none)
            && self.stream.values().all(|message| !message.waiting)
    }

    /// Whether these locks can be had.
    pub(crate) fn may_lock(&self, owner: Owner, locks: impl IntoIterator<Item = Lock>) -> bool {
        locks.into_iter().all(|lock| self.locks.get(&lock).is_none_or(|holder| *holder == owner))
    }

    /// Takes locks that can be had.
    pub(crate) fn lock(&mut self, owner: Owner, locks: impl IntoIterator<Item = Lock>) {
        self.locks.extend(locks.into_iter().map(|lock| (lock, owner)));
    }

    /// Ends a transaction's locks.
    pub(crate) fn unlock(&mut self, owner: Owner) {
        self.locks.retain(|_, holder| *holder != owner);
    }

    /// Notes that an invariant does not hold.
    pub(crate) fn breaks(&mut self, what: impl Into<String>) {
        if self.broken.is_none() {
            self.broken = Some(what.into());
        }
    }
}

/// A sync's id. They sort as the syncs began, as ULIDs do.
pub(crate) fn id(sync: SyncNo) -> String {
    format!("s{sync:02}")
}

impl Message {
    /// Its scope.
    pub(crate) fn scope(&self) -> (Place, Listing) {
        (self.place, self.listing)
    }
}

/// A scope's name, for people.
pub(crate) fn name((place, listing): (Place, Listing)) -> String {
    events::ScopeName(&real::scope(place, listing)).to_string()
}
