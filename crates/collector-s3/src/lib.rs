//! The S3 collector: buckets with their settings, access control lists, and statements of bucket policies. Knows S3, but
//! neither the bus nor the graph database.
//!
//! Reading order: [`registry`] names the listing, [`bucket`] has it, [`settings`] makes the calls about a bucket, and
//! [`rows`] writes the answers. [`clients`] reaches the regions of the buckets, which [`location`] knows. The rest is one
//! file per setting.

mod clients;
mod registry;

mod bucket;
mod location;
mod rows;
mod settings;

mod access;
mod acl;
mod encryption;
mod logging;
mod notification;
mod ownership;
pub mod policy;
mod public_access_block;
mod statement;
mod versioning;

pub use registry::SERVICE;
