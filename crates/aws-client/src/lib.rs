//! Code shared by the AWS clients of broker and collectors. Makes no call.
//!
//! Reading order: [`http`] creates HTTP clients, each with its [`authorities`]. [`retry`] turns the broker's settings into
//! the SDK's. [`renewal`] says when to renew a session.

pub mod authorities;
pub mod http;
pub mod renewal;
pub mod retry;

pub use authorities::{Authorities, BundleError};
pub use http::{HttpClients, Proxy};
pub use renewal::renew_at;
pub use retry::retries;
