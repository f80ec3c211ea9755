//! Size of a world, and its possible disturbances.

use std::collections::BTreeSet;

/// Update tag: Unix seconds in reality, small numbers here.
pub(crate) type Tag = i64;
/// An account with one work item: `<account>/global/sts`.
pub(crate) type Place = usize;
/// A listing of the service.
pub(crate) type Listing = usize;
/// A node that may exist in AWS.
pub(crate) type Thing = usize;
/// Index into [`Shape::syncs`]; repeats come after these.
pub(crate) type SyncNo = usize;

/// A node in AWS.
#[derive(Debug, Clone)]
pub(crate) struct ThingShape {
    /// Its label.
    pub(crate) label: usize,
    /// Listings that contain it.
    pub(crate) seen_by: Vec<(Place, Listing)>,
    /// Whether it exists before the first sync.
    pub(crate) exists: bool,
    /// Whether a property has another value in each account (names of availability zones).
    pub(crate) local: bool,
    /// A property by which edges refer to it; not unique.
    pub(crate) key: Option<u8>,
}

/// Target of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The thing with this id.
    Id(Thing),
    /// All things with this key.
    Key(u8),
}

/// An edge in AWS. It exists while its source does.
#[derive(Debug, Clone)]
pub(crate) struct LinkShape {
    /// Its source.
    pub(crate) from: Thing,
    /// Its target.
    pub(crate) to: Target,
    /// The listing that contains it.
    pub(crate) by: (Place, Listing),
}

/// A sync that may begin.
#[derive(Debug, Clone)]
pub(crate) struct SyncShape {
    /// Places that it covers.
    pub(crate) places: BTreeSet<Place>,
    /// Syncs of one bus see each other's `started`.
    pub(crate) bus: usize,
}

/// Remaining number of each disturbance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    /// AWS changes.
    pub(crate) changes: u8,
    /// A collector dies; its item is redelivered.
    pub(crate) deaths: u8,
    /// An item is redelivered although its collector lives.
    pub(crate) stalls: u8,
    /// JetStream forgets the delivery count of an item.
    pub(crate) resets: u8,
    /// A listing fails.
    pub(crate) failures: u8,
    /// The stream loses a message that it acknowledged.
    pub(crate) losses: u8,
    /// A message is redelivered although it was applied.
    pub(crate) repeats: u8,
    /// The process that closes a sync dies.
    pub(crate) closers: u8,
    /// A scheduler dies.
    pub(crate) schedulers: u8,
    /// A scheduler gives up the items without a report.
    pub(crate) give_ups: u8,
    /// No writer answers the request for the newest tag.
    pub(crate) silences: u8,
    /// A lagging replica reports that a message is missing.
    pub(crate) lags: u8,
}

/// Rules of the roles: each is either as before a defect was fixed, or such that the invariants hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate switch")]
pub(crate) struct Rules {
    /// Locks a node or an edge before its tag is compared.
    pub(crate) lock_first: bool,
    /// A sync's tag is larger than the newest of the graph and of those started on its bus, whatever its clock's time.
    pub(crate) tag_after_newest: bool,
    /// `started` is published only if no other scheduler published one meanwhile.
    pub(crate) tag_reserved: bool,
    /// Listings that must be complete before a label is cleaned.
    pub(crate) feeds: Feeds,
    /// Two runs of an item have different attempts even if JetStream's counter starts over.
    pub(crate) unique_attempts: bool,
    /// A message counts as missing only if the stream's leader lacks it.
    pub(crate) leader_only: bool,
    /// Reported scopes that a sync's end names, although a newer sync holds them or they ended otherwise than reported.
    pub(crate) unwritten: Unwritten,
    /// Cleanup checks elements again after locking them.
    pub(crate) look_again: bool,
    /// A node with an edge of a newer sync is kept.
    pub(crate) newer_edge_keeps: bool,
    /// Edges by a non-unique key are retried at the end of the sync.
    pub(crate) twins: bool,
    /// One of the places that see a node decides its properties.
    pub(crate) one_speaks: bool,
}

/// Listings that must be complete before a label is cleaned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feeds {
    /// Those named by complete listings of this sync.
    OfSync,
    /// Also those that the place's other scopes name now.
    OfScopes,
    /// Also those named by any scope of the place when it last finished.
    Finished,
    /// Also those that have brought rows without ever finishing.
    Remembered,
}

/// Reported scopes that a sync's end names as unwritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unwritten {
    /// Those with missing batches. A scope held by a newer run counts as written.
    Missing,
    /// Also those held by a newer run when the writer stopped waiting.
    Superseded,
    /// All that are not complete at the decision on cleanup.
    NotComplete,
}

impl Rules {
    /// The current rules, with which the invariants hold.
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

/// A world in its initial state.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate switch")]
pub(crate) struct Shape {
    /// Number of places.
    pub(crate) places: usize,
    /// Listings that each version of the collector knows, the oldest first.
    pub(crate) versions: Vec<Vec<Listing>>,
    /// Nodes of AWS.
    pub(crate) things: Vec<ThingShape>,
    /// Edges of AWS.
    pub(crate) links: Vec<LinkShape>,
    /// Syncs, in the order in which they begin.
    pub(crate) syncs: Vec<SyncShape>,
    /// Number of undisturbed syncs of everything that run first.
    pub(crate) before: usize,
    /// Whether unobservable steps are separate.
    pub(crate) fine: bool,
    /// Whether a sync may begin before the previous one has ended.
    pub(crate) overlap: bool,
    /// Whether other actions are possible between the request for the newest tag and the beginning.
    pub(crate) race: bool,
    /// Possible times of clocks.
    pub(crate) clocks: Vec<Tag>,
    /// Number of concurrent transactions.
    pub(crate) writers: usize,
    /// Limit of messages in one transaction.
    pub(crate) together: usize,
    /// Whether properties change too.
    pub(crate) properties: bool,
    /// Number of things in a batch.
    pub(crate) rows: usize,
    /// Limit of syncs that repeat lost scopes.
    pub(crate) repeats: usize,
    /// Possible disturbances.
    pub(crate) budget: Budget,
    /// The rules.
    pub(crate) rules: Rules,
}

impl SyncShape {
    /// A sync of these places on this bus.
    pub(crate) fn of(places: &[Place], bus: usize) -> Self {
        Self { places: places.iter().copied().collect(), bus }
    }
}

impl ThingShape {
    /// An existing thing that these listings contain.
    pub(crate) fn of(label: usize, seen_by: &[(Place, Listing)]) -> Self {
        Self { label, seen_by: seen_by.to_vec(), exists: true, local: false, key: None }
    }

    /// Marks it as not yet existing.
    pub(crate) fn absent(self) -> Self {
        Self { exists: false, ..self }
    }

    /// Gives it different properties in each account.
    pub(crate) fn local(self) -> Self {
        Self { local: true, ..self }
    }

    /// Gives it a key.
    pub(crate) fn with_key(self, key: u8) -> Self {
        Self { key: Some(key), ..self }
    }
}

impl Shape {
    /// One place, listing and writer, and sequential syncs without disturbances.
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

    /// Possible targets of a link.
    pub(crate) fn targets(&self, link: &LinkShape) -> Vec<Thing> {
        match link.to {
            Target::Id(thing) => vec![thing],
            Target::Key(key) => (0..self.things.len()).filter(|thing| self.things[*thing].key == Some(key)).collect(),
        }
    }
}
