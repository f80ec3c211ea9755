//! A sync from its first work item to its end: which accounts, regions and services, what became of each, and when the
//! graph holds it all. Talks to the broker, the collectors and the graph-writer over the bus only.
//!
//! Reading order: [`catalog`] names the services and [`listings`] what each lists, [`request`] is what a user asks for,
//! [`selection`] which accounts that means, [`plan`] turns it into work items
//! and follows their reports, [`order`] says which go first, [`presence`] keeps two of the same scope apart, [`survey`]
//! drives one, [`repeat`] what it lost, [`outcome`] is what came of it, [`timetable`] says when the next is due, [`role`]
//! carries that out, [`alone`] is a process that does.

pub mod alone;
pub mod catalog;
pub mod listings;
pub mod order;
pub mod outcome;
pub mod plan;
pub mod presence;
pub mod repeat;
pub mod request;
pub mod role;
pub mod selection;
pub mod survey;
pub mod timetable;

pub use alone::Alone;
pub use outcome::{Outcome, Unseen};
pub use request::{Request, RequestArgs};
pub use survey::{Progress, SurveyError, survey};
