//! The lease contract between the broker and a collector: a short AWS session for one account and one service, sealed to
//! a key that was made for the one request, and the client of it as an AWS SDK credentials provider.
//!
//! Reading order: [`session`] is what travels, [`seal`] how, [`requester`] asks for it, [`leased`] keeps it fresh while a
//! collection runs; [`authorities`] whom its client trusts.

pub mod authorities;
pub mod leased;
pub mod requester;
pub mod seal;
pub mod session;

pub use authorities::{Authorities, BundleError, HttpClients};
pub use leased::LeasedCredentials;
pub use requester::{Lease, LeaseError, LeaseRequester};
pub use seal::{OneTimeKey, OpenError, SealError};
pub use session::Session;
