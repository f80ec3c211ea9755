//! The IAM collector: principals, their policies, trusted principals of roles, credentials, and last used services.
//! Knows IAM, but neither the bus nor the graph database.
//!
//! Reading order: [`registry`] lists every listing. [`authorization`] is the largest and fills the tables up to
//! [`statement`]. [`policy_document`] parses policies. The rest is one file per resource type.

mod registry;

mod iam;
mod principals;

mod authorization;
mod group;
mod inline_policy;
mod managed_policy;
mod role;
mod statement;
mod trust;
pub mod trust_policy;

pub mod policy_document;

mod access_key;
mod account_summary;
mod instance_profile;
mod mfa_device;
mod saml_provider;
mod server_certificate;
mod service_access;
mod user;

use iam::Iam;
pub use registry::SERVICE;

#[cfg(test)]
mod testing;
