//! All messages of Groma: asset events, work items, sync progress and leases in protobuf; their subjects; and their
//! message ids, which make repeats harmless. No I/O.
//!
//! Reading order: [`subjects`], [`message_id`], [`identifier`], [`bounded`], then the generated messages.

pub mod bounded;
pub mod identifier;
pub mod message_id;
pub mod subjects;

mod display;
#[allow(missing_docs, clippy::all, clippy::pedantic)]
#[rustfmt::skip]
#[path = "generated/groma.v1.rs"]
mod messages;

pub use bounded::{ReadError, read};
pub use display::{MOST_ERROR, ScopeName, cut, listed, printable};
pub use messages::*;
pub use prost::{DecodeError, Message};

/// Region of a service that has none, such as IAM.
pub const GLOBAL: &str = "global";
