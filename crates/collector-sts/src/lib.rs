//! The STS collector: the account itself, on which every other node hangs, and its root principal. Knows STS and
//! nothing of the bus or the graph database.
//!
//! Reading order: `registry` names the one listing, `account` is it.

mod account;
mod registry;

pub use registry::SERVICE;
