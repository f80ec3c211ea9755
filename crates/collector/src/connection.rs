//! What the SDK client of one work item is made from.

use aws_smithy_runtime::client::retries::RetryPartition;
use aws_types::SdkConfig;
use std::collections::HashMap;

/// Settings of one (account, region, service): session, region, endpoint, throttled HTTP client, retries.
#[derive(Debug, Clone)]
pub struct Connection {
    /// For `Config::from(&sdk)` of any service crate.
    pub sdk: SdkConfig,
    /// The retry quota's own partition: without it one throttled account spends the retries of all others, because the
    /// SDK shares its quota per service and region.
    pub retry_partition: RetryPartition,
    /// Endpoints of the collector's other APIs, by service id in AWS's settings; empty for AWS's own.
    pub endpoints: HashMap<String, String>,
}

impl Connection {
    /// The settings for another API of the collector, such as `auto_scaling`. One whose endpoint is not named has the
    /// service's.
    pub fn sdk_of(&self, api: &str) -> SdkConfig {
        let Some(url) = self.endpoints.get(api) else { return self.sdk.clone() };
        let mut builder = self.sdk.to_builder();
        builder.set_endpoint_url(Some(url.clone()).filter(|url| !url.is_empty()));
        builder.build()
    }
}
