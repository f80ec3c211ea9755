//! Client of a work item.

use aws_sdk_lambda::{Client, config::Builder};
use collector::{Connection, Noted};

/// A function with the type of its package.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    /// ARN of the function.
    pub(crate) function: String,
    /// Whether the function is from an image.
    pub(crate) is_image: bool,
}

/// The SDK's client, and what one listing notes for another.
pub struct Lambda {
    pub(crate) sdk: Client,
    /// Noted by `ListFunctions` for the listing of images.
    pub(crate) packages: Noted<Vec<Package>>,
}

impl Lambda {
    /// Creates the client of a work item.
    pub(crate) fn connect(connection: &Connection) -> Self {
        let config = Builder::from(&connection.sdk).retry_partition(connection.retry_partition.clone());
        Self { sdk: Client::from_conf(config.build()), packages: Noted::default() }
    }
}
