//! The SDK clients of one work item.

use crate::noted::InUse;
use collector::Connection;
use std::sync::Arc;

/// Auto Scaling, in AWS's settings.
pub(crate) const AUTO_SCALING: &str = "auto_scaling";
/// Classic load balancers, in AWS's settings.
pub(crate) const ELASTIC_LOAD_BALANCING: &str = "elastic_load_balancing";
/// Application, network and gateway load balancers, in AWS's settings.
pub(crate) const ELASTIC_LOAD_BALANCING_V2: &str = "elastic_load_balancing_v2";

/// Clients of every API that belongs to EC2 in the graph, for one account and region.
#[derive(Debug, Clone)]
pub struct Clients {
    /// EC2.
    pub ec2: aws_sdk_ec2::Client,
    /// Auto scaling.
    pub(crate) autoscaling: aws_sdk_autoscaling::Client,
    /// Classic load balancers.
    pub(crate) classic_balancing: aws_sdk_elasticloadbalancing::Client,
    /// Application, network and gateway load balancers.
    pub(crate) balancing: aws_sdk_elasticloadbalancingv2::Client,
    /// Ids that listings of the work item share.
    pub(crate) in_use: Arc<InUse>,
}

impl Clients {
    /// Clients with the work item's session, region, endpoints, limits and retry quota.
    pub(crate) fn connect(connection: &Connection) -> Self {
        let quota = || connection.retry_partition.clone();
        let (scaling, classic, balancing) = (
            connection.sdk_of(AUTO_SCALING),
            connection.sdk_of(ELASTIC_LOAD_BALANCING),
            connection.sdk_of(ELASTIC_LOAD_BALANCING_V2),
        );
        let ec2 = aws_sdk_ec2::config::Builder::from(&connection.sdk).retry_partition(quota());
        let autoscaling = aws_sdk_autoscaling::config::Builder::from(&scaling).retry_partition(quota());
        let classic = aws_sdk_elasticloadbalancing::config::Builder::from(&classic).retry_partition(quota());
        let balancing = aws_sdk_elasticloadbalancingv2::config::Builder::from(&balancing).retry_partition(quota());
        Self {
            ec2: aws_sdk_ec2::Client::from_conf(ec2.build()),
            autoscaling: aws_sdk_autoscaling::Client::from_conf(autoscaling.build()),
            classic_balancing: aws_sdk_elasticloadbalancing::Client::from_conf(classic.build()),
            balancing: aws_sdk_elasticloadbalancingv2::Client::from_conf(balancing.build()),
            in_use: Arc::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AUTO_SCALING, Clients, ELASTIC_LOAD_BALANCING, ELASTIC_LOAD_BALANCING_V2};
    use collector::testing::Canned;

    #[tokio::test]
    async fn each_call_is_sent_to_the_endpoint_of_its_api() {
        let server = Canned::default();
        let mut connection = server.connection();
        connection.sdk = connection.sdk.to_builder().endpoint_url("http://ec2.test").build();
        let endpoints = [
            (AUTO_SCALING, "http://scaling.test"),
            (ELASTIC_LOAD_BALANCING, "http://classic.test"),
            (ELASTIC_LOAD_BALANCING_V2, "http://balancing.test"),
        ];
        connection.endpoints = endpoints.map(|(api, url)| (api.to_owned(), url.to_owned())).into();
        let clients = Clients::connect(&connection);
        clients.ec2.describe_vpcs().send().await.expect("answered");
        clients.autoscaling.describe_auto_scaling_groups().send().await.expect("answered");
        clients.classic_balancing.describe_load_balancers().send().await.expect("answered");
        clients.balancing.describe_target_groups().send().await.expect("answered");
        let called: Vec<_> = server.requests().iter().map(|it| it.uri.clone()).collect();
        assert_eq!(
            called,
            ["http://ec2.test/", "http://scaling.test/", "http://classic.test/", "http://balancing.test/"]
        );
    }
}
