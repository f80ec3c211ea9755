//! The only crate that connects to Neo4j: configuration of the connection, and transactions that are committed or
//! rolled back, and repeated after transient errors. Knows nothing of AWS or the bus.
//!
//! Reading order: [`config`], [`version`], [`limits`], `sent`, `pool`, `rows`, `orphans`, [`transaction`], [`error`],
//! `judge`, [`store`], [`portion`] and [`pulse`] for callers, [`parameters`], [`indexes`] with `leftover`.

pub mod config;
pub mod error;
pub mod indexes;
mod judge;
mod leftover;
pub mod limits;
mod orphans;
pub mod parameters;
mod pool;
pub mod portion;
pub mod pulse;
mod rows;
mod sent;
pub mod store;
pub mod transaction;
pub mod version;

pub use config::{Args, GraphConfig, Password};
pub use error::GraphError;
pub use indexes::{Indexed, await_indexes, list_indexes};
pub use limits::Limits;
pub use portion::Portion;
pub use pulse::Pulse;
pub use store::{Backoff, GraphStore, is_out_of_memory, is_too_large};
pub use transaction::Transaction;
