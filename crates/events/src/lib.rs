//! All messages of Groma, in protobuf: asset events, work items, sync progress and leases. Also their NATS subjects,
//! and their message ids, which make repeats harmless. No I/O.
//!
//! Reading order: [`subjects`], [`message_id`], [`identifier`], [`bounded`], then the generated messages;
//! [`scopes`] keeps reports in little memory.

pub mod bounded;
pub mod identifier;
pub mod message_id;
pub mod scopes;
pub mod subjects;

mod display;
#[allow(missing_docs, clippy::all, clippy::pedantic)]
#[rustfmt::skip]
#[path = "generated/groma.v1.rs"]
mod messages;

pub use bounded::{ReadError, read};
pub use display::{MOST_ERROR, ScopeName, cut, hex, is_direction, listed, printable};
pub use messages::*;
pub use prost::{DecodeError, Message};
pub use scopes::Scopes;

/// Region of a service without regions, such as IAM.
pub const GLOBAL: &str = "global";
