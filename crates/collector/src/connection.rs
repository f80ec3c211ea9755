//! Settings for the SDK clients of a work item.

use aws_smithy_runtime::client::retries::RetryPartition;
use aws_types::{SdkConfig, region::Region};
use std::collections::HashMap;

/// Settings for one account, region and service: session, endpoint, throttled HTTP client, retries.
#[derive(Debug, Clone)]
pub struct Connection {
    /// For `Config::from(&sdk)` of any service crate.
    pub sdk: SdkConfig,
    /// Own partition of the retry quota. The SDK shares its quota per service and region, so without it one throttled
    /// account would use up the retries of all others.
    pub retry_partition: RetryPartition,
    /// Endpoints of the collector's other APIs, by service id in AWS's settings; empty for AWS's own.
    pub endpoints: HashMap<String, String>,
}

impl Connection {
    /// Settings for clients of another region, with their own retry quota. Limits and evidence about endpoints are by
    /// region anyway, because they go by the region that a request is signed for.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        let sdk = self.sdk.to_builder().region(Region::new(region.to_owned())).build();
        let retry_partition = RetryPartition::custom(region.to_owned()).build();
        Self { sdk, retry_partition, endpoints: self.endpoints.clone() }
    }

    /// Settings for another API of the collector, such as `auto_scaling`. An API without its own endpoint uses the
    /// service's.
    pub fn sdk_of(&self, api: &str) -> SdkConfig {
        let Some(url) = self.endpoints.get(api) else { return self.sdk.clone() };
        let mut builder = self.sdk.to_builder();
        builder.set_endpoint_url(Some(url.clone()).filter(|url| !url.is_empty()));
        builder.build()
    }
}
