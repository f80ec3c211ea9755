//! Clients of S3 in the account's home region and in the regions of its buckets.

use aws_sdk_s3::{Client, config::Builder};
use collector::{Connection, Noted};
use std::collections::BTreeMap;

/// Names of buckets by region.
pub(crate) type ByRegion = BTreeMap<String, Vec<String>>;

/// Settings for clients in any region, and the listed buckets.
pub struct Clients {
    connection: Connection,
    /// Noted by `ListBuckets` for the listing of their settings.
    pub(crate) buckets: Noted<ByRegion>,
}

impl Clients {
    /// Keeps the settings of a work item.
    pub(crate) fn new(connection: &Connection) -> Self {
        Self { connection: connection.clone(), buckets: Noted::default() }
    }

    /// Creates a client of the home region.
    pub(crate) fn home(&self) -> Client {
        client(&self.connection)
    }

    /// Creates a client of another region: S3 rejects calls about a bucket that are signed for a region other than the
    /// bucket's.
    pub(crate) fn of(&self, region: &str) -> Client {
        client(&self.connection.in_region(region))
    }
}

/// Puts the bucket into the path, which AWS supports in all regions ("Virtual hosting of general purpose buckets", Amazon
/// S3 User Guide). So all buckets of a region share connections, and a region that hangs is one endpoint. With the bucket in
/// the host name, each bucket would need its own connection and DNS lookup, and have its own evidence of hanging.
fn client(connection: &Connection) -> Client {
    let config = Builder::from(&connection.sdk).force_path_style(true);
    Client::from_conf(config.retry_partition(connection.retry_partition.clone()).build())
}

#[cfg(test)]
mod tests {
    use super::Clients;
    use collector::testing::Canned;

    #[tokio::test]
    async fn a_call_about_a_bucket_goes_to_its_region_and_names_it_in_the_path() {
        let server = Canned::default();
        let clients = Clients::new(&server.connection());
        for (client, bucket) in [(clients.home(), "logs"), (clients.of("eu-west-1"), "my.logs")] {
            client.get_bucket_acl().bucket(bucket).send().await.expect_err("an answer without a list");
        }
        let uris: Vec<_> = server.requests().into_iter().map(|request| request.uri).collect();
        assert_eq!(
            uris,
            ["https://s3.us-east-1.amazonaws.com/logs/?acl", "https://s3.eu-west-1.amazonaws.com/my.logs/?acl"]
        );
    }
}
