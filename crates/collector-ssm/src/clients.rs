//! The SDK clients of one work item.

use collector::Connection;

/// KMS, in AWS's settings.
pub(crate) const KMS: &str = "kms";

/// Clients of SSM, and of KMS for the aliases of keys.
#[derive(Debug, Clone)]
pub struct Clients {
    /// SSM.
    pub(crate) ssm: aws_sdk_ssm::Client,
    /// KMS.
    pub(crate) kms: aws_sdk_kms::Client,
}

impl Clients {
    /// Creates clients with the work item's session, region, endpoints, limits and retry quota.
    pub(crate) fn connect(connection: &Connection) -> Self {
        let quota = || connection.retry_partition.clone();
        let ssm = aws_sdk_ssm::config::Builder::from(&connection.sdk).retry_partition(quota());
        let kms = aws_sdk_kms::config::Builder::from(&connection.sdk_of(KMS)).retry_partition(quota());
        Self { ssm: aws_sdk_ssm::Client::from_conf(ssm.build()), kms: aws_sdk_kms::Client::from_conf(kms.build()) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Clients, KMS};
    use collector::testing::Canned;

    #[tokio::test]
    async fn each_call_is_sent_to_the_endpoint_of_its_api() {
        let server = Canned::default();
        let mut connection = server.connection();
        connection.sdk = connection.sdk.to_builder().endpoint_url("http://ssm.test").build();
        connection.endpoints = [(KMS.to_owned(), "http://kms.test".to_owned())].into();
        let clients = Clients::connect(&connection);
        clients.ssm.describe_parameters().send().await.expect("answered");
        clients.kms.list_aliases().send().await.expect("answered");
        let called: Vec<_> = server.requests().iter().map(|it| it.uri.clone()).collect();
        assert_eq!(called, ["http://ssm.test/", "http://kms.test/"]);
    }
}
