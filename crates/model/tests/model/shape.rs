//! How large a world is and what may go wrong in it.

use std::collections::BTreeSet;

/// Unix seconds in life; small numbers here.
pub(crate) type Tag = i64;
/// An account, which has one item of work: `<account>/global/sts`.
pub(crate) type Place = usize;
/// A listing of the service.
pub(crate) type Listing = usize;
/// A node that AWS has or has not.
pub(crate) type Thing = usize;
/// Position in [`Shape::syncs`]; repeats come after.
pub(crate) type SyncNo = usize;

/// A node of AWS.
#[derive(Debug, Clone)]
pub(crate) struct ThingShape {
    /// Its label.
    pub(crate) label: usize,
    /// Who lists it.
    pub(crate) seen_by: Vec<(Place, Listing)>,
    /// Whether it exists before the first sync.
    pub(crate) exists: bool,
    /// Whether a property of it reads differently in each account (names of availability zones).
    pub(crate) local: bool,
    /// A property by which edges may name it, which others may have as well.
    pub(crate) key: Option<u8>,
}

/// What an edge leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The thing with this id.
    Id(Thing),
    /// All things with this key.
    Key(u8),
}

/// An edge of AWS: it exists while its source does.
#[derive(Debug, Clone)]
pub(crate) struct LinkShape {
    /// Its source.
    pub(crate) from: Thing,
    /// Its target.
    pub(crate) to: Target,
    /// The listing that says so.
    pub(crate) by: (Place, Listing),
}

/// A sync that may begin.
#[derive(Debug, Clone)]
pub(crate) struct SyncShape {
    /// What it covers.
    pub(crate) places: BTreeSet<Place>,
    /// Syncs of one bus see each other's `started`.
    pub(crate) bus: usize,
}

/// How often each disturbance may still happen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    /// AWS changes.
    pub(crate) changes: u8,
    /// A collector dies; its item comes again.
    pub(crate) deaths: u8,
    /// An item comes again although its collector lives.
    pub(crate) stalls: u8,
    /// JetStream forgets how often an item was delivered.
    pub(crate) resets: u8,
    /// A listing fails.
    pub(crate) failures: u8,
    /// The stream loses a message that it acknowledged.
    pub(crate) losses: u8,
    /// A message comes again although it was applied.
    pub(crate) repeats: u8,
    /// Whoever closes a sync dies.
    pub(crate) closers: u8,
    /// A scheduler dies.
    pub(crate) schedulers: u8,
    /// A scheduler gives up what was not reported.
    pub(crate) give_ups: u8,
    /// No writer answers which tag is the newest.
    pub(crate) silences: u8,
    /// A replica that lags says that a message is gone.
    pub(crate) lags: u8,
}

/// Rules of the roles: each as it was when a defect was found, or so that the invariants hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Rules {
    /// Locks a node or an edge before its tag is compared.
    pub(crate) lock_first: bool,
    /// A sync's tag is larger than the newest of the graph and of those started on its bus, whatever the clock says.
    pub(crate) tag_after_newest: bool,
    /// `started` is published only if nobody else's came in between.
    pub(crate) tag_reserved: bool,
    /// Which listings must be complete before a label is cleaned.
    pub(crate) feeds: Feeds,
    /// Two runs of an item have different attempts even if JetStream's counter went back.
    pub(crate) unique_attempts: bool,
    /// Only the stream's leader is believed that a message is gone.
    pub(crate) leader_only: bool,
    /// How scopes that a newer sync holds, or that ended otherwise than reported, are named.
    pub(crate) unwritten: Unwritten,
    /// Cleanup looks again at what it has locked.
    pub(crate) look_again: bool,
    /// A node with an edge that a newer sync saw is left to that sync.
    pub(crate) newer_edge_keeps: bool,
    /// Edges by a key that is not unique are drawn again when the sync ends.
    pub(crate) twins: bool,
    /// Of the places that see a node, one decides what its properties are.
    pub(crate) one_speaks: bool,
}

/// Which listings must be complete before a label is cleaned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feeds {
    /// Those that complete listings of this sync name.
    OfSync,
    /// And those that the place's other scopes name at this moment.
    OfScopes,
    /// And those that any scope of the place named when it last finished.
    Finished,
    /// And those that have brought rows without ever finishing.
    Remembered,
}

/// Which reported scopes a sync's end names as not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unwritten {
    /// Those of which batches are missing; one that a newer run holds counts as written.
    Missing,
    /// Also those that a newer run held when the writer stopped waiting.
    Superseded,
    /// All that are not complete when cleanup has been decided.
    NotComplete,
}

