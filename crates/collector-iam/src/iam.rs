//! SDK client of one work item, with data that its listings share.

use crate::principals::Principals;
use aws_sdk_iam::{Client, config::Builder};
use collector::{CollectError, Connection, await_sibling};
use tokio::sync::OnceCell;

/// IAM of one account.
pub struct Iam {
    /// Client of the SDK.
    pub(crate) sdk: Client,
    principals: OnceCell<Principals>,
}

impl Iam {
    /// Limit of concurrent calls about principals in a listing. The limiter enforces AWS's quotas.
    pub(crate) const AT_ONCE: usize = 16;

    /// Creates a client with the work item's session, region, endpoint, limits and retry quota.
    pub(crate) fn connect(connection: &Connection) -> Self {
        let Connection { sdk, retry_partition, .. } = connection;
        let config = Builder::from(sdk).retry_partition(retry_partition.clone()).build();
        Self { sdk: Client::from_conf(config), principals: OnceCell::new() }
    }

    /// Returns the account's users, groups and roles, listed once for all listings that need them. A failure is not
    /// cached, so each listing tries again.
    ///
    /// # Errors
    /// Fails if they cannot be listed.
    pub(crate) async fn principals(&self) -> Result<&Principals, CollectError> {
        await_sibling(self.principals.get_or_try_init(|| Principals::list(&self.sdk))).await
    }
}
