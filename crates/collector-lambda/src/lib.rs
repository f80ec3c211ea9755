//! The Lambda collector: functions with the actions that their policies allow to everyone, aliases, layers and event source
//! mappings, never environment variables. Knows Lambda, but neither the bus nor the graph database.
//!
//! Reading order: [`registry`] names the listings. [`functions`] lists functions, and reads the rest about each: [`function`]
//! is a row of the list itself, [`status`], [`policy`] and [`alias`] make one call each, and [`layer`] needs none. [`image`]
//! and [`event_source_mapping`] have the other listings.

mod lambda;
mod registry;

mod alias;
mod event_source_mapping;
mod function;
mod functions;
mod image;
mod layer;
mod policy;
mod status;

pub use registry::SERVICE;
