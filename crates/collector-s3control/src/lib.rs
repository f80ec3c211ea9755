//! The S3 Control collector: what an account blocks of public access to S3. Knows S3 Control, but neither the bus nor the
//! graph database.
//!
//! Reading order: [`registry`] names the listing, [`public_access_block`] has it, and [`client`] reaches S3 Control.

mod client;
mod public_access_block;
mod registry;

pub use registry::SERVICE;
