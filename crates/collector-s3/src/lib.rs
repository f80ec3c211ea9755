//! The S3 collector: general purpose buckets with their settings, access control lists, and statements of bucket policies. Knows S3, but
//! neither the bus nor the graph database.
//!
//! Reading order: [`registry`] names the listings. [`bucket`] lists buckets with their [`location`]. [`in_region`] goes
//! through each region's buckets, for which [`clients`] has a client: [`settings`] makes the calls about a bucket, and
//! [`rows`] writes the answers. The rest is one file per setting.

mod clients;
mod registry;

mod bucket;
mod in_region;
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
