//! Asset events to Cypher to Neo4j. The writer knows no AWS service: labels, properties and edges come with the events.
//!
//! Reading order: [`schema`] is the graph's indexes; [`admit`] decides which events may become Cypher, and [`flaws`] which
//! rows; [`scopes`] counts what was applied, and [`scope_store`] keeps that in the graph, [`feeds`] what listings feed;
//! `rows` and `requests` are how rows travel, `elements` finds nodes, [`nodes`] and [`edges`] write (`ownership`: whose it
//! is, `sightings`: who sees what several places see), [`apply`] is the transaction around them, `pieces` the way around a
//! row that Neo4j refuses; [`held`] keeps edges whose target is missing; `lane` queues one account's events. [`sync_end`]
//! closes a sync: `reports` are what its collectors say, `settle` waits for it, [`due`] is what may be cleaned, by `areas`,
//! `unwritten` names what the graph did not get, [`cleanup`] (with `unseen`) removes what finished scopes no longer see, `stale` names what nobody covers, `tally`
//! counts, `refused` names rows that cannot stand in the graph, `cut` keeps messages small. [`newest`] answers which update
//! tag is the newest; [`writer`] consumes the bus; [`alone`] is a process that does; [`preview`] says what events would
//! change, without writing; [`forget`] removes places on request.

pub mod admit;
pub mod alone;
pub mod apply;
mod areas;
mod bolt;
pub mod cleanup;
mod cut;
pub mod due;
pub mod edges;
mod elements;
pub mod feeds;
pub mod flaws;
pub mod forget;
pub mod held;
mod in_flight;
mod lane;
pub mod newest;
pub mod nodes;
mod ownership;
mod pieces;
pub mod prepare;
pub mod preview;
mod refused;
mod rehearsal;
mod reports;
mod requests;
mod rows;
pub mod schema;
pub mod scope_store;
pub mod scopes;
mod settle;
mod short;
mod sightings;
mod stale;
mod steps;
pub mod sync_end;
mod tally;
mod unseen;
mod unwritten;
pub mod writer;

pub use alone::Alone;
pub use prepare::Expected;
pub use writer::{Options, Writer, WriterError};
