//! The Lambda collector: functions with the actions that their policies allow to everyone, aliases, layers and event source
//! mappings, never environment variables. Knows Lambda, but neither the bus nor the graph database.
//!
//! Reading order: [`registry`] names the listings. [`functions`] lists functions, and reads the rest about each: [`function`]
//! is a row of the list itself, [`status`], [`policy`] and [`alias`] make one call each, and [`layer`] needs none.
//! [`event_source_mapping`] has the second listing.

mod registry;

mod alias;
mod event_source_mapping;
mod function;
mod functions;
mod layer;
mod policy;
mod status;

pub use registry::SERVICE;
