//! The Organizations collector: the organization of an account with its roots, organizational units and accounts. Every
//! account is asked, but only the management account and delegated administrators may see the tree; the others have
//! nothing to list, which is no failure.
//!
//! Reading order: `registry` names the one listing, `organization` finds out what may be seen from here, `tree`
//! walks it; then one file for each type of node.

mod account;
#[cfg(test)]
mod canned;
mod organization;
mod organizational_unit;
mod registry;
mod root;
mod tree;

pub use registry::SERVICE;
