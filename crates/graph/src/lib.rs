//! The only crate that connects to Neo4j: where the graph is, and transactions that are committed or rolled back and repeated
//! on errors that a repeat can heal. Knows nothing of AWS or the bus.
//!
//! Reading order: [`config`], [`version`], [`store`], [`parameters`], [`indexes`].

pub mod config;
pub mod indexes;
pub mod parameters;
pub mod store;
pub mod version;

pub use config::{Args, GraphConfig, Password};
pub use indexes::await_indexes;
pub use store::{GraphError, GraphStore, Transaction};
