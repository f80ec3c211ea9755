//! The Organizations collector: an account's organization with its roots, organizational units and accounts. Every
//! account is asked, but only the management account and delegated administrators may see the tree. The others have
//! nothing to list, which is not a failure.
//!
//! Reading order: [`registry`] has the only listing. [`organization`] determines which part is visible from the
//! account, and [`tree`] walks it. The rest is one file per type of node.

pub mod account;
#[cfg(test)]
mod canned;
pub mod organization;
pub mod organizational_unit;
pub mod registry;
pub mod root;
pub mod tree;

pub use registry::SERVICE;
