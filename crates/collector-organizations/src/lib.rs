//! The Organizations collector: an account's organization with its roots, organizational units and accounts. Every
//! account is asked, but only the management account and delegated administrators may see the tree. The others have
//! nothing to list, which is not a failure.
//!
//! Reading order: [`registry`] has the only listing. [`organization`] determines which part is visible from the
//! account, and [`tree`] walks it. [`inside`] has the node ids that several types share. The rest is one file per type
//! of node.

mod account;
#[cfg(test)]
mod canned;
mod inside;
mod organization;
mod organizational_unit;
mod registry;
mod root;
mod tree;

pub use registry::SERVICE;
