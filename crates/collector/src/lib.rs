//! What all collectors share: resource-type tables, the sink that turns rows into events, and the loop that takes a work
//! item, leases a session and runs every listing of its service. Knows no AWS service and no graph database.
//!
//! Reading order: [`table`] says what the graph gets, [`service`] which calls list it, [`rows`] turns items into table
//! rows, [`sink`] publishes them. [`options`] says how, [`run`] holds work items, [`item`] does one, [`listing`] one listing
//! of it, [`connection`] and [`client`] are how it reaches AWS, [`error`] says what went wrong, and [`probe`] tries it all
//! without publishing. `endpoint` gives up endpoints that hang, `progress` tells what is slow from what hangs. [`alone`] is a
//! process that collects.

pub mod alone;
pub mod client;
pub mod connection;
mod endpoint;
pub mod error;
pub mod item;
pub mod listing;
pub mod options;
pub mod place;
pub mod probe;
mod progress;
pub mod rows;
pub mod run;
pub mod service;
pub mod sink;
mod size;
pub mod table;
pub mod testing;
pub mod value;

pub use alone::Alone;
pub use connection::Connection;
pub use error::CollectError;
pub use options::{Args, OptionError, Options};
pub use place::Place;
pub use probe::Probed;
pub use run::run;
pub use service::{Collecting, Listing, Region, Service};
pub use sink::Sink;
pub use table::{Edge, Node, Ontology, Prop, Table, Target, When, copied, fixed, indexed, many, mapped, one, prop};
pub use value::Value;
