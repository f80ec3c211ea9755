//! The KMS collector: keys with the actions that their policies allow to everyone, aliases and grants. Knows KMS, but
//! neither the bus nor the graph database.
//!
//! Reading order: [`registry`] lists every listing; the rest is one file per resource type. [`shared`] has the helpers
//! of several types.

mod registry;

mod alias;
mod grant;
mod key;
mod shared;

pub use registry::SERVICE;
