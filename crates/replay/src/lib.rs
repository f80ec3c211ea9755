//! Recordings of syncs: one file that carries every event of one sync, to be played into another graph, into a test, or
//! compared with another. Knows neither AWS nor Neo4j: what it plays goes to a bus, where a graph-writer reads it.
//!
//! Reading order: [`format`] is the file, [`write`] and [`read`] are its two ends; [`inventory`] is what a first pass over
//! a recording learns, with [`runs`]; [`record`] copies a sync from the streams; [`filter`] decides what of it is played, [`play`] plays it;
//! [`diff`] compares two, by their [`rows`].

pub mod diff;
pub mod filter;
pub mod format;
pub mod inventory;
pub mod play;
pub mod read;
pub mod record;
pub mod rows;
pub mod runs;
pub mod write;

#[cfg(test)]
mod sample;

pub use diff::{Change, Diff, diff};
pub use filter::Filter;
pub use format::FormatError;
pub use inventory::{Gap, Inventory};
pub use play::{PlayError, Playback, play};
pub use read::{Event, Reader};
pub use record::{Copied, RecordError, record, syncs_since};
pub use write::Writer;
