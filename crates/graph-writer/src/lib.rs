//! Asset events to Cypher to Neo4j. The writer knows no AWS service: labels, properties and edges come with the events.
//!
//! Reading order: [`schema`] is the graph's indexes; [`admit`] decides which events may become Cypher, and [`flaws`]
//! which rows; [`scopes`] counts what
//! was applied, and [`scope_store`] keeps that in the graph; `rows` and `requests` are how rows travel, `elements` finds
//! nodes, [`nodes`] and [`edges`] write, [`apply`] is the transaction around them, `pieces` the way around a row that Neo4j refuses; [`held`] keeps edges whose target is
//! missing; [`cleanup`] removes what finished scopes no longer see; `lane` queues one account's events; [`sync_end`] closes a
//! sync; [`newest`] answers which update tag is the newest; [`writer`] consumes the bus; [`alone`] is a process that does; [`preview`] says what events would change, without
//! writing.

pub mod admit;
pub mod alone;
pub mod apply;
mod bolt;
pub mod cleanup;
pub mod edges;
mod elements;
pub mod flaws;
pub mod held;
mod in_flight;
mod lane;
pub mod newest;
pub mod nodes;
mod ownership;
mod pieces;
pub mod prepare;
pub mod preview;
mod rehearsal;
mod requests;
mod rows;
pub mod schema;
pub mod scope_store;
pub mod scopes;
mod short;
pub mod sync_end;
pub mod writer;

pub use alone::Alone;
pub use prepare::Expected;
pub use writer::{Options, Writer, WriterError};
