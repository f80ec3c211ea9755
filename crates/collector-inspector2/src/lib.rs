//! The Inspector2 collector: findings about instances and images, and the affected packages. Knows Inspector2, but
//! neither the bus nor the graph database.
//!
//! Reading order: [`registry`] has the only listing, [`finding`]. [`package`] is the subject of most findings.
//! [`members`] lists the accounts whose findings the account can see. [`status`] tells whether Inspector is switched off.

mod registry;

mod finding;
mod package;

mod members;
mod status;

pub use registry::SERVICE;
