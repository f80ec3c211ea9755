//! What the SDK client of one work item is made from.

use aws_smithy_runtime::client::retries::RetryPartition;
use aws_types::SdkConfig;

/// Settings of one (account, region, service): session, region, endpoint, throttled HTTP client, retries.
#[derive(Debug, Clone)]
pub struct Connection {
    /// For `Config::from(&sdk)` of any service crate.
    pub sdk: SdkConfig,
    /// The retry quota's own partition: without it one throttled account spends the retries of all others, because the
    /// SDK shares its quota per service and region.
    pub retry_partition: RetryPartition,
}
