//! Failures of consumers and their deliveries.

use crate::PublishError;

/// A consumer could not be created or read.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// The stream or the consumer cannot be used.
    #[error("cannot consume {durable} of stream {stream}")]
    Consumer {
        /// Stream name.
        stream: &'static str,
        /// Durable name.
        durable: String,
        /// Cause.
        source: async_nats::Error,
    },
    /// This user may not create a consumer that is missing (closed bus).
    #[error(
        "consumer {durable} of stream {stream} is missing or not accessible, and this NATS user may not create \
             it: the scheduler creates it when it starts"
    )]
    Missing {
        /// Stream name.
        stream: &'static str,
        /// Durable name.
        durable: String,
    },
    /// Parking failed.
    #[error("cannot park a message")]
    Park(#[source] PublishError),
}
