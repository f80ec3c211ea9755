//! The lease contract between broker and collector. A lease is a short AWS session for one account and one service,
//! sealed to a one-time key of the request. The collector's side is a credentials provider for the AWS SDK.
//!
//! Reading order: [`session`] is the content, [`seal`] its encryption, [`requester`] requests it, [`leased`] renews it
//! while a collection runs.

pub mod leased;
pub mod requester;
pub mod seal;
pub mod session;

pub use leased::LeasedCredentials;
pub use requester::{Lease, LeaseError, LeaseRequester};
pub use seal::{OneTimeKey, OpenError, SealError};
pub use session::Session;
