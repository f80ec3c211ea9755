//! Recordings of syncs. A recording is a file with every event of one sync. It can be played into another graph or a
//! test, or compared with another one. Knows neither AWS nor Neo4j: events are played onto a bus, where a graph-writer
//! reads them.
//!
//! Reading order: [`format`] is the file format, [`write`] and [`read`] implement it. [`inventory`] is the result of a
//! first pass over a recording, with its [`runs`]. [`record`] copies a sync from the streams. [`filter`] selects a part,
//! and [`play`] plays it. [`diff`] compares the [`rows`] of two recordings.

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
