//! Paths between two assets: how the internet reaches an instance, how a role becomes administrator, and others. Only reads.
//!
//! Reading order: [`hop`] has the steps of a path, [`end`] is an end of a path, [`ends`] finds the two, [`node`] describes an asset, `reach` tells which
//! kinds of assets lead to the end, `expand` reads the next assets from the graph, [`mod@search`] finds the shortest paths,
//! `verdict` and `limits` reject blocked ones, `everyone` finds public assets, `notes` lists the limits of an answer, and
//! [`mod@format`] prints the answer.

pub mod end;
pub mod ends;
mod everyone;
mod expand;
pub mod format;
pub mod hop;
mod limits;
pub mod node;
mod notes;
mod reach;
pub mod search;
mod verdict;

pub use end::{From, To};
pub use ends::{EndError, find};
pub use format::Format;
pub use search::{Found, Limits, Path, search};
