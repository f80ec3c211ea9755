//! The IAM collector: principals, their policies, trusted principals of roles, credentials, and last used services.
//! Knows IAM, but neither the bus nor the graph database.
//!
//! Reading order: [`registry`] lists every listing. [`authorization`] is the largest and fills the tables up to
//! [`statement`]. [`policy_document`] parses policies. The rest is one file per resource type.

pub mod registry;

pub mod iam;
pub mod principals;

pub mod authorization;
pub mod group;
pub mod inline_policy;
pub mod managed_policy;
pub mod role;
pub mod statement;
pub mod trust;
pub mod trust_policy;

pub mod json;
pub mod policy_document;

pub mod access_key;
pub mod account_summary;
pub mod instance_profile;
pub mod mfa_device;
pub mod saml_provider;
pub mod server_certificate;
pub mod service_access;
pub mod user;

pub use iam::Iam;
pub use registry::SERVICE;

#[cfg(test)]
mod testing;
