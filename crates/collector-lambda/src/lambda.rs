//! Client of a work item.

use aws_sdk_lambda::{Client, config::Builder};
use collector::{Connection, Noted};

/// The SDK's client, and what one listing notes for another.
pub struct Lambda {
    pub(crate) sdk: Client,
    /// ARNs of the functions from images, noted by `ListFunctions`.
    pub(crate) of_images: Noted<Vec<String>>,
}

impl Lambda {
    /// Creates the client of a work item.
    pub(crate) fn connect(connection: &Connection) -> Self {
        let config = Builder::from(&connection.sdk).retry_partition(connection.retry_partition.clone());
        Self { sdk: Client::from_conf(config.build()), of_images: Noted::default() }
    }
}
