//! The SQS collector: queues with their dead-letter queues. Knows SQS, but neither the bus nor the graph database.
//!
//! Reading order: [`registry`] names the listing, [`queue`] has it, and [`redrive_policy`] parses an attribute.

mod registry;

mod queue;
pub mod redrive_policy;

pub use registry::SERVICE;
