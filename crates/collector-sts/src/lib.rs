//! The STS collector: the account itself, to which every other node belongs, and its root principal. Knows STS, but
//! neither the bus nor the graph database.
//!
//! Reading order: [`registry`] has the only listing, [`account`].

mod account;
mod registry;

pub use registry::SERVICE;
