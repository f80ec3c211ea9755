//! Ways between two assets: how the internet reaches an instance, how a role becomes administrator, and others. Only reads.
//!
//! Reading order: [`hop`] has the steps of a way, [`ends`] finds the two assets, [`node`] describes an asset, `expand` reads
//! the next assets from the graph, [`mod@search`] finds the shortest ways, `verdict` rejects blocked ones, and [`mod@format`]
//! prints them.

pub mod ends;
mod expand;
pub mod format;
pub mod hop;
pub mod node;
pub mod search;
mod verdict;

pub use ends::{EndError, From, To, find};
pub use format::Format;
pub use search::{Found, Limits, Way, search};
