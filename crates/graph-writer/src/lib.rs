//! Writes asset events to Neo4j as Cypher. The writer knows no AWS service: labels, properties and edges come with the
//! events.
//!
//! Reading order: [`schema`] maintains the graph's indexes; [`admit`] validates events, and [`flaws`] their rows;
//! [`scopes`] counts applied batches of a [`run`] and their [`missing`] ends, [`scope_store`] stores these counts in the
//! graph, [`feeds`] the labels and edges that listings feed. `rows` and `requests` encode rows, `elements` finds nodes,
//! [`nodes`] and [`edges`] write them (`ownership`: the place that an element belongs to, `sightings`: the places of
//! elements that several see). [`apply`] is the transaction around them, `pieces` isolates a row that Neo4j rejects and
//! `park` parks it; [`held`] keeps edges whose target is missing, and `held_edges` creates them; `lane` queues one
//! account's events. [`sync_end`] closes a sync: `reports` reads the collectors' reports, `settle` waits for its scopes,
//! [`due`] computes the labels and edges to clean, by `areas`, `unwritten` names scopes that the graph lacks,
//! [`cleanup`] (with `unseen`) removes assets that finished scopes no longer contain, `removed` counts them, `stale`
//! names places that the sync did not cover, `tally` counts, `refused` names rejected rows, `cut` limits the size of
//! messages, and `lost_places` names the places of lost scopes.
//! [`newest`] answers requests for the newest update tag; [`writer`] consumes the bus as its [`options`] say, `troubles`
//! logs failures that repeat, `probe` checks that Neo4j answers; [`process`] is a writer process; [`preview`] computes changes without writing; [`forget`]
//! removes places on request, and [`ghosts`] shared nodes without references; [`age`] reads how old the graph is.

pub mod admit;
pub mod age;
pub mod apply;
mod areas;
mod bolt;
pub mod cleanup;
pub mod cut;
pub mod due;
pub mod edges;
mod elements;
pub mod feeds;
pub mod flaws;
pub mod forget;
pub mod ghosts;
pub mod held;
mod held_edges;
mod in_flight;
mod lane;
mod lost_places;
pub mod missing;
pub mod newest;
pub mod nodes;
pub mod options;
mod ownership;
mod park;
mod pieces;
pub mod prepare;
pub mod preview;
mod probe;
pub mod process;
mod refused;
mod removed;
mod reports;
mod requests;
mod rows;
pub mod run;
pub mod schema;
pub mod scope_store;
pub mod scopes;
mod settle;
mod shed;
mod short;
mod sightings;
mod stale;
mod steps;
pub mod sync_end;
mod tally;
mod troubles;
mod unseen;
mod unwritten;
pub mod writer;

pub use options::Options;
pub use prepare::Expected;
pub use process::ProcessArgs;
pub use writer::{Writer, WriterError};
