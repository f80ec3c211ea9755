//! The Secrets Manager collector: secrets with their versions, never their values. Knows Secrets Manager, but neither
//! the bus nor the graph database.
//!
//! Reading order: [`registry`] names the listing, [`secret`] has it, and [`version`] reads the versions of a secret.

mod key;
mod registry;
mod secret;
mod version;

pub use registry::SERVICE;
