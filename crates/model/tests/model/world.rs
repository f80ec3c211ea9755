//! The complete state at one moment.

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
    /// By thing: 0 if it does not exist in AWS, else a number that changes with its properties.
    pub(crate) aws: Vec<u8>,
    /// All syncs, including those that have not begun.
    pub(crate) syncs: Vec<SyncRun>,
    /// Newest tag among `started` events, by bus.
    pub(crate) started: BTreeMap<usize, Tag>,
    /// The work queue.
    pub(crate) items: BTreeMap<(SyncNo, Place), Item>,
    /// Items that collectors are working on.
    pub(crate) hands: Vec<Hand>,
    /// The assets stream: messages by sequence.
    pub(crate) stream: BTreeMap<u64, Message>,
    /// Committed data of Neo4j.
    pub(crate) graph: Graph,
    /// Holders of locks.
    pub(crate) locks: BTreeMap<Lock, Owner>,
    /// Open transactions of the lanes.
    pub(crate) lanes: Vec<Option<Transaction>>,
    /// Remaining disturbances.
    pub(crate) left: Budget,
    /// History for the checks; no role can see it.
    pub(crate) ghost: Ghost,
    /// The first violated invariant.
    pub(crate) broken: Option<String>,
}

/// A sync from its scheduler's view.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct SyncRun {
    /// Places that it covers.
    pub(crate) places: BTreeSet<Place>,
    /// Its bus.
    pub(crate) bus: usize,
    /// The sync whose lost scopes it collects again.
    pub(crate) repeats: Option<SyncNo>,
    /// Its phase.
    pub(crate) phase: Phase,
    /// Its tag, once it has begun.
    pub(crate) tag: Tag,
    /// Newest tags as answered: of the graph and of the bus.
    pub(crate) asked: Option<(Tag, Tag)>,
    /// By place: the report that counts.
    pub(crate) reports: BTreeMap<Place, Report>,
    /// State of its end.
    pub(crate) end: Option<End>,
    /// Result for the user, including repeats.
    pub(crate) outcome: Option<Named>,
}

/// Phase of a sync.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Phase {
    /// It has not begun.
    #[default]
    Idle,
    /// Its scheduler knows the newest tags.
    Asked,
    /// Its items are published.
    Running,
    /// Every item has a report.
    Collected,
    /// The writer has closed it.
    Finished,
    /// Its scheduler died.
    Dead,
}

/// A report of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Report {
    /// The attempt; 0 if the scheduler gave the item up.
    pub(crate) attempt: u32,
    /// Number of batches by listing; `None` if it failed.
    pub(crate) listings: BTreeMap<Listing, Option<u32>>,
}

/// Kinds that may be cleaned, with their places.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Due {
    /// By label.
    pub(crate) nodes: BTreeMap<usize, BTreeSet<Place>>,
    /// By the labels at the ends.
    pub(crate) edges: BTreeMap<(usize, usize), BTreeSet<Place>>,
}

/// State of a sync's end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum End {
    /// Retries held edges of these scopes.
    Redraw {
        /// Scopes.
        scopes: Vec<(Place, Listing)>,
        /// Named.
        named: Named,
    },
    /// Removes everything due.
    Sweep {
        /// Remaining kinds.
        due: Due,
        /// Result of the search, before the locks.
        found: Option<Vec<Lock>>,
        /// Named.
        named: Named,
    },
    /// Done. Names the unwritten scopes.
    Done {
        /// Named.
        named: Named,
    },
}

/// Unwritten scopes named by a sync's end or its scheduler; without a listing, a whole item.
pub(crate) type Named = BTreeMap<(Place, Option<Listing>), Why>;

/// Reason for an unwritten scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Why {
    /// The listing failed, or the item has no report.
    Failed,
    /// It arrived only in part.
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
    /// Attempts used so far, to choose different ones.
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
    /// Number of batches by finished listing; `None` if it failed.
    pub(crate) done: BTreeMap<Listing, Option<u32>>,
}

/// One attempt of one sync at a scope, ordered by age like the real one.
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
    /// Its content.
    pub(crate) body: Body,
    /// Whether it is still unapplied.
    pub(crate) waiting: bool,
}

/// Content of a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Body {
    /// The listing has begun.
    Started,
    /// Rows.
    Batch {
        /// Position in the listing.
        index: u32,
        /// Nodes and their AWS states.
        things: Vec<(Thing, u8)>,
        /// Edges, as indexes into [`Shape::links`].
        links: Vec<usize>,
    },
    /// Every page was read.
    Finished {
        /// Number of batches.
        batches: u32,
        /// Version of the collector.
        version: usize,
        /// All rows that the collector read, for the checks.
        read: Rows,
    },
    /// It failed.
    Failed,
}

/// An open transaction of a lane.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Transaction {
    /// Sequences of its messages.
    pub(crate) messages: Vec<u64>,
    /// The scopes' states after them.
    pub(crate) states: BTreeMap<(Place, Listing), Known>,
    /// Rows still to be written.
    pub(crate) rows: Vec<Row>,
    /// Result of the comparing statement's read, before its lock.
    pub(crate) read: Option<Read>,
    /// Nodes that it has written.
    pub(crate) nodes: BTreeMap<Thing, Node>,
    /// Edges that it has written.
    pub(crate) edges: BTreeMap<EdgeId, Edge>,
    /// By message: number of its edges that lack an end or may gain another.
    pub(crate) missing: BTreeMap<u64, u64>,
}

/// A node as read, if it existed.
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
    /// The initial state.
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

    /// Whether the world is quiescent: no active sync, item, message or transaction.
    pub(crate) fn is_quiet(&self) -> bool {
        self.syncs.iter().all(|sync| matches!(sync.phase, Phase::Idle | Phase::Finished | Phase::Dead))
            && self.items.is_empty()
            && self.hands.is_empty()
            && self.lanes.iter().all(Option::is_none)
            && self.stream.values().all(|message| !message.waiting)
    }

    /// Whether these locks are available.
    pub(crate) fn may_lock(&self, owner: Owner, locks: impl IntoIterator<Item = Lock>) -> bool {
        locks.into_iter().all(|lock| self.locks.get(&lock).is_none_or(|holder| *holder == owner))
    }

    /// Takes available locks.
    pub(crate) fn lock(&mut self, owner: Owner, locks: impl IntoIterator<Item = Lock>) {
        self.locks.extend(locks.into_iter().map(|lock| (lock, owner)));
    }

    /// Releases the owner's locks.
    pub(crate) fn unlock(&mut self, owner: Owner) {
        self.locks.retain(|_, holder| *holder != owner);
    }

    /// Records a violated invariant.
    pub(crate) fn breaks(&mut self, what: impl Into<String>) {
        if self.broken.is_none() {
            self.broken = Some(what.into());
        }
    }
}

/// A sync's id. Ids sort in the order in which syncs begin, like ULIDs.
pub(crate) fn id(sync: SyncNo) -> String {
    format!("s{sync:02}")
}

impl Message {
    /// Its scope.
    pub(crate) fn scope(&self) -> (Place, Listing) {
        (self.place, self.listing)
    }
}

/// A scope's name in messages.
pub(crate) fn name((place, listing): (Place, Listing)) -> String {
    events::ScopeName(&real::scope(place, listing)).to_string()
}