impl Rules {
    /// What the roles do. With these rules the invariants hold.
    pub(crate) const NOW: Self = Self {
        lock_first: true,
        tag_after_newest: true,
        tag_reserved: true,
        feeds: Feeds::Remembered,
        unique_attempts: true,
        leader_only: true,
        unwritten: Unwritten::NotComplete,
        look_again: true,
        newer_edge_keeps: true,
        twins: true,
        one_speaks: true,
    };
}

/// A world before anything has happened.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Shape {
    /// How many.
    pub(crate) places: usize,
    /// Listings that each version of the collector knows, the oldest first.
    pub(crate) versions: Vec<Vec<Listing>>,
    /// Nodes of AWS.
    pub(crate) things: Vec<ThingShape>,
    /// Edges of AWS.
    pub(crate) links: Vec<LinkShape>,
    /// Syncs, in the order in which they begin.
    pub(crate) syncs: Vec<SyncShape>,
    /// Syncs of everything, in which nothing goes wrong, that come first.
    pub(crate) before: usize,
    /// Whether steps are separate that nobody can observe.
    pub(crate) fine: bool,
    /// Whether one may begin before the one before it has ended.
    pub(crate) overlap: bool,
    /// Whether something may happen between asking for the newest tag and beginning.
    pub(crate) race: bool,
    /// What clocks may show.
    pub(crate) clocks: Vec<Tag>,
    /// Transactions at once.
    pub(crate) writers: usize,
    /// Messages that one transaction may take.
    pub(crate) together: usize,
    /// Whether properties change too, or things only come and go.
    pub(crate) properties: bool,
    /// Things in a batch.
    pub(crate) rows: usize,
    /// Syncs that may follow one that lost something.
    pub(crate) repeats: usize,
    /// What may go wrong.
    pub(crate) budget: Budget,
    /// The rules.
    pub(crate) rules: Rules,
}

impl SyncShape {
    /// Of these places, on this bus.
    pub(crate) fn of(places: &[Place], bus: usize) -> Self {
        Self { places: places.iter().copied().collect(), bus }
    }
}

impl ThingShape {
    /// A thing that exists and that these list.
    pub(crate) fn of(label: usize, seen_by: &[(Place, Listing)]) -> Self {
        Self { label, seen_by: seen_by.to_vec(), exists: true, local: false, key: None }
    }

    /// That does not exist yet.
    pub(crate) fn absent(self) -> Self {
        Self { exists: false, ..self }
    }

    /// Of which each account has another view.
    pub(crate) fn local(self) -> Self {
        Self { local: true, ..self }
    }

    /// With a key.
    pub(crate) fn with_key(self, key: u8) -> Self {
        Self { key: Some(key), ..self }
    }
}

impl Shape {
    /// One place and listing, one writer, syncs one after the other, nothing goes wrong.
    pub(crate) fn small(things: Vec<ThingShape>, syncs: usize) -> Self {
        let places = things.iter().flat_map(|thing| &thing.seen_by).map(|(place, _)| place + 1).max().unwrap_or(1);
        let listings =
            things.iter().flat_map(|thing| &thing.seen_by).map(|(_, listing)| listing + 1).max().unwrap_or(1);
        let sync = SyncShape { places: (0..places).collect(), bus: 0 };
        Self {
            places,
            versions: vec![(0..listings).collect()],
            things,
            links: Vec::new(),
            syncs: vec![sync; syncs],
            before: 0,
            fine: false,
            overlap: false,
            race: false,
            clocks: vec![1],
            writers: 1,
            together: 1,
            properties: false,
            rows: 1,
            repeats: 0,
            budget: Budget::default(),
            rules: Rules::NOW,
        }
    }

    /// Whether a listing brings things of a label.
    pub(crate) fn feeds(&self, listing: Listing, label: usize) -> bool {
        let brings = |thing: &ThingShape| thing.label == label && thing.seen_by.iter().any(|(_, by)| *by == listing);
        self.things.iter().any(brings)
    }

    /// Labels at the ends of a link.
    pub(crate) fn ends(&self, link: &LinkShape) -> (usize, usize) {
        let to = match link.to {
            Target::Id(thing) => self.things[thing].label,
            Target::Key(key) => self.things.iter().find(|thing| thing.key == Some(key)).map_or(0, |thing| thing.label),
        };
        (self.things[link.from].label, to)
    }

    /// Whether a listing brings links between these labels.
    pub(crate) fn links(&self, listing: Listing, ends: (usize, usize)) -> bool {
        self.links.iter().any(|link| link.by.1 == listing && self.ends(link) == ends)
    }

    /// Things that a link may lead to.
    pub(crate) fn targets(&self, link: &LinkShape) -> Vec<Thing> {
        match link.to {
            Target::Id(thing) => vec![thing],
            Target::Key(key) => (0..self.things.len()).filter(|thing| self.things[*thing].key == Some(key)).collect(),
        }
    }
}
