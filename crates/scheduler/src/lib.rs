//! A sync from its first work item to its end: its accounts, regions and services, the outcome of each, and the time at
//! which the graph holds everything. Uses only the bus to reach the broker, the collectors and the graph-writer.
//!
//! Reading order: [`request`] is the user's request and [`listings`] the listings that it selects, [`accounts`] asks the broker and [`selection`] selects accounts; [`plan`] turns them into work items and
//! follows their reports, [`order`] sorts them. [`survey`] drives a sync: [`tag`] makes it
//! newer than all others, [`presence`] prevents two concurrent syncs of the same scope, [`succession`] removes the work of dead ones,
//! [`mod@follow`] reads its events, [`mod@collect`] and [`writing`] wait for its two halves, [`record`] restores its events in a
//! recreated stream; [`patience`], [`signs`] of
//! progress, [`publish`] and [`under_way`] support them. [`scopes`] stores what was reported, [`coverage`] describes what it covered, [`repeat`] collects
//! lost scopes again, [`outcome`] is its result, [`timetable`] computes the time of the next one, [`role`] runs the
//! timetable, [`alone`] is a scheduler process.

pub mod accounts;
pub mod alone;
pub mod collect;
pub mod coverage;
pub mod follow;
pub mod listings;
pub mod order;
pub mod outcome;
pub mod patience;
pub mod plan;
pub mod presence;
pub mod publish;
pub mod record;
pub mod repeat;
pub mod request;
pub mod role;
pub mod scopes;
pub mod selection;
pub mod signs;
pub mod size;
pub mod succession;
pub mod survey;
pub mod tag;
pub mod timetable;
pub mod under_way;
pub mod writing;

pub use alone::Alone;
pub use follow::Follower;
pub use outcome::{Outcome, Skipped, Unseen};
pub use patience::Patience;
pub use record::Record;
pub use request::{Request, RequestArgs};
pub use scopes::Scopes;
pub use survey::{Progress, SurveyError, survey};
pub use under_way::Phase;
pub use writing::written;
