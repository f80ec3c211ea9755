//! The SDK client of one work item, with what its listings share.

use crate::principals::Principals;
use aws_sdk_iam::{Client, config::Builder};
use collector::{CollectError, Connection};
use tokio::sync::OnceCell;

/// IAM of one account.
pub struct Iam {
    /// The SDK's client.
    pub(crate) sdk: Client,
    principals: OnceCell<Principals>,
}

impl Iam {
    /// Principals that a listing asks about at the same time. What AWS allows is the limiter's to keep.
    pub(crate) const AT_ONCE: usize = 16;

    /// A client with the work item's session, region, endpoint, limits and retry quota.
    pub(crate) fn connect(connection: &Connection) -> Self {
        let Connection { sdk, retry_partition, .. } = connection;
        let config = Builder::from(sdk).retry_partition(retry_partition.clone()).build();
        Self { sdk: Client::from_conf(config), principals: OnceCell::new() }
    }

    /// Names of the account's users, groups and roles: listed once for all listings that need them. A failure is not
    /// kept, so that each listing fails for its own reason or not at all.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub(crate) async fn principals(&self) -> Result<&Principals, CollectError> {
        self.principals.get_or_try_init(|| Principals::list(&self.sdk)).await
    }
}
