//! Shared parts of all collectors: tables of resource types, the sink that turns rows into events, and the loop that
//! takes a work item, leases a session and runs every listing of its service. Knows no AWS service and no graph
//! database.
//!
//! Reading order: [`table`] describes the rows for the graph, and [`service`] the calls that list them. [`rows`] turns
//! items into table rows, [`sink`] takes them, and `batches` publishes them. [`options`] has the settings. [`run`]
//! takes work items, [`item`] works on one, `discovery` discovers an account's regions, [`listing`] runs one listing,
//! and [`details`] makes calls about single items. `worker` has the state and sessions that they share. [`connection`]
//! and [`client`] reach AWS, [`error`] has the errors, and [`probe`] tries every listing without publishing. `endpoint`
//! gives up hung endpoints, `ended` replaces expired sessions, and `progress` tells slow work from hung work.
//! [`process`] is a collector process.

mod batches;
pub mod client;
pub mod collector;
pub mod connection;
pub mod details;
mod discovery;
mod ended;
mod endpoint;
pub mod error;
mod evidence;
pub mod item;
pub mod json;
mod kms_key;
mod lambda_function;
pub mod listing;
mod noted;
pub mod options;
pub mod place;
pub mod probe;
pub mod process;
mod progress;
pub mod rows;
pub mod run;
pub mod service;
pub mod silence;
pub mod sink;
pub mod size;
pub mod table;
pub mod testing;
pub mod value;
mod worker;

pub use collector::Collector;
pub use connection::Connection;
pub use details::{Detail, Details, unless_gone};
pub use error::{CollectError, ErrorCode};
pub use json::Json;
pub use kms_key::kms_key_id;
pub use lambda_function::unqualified_function;
pub use noted::{Noted, Notes};
pub use options::{Args, OptionError, Options};
pub use paging::{Pages, Tokens, paged};
pub use place::Place;
pub use probe::Probed;
pub use process::ProcessArgs;
pub use progress::await_sibling;
pub use run::run;
pub use service::{Collecting, Listing, Region, RegionDiscovery, Service};
pub use silence::Endpoints;
pub use sink::Sink;
pub use table::{Edge, Node, Ontology, Prop, Table, Target, When, copied, fixed, indexed, many, mapped, one, prop};
pub use throttle::{Bucket, Quota, Sharing};
pub use value::{Value, seconds};
