//! The SNS collector: topics with their attributes, and subscriptions. Knows SNS, but neither the bus nor the graph
//! database.
//!
//! Reading order: [`registry`] lists every listing; the rest is one file per resource type.

mod registry;

mod subscription;
mod topic;

pub use registry::SERVICE;
