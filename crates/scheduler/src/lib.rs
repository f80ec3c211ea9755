//! Runs a sync from its first work item to its end: accounts, regions and services, the outcome of each, and the time
//! at which the graph holds everything. Reaches the broker, the collectors and the graph-writer only over the bus.
//!
//! Reading order:
//!
//! * Input: [`catalog`] names the services and [`listings`] the listings of each. [`request`] is the user's request,
//!   [`gap`] a failure that the user accepts, [`accounts`] asks the broker, and [`selection`] selects accounts. [`plan`]
//!   turns them into work items and follows their reports; [`order`] sorts them.
//! * Sync: [`mod@survey`] drives it, reports [`progress`], and returns a [`survey_error`] if it fails. [`tag`] makes it
//!   newer than all others. [`presence`] prevents concurrent syncs of the same scope, and [`succession`] removes the work
//!   of dead ones. [`mod@follow`] reads its events. [`mod@collect`] and [`writing`] wait for its two halves. [`record`]
//!   restores its events in a recreated stream. [`patience`], [`signs`] of progress, [`publish`] and [`under_way`] with
//!   its [`phase`] support them.
//! * Result: [`events::scopes`] stores the reports, and [`coverage`] describes the covered part. [`repeat`] collects
//!   lost scopes again, and [`lost`] reads their [`place`]s. [`outcome`] is the result,
//!   and [`mod@conclude`] publishes it. [`surveys`] reads such results, and the running syncs.
//! * Process: [`timetable`] computes the time of the next sync, [`role`] runs the timetable, `observed` records metrics,
//!   and [`process`] is a scheduler process.

pub mod accounts;
pub mod collect;
pub mod conclude;
pub mod coverage;
pub mod follow;
pub mod gap;
pub mod listings;
pub mod lost;
mod observed;
pub mod order;
pub mod outcome;
pub mod patience;
pub mod phase;
pub mod place;
pub mod plan;
pub mod presence;
pub mod process;
pub mod progress;
pub mod publish;
pub mod record;
pub mod repeat;
pub mod request;
pub mod role;
pub mod selection;
pub mod signs;
pub mod size;
pub mod succession;
pub mod survey;
pub mod survey_error;
pub mod surveys;
pub mod tag;
pub mod timetable;
pub mod under_way;
pub mod writing;

pub use events::Scopes;
pub use follow::Follower;
pub use gap::Gap;
pub use outcome::{Outcome, Skipped, Unseen};
pub use patience::Patience;
pub use phase::Phase;
pub use process::ProcessArgs;
pub use progress::Progress;
pub use record::Record;
pub use request::{Request, RequestArgs};
pub use survey::survey;
pub use survey_error::SurveyError;
pub use writing::written;
