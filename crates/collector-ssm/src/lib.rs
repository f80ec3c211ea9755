//! The SSM collector: managed nodes with their patches, and parameters without their values. Knows SSM, but neither the
//! bus nor the graph database.
//!
//! Reading order: [`registry`] lists every listing, [`clients`] has their clients, and [`aliases`] resolves the aliases of
//! keys that parameters name. The rest is one file per resource type.

mod registry;

mod aliases;
mod clients;
mod instance_information;
mod instance_patch;
mod parameter;

pub use registry::SERVICE;
