//! A sync from its first work item to its end: which accounts, regions and services, what became of each, and when the
//! graph holds it all. Talks to the broker, the collectors and the graph-writer over the bus only.
//!
//! Reading order: [`catalog`] names the services and [`listings`] what each lists, [`request`] is what a user asks for,
//! [`accounts`] asks the broker and [`selection`] says which accounts are meant, [`plan`] turns it into work items and
//! follows their reports, [`order`] says which go first. [`survey`] drives a sync: [`tag`] makes it newer than all others,
//! [`presence`] keeps two of the same scope apart, [`succession`] clears away what dead ones left, [`mod@follow`] reads its
//! events, [`mod@collect`] and [`writing`] wait for its two halves, with [`patience`] and [`signs`] of progress, [`publish`] and
//! [`under_way`] help. [`coverage`] says what it covered, [`repeat`] is about what it lost, [`outcome`] is what came of it,
//! [`timetable`] says when the next is due, [`role`] carries that out, [`alone`] is a process that does.

pub mod accounts;
pub mod alone;
pub mod catalog;
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
pub mod repeat;
pub mod request;
pub mod role;
pub mod selection;
pub mod signs;
pub mod succession;
pub mod survey;
pub mod tag;
pub mod timetable;
pub mod under_way;
pub mod writing;

pub use alone::Alone;
pub use follow::Follower;
pub use outcome::{Outcome, Unseen};
pub use patience::Patience;
pub use request::{Request, RequestArgs};
pub use survey::{Progress, SurveyError, survey};
pub use under_way::Phase;
pub use writing::written;
