//! Clients of STS and Organizations, the two services that the broker itself calls.

use crate::{refusal::Refusal, settings::Settings};
use aws_client::{HttpClients, Proxy};
use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::{behavior_version::BehaviorVersion, http::SharedHttpClient};
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::{SdkConfig, region::Region};
use governor::{DefaultDirectRateLimiter, Quota};
use std::{num::NonZeroU32, time::Duration};

/// Limit of STS calls per second. AWS allows 600 for each account and region (IAM user guide, "IAM and STS quotas"),
/// shared with other callers.
const STS_CALLS: NonZeroU32 = NonZeroU32::new(100).expect("not 0");
/// Default number of attempts per call, that of the AWS SDKs.
const ATTEMPTS: u32 = 3;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// Ends before a collector stops waiting for its lease.
const CALL_TIMEOUT: Duration = Duration::from_secs(25);

/// Connections, and the rate limit of all STS calls.
#[derive(Debug)]
pub struct Clients {
    /// HTTP clients, shared so that connections are reused.
    http: HttpClients,
    /// HTTP clients without a proxy.
    direct: HttpClients,
    sts_limit: DefaultDirectRateLimiter,
}

impl Default for Clients {
    fn default() -> Self {
        let (http, direct) = (HttpClients::new(Proxy::OfEnvironment), HttpClients::new(Proxy::None));
        Self { http, direct, sts_limit: DefaultDirectRateLimiter::direct(Quota::per_second(STS_CALLS)) }
    }
}

impl Clients {
    /// Returns the HTTP client that trusts these authorities; the system's if empty. Uses the proxy of the environment.
    pub fn http(&self, authorities: &[Vec<u8>]) -> SharedHttpClient {
        self.http.of(authorities)
    }

    /// Same as [`Self::http`] without a proxy, for metadata endpoints: a proxy would see the container's token in clear
    /// text.
    pub fn direct(&self, authorities: &[Vec<u8>]) -> SharedHttpClient {
        self.direct.of(authorities)
    }

    /// Waits for the rate limit and returns an STS client for one call. Calls that take a token need no credentials.
    ///
    /// # Errors
    /// Fails if a setting cannot be used.
    pub async fn sts(
        &self,
        settings: Settings<'_>,
        region: &str,
        credentials: Option<Credentials>,
    ) -> Result<aws_sdk_sts::Client, Refusal> {
        let config = self.config("sts", settings, region, credentials)?;
        self.sts_limit.until_ready().await;
        Ok(aws_sdk_sts::Client::new(&config))
    }

    /// Returns a client of Organizations.
    ///
    /// # Errors
    /// Fails if a setting cannot be used.
    pub fn organizations(
        &self,
        settings: Settings<'_>,
        region: &str,
        credentials: Credentials,
    ) -> Result<aws_sdk_organizations::Client, Refusal> {
        Ok(aws_sdk_organizations::Client::new(&self.config("organizations", settings, region, Some(credentials))?))
    }

    fn config(
        &self,
        service: &'static str,
        settings: Settings<'_>,
        region: &str,
        credentials: Option<Credentials>,
    ) -> Result<SdkConfig, Refusal> {
        let clients = settings.of_clients(service).map_err(|error| Refusal::configuration(&error))?;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(CALL_TIMEOUT)
            .build();
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .http_client(throttle::counted(self.http.of(&clients.authorities), service))
            .retry_config(aws_client::retries(&clients, ATTEMPTS))
            .timeout_config(timeouts)
            .use_fips(clients.use_fips)
            .use_dual_stack(clients.use_dual_stack);
        config.set_endpoint_url(Some(clients.endpoint_url).filter(|url| !url.is_empty()));
        config
            .set_credentials_provider(credentials.map(aws_credential_types::provider::SharedCredentialsProvider::new));
        config.set_sleep_impl(aws_smithy_async::rt::sleep::default_async_sleep());
        Ok(config.build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{environment::Environment, profiles::Profiles};

    async fn region_of_sts(regional: &str, region: &str, endpoint: &str) -> String {
        let env: Environment =
            [("AWS_STS_REGIONAL_ENDPOINTS", regional), ("AWS_ENDPOINT_URL", endpoint)].into_iter().collect();
        let profiles = Profiles::default();
        let client = Clients::default().sts(Settings::new(&env, &profiles, None), region, None).await;
        client.expect("the settings hold").config().region().map(ToString::to_string).unwrap_or_default()
    }

    #[tokio::test]
    async fn sts_is_asked_in_the_region_whatever_legacy_says() {
        for (regional, region, endpoint) in [
            ("", "eu-west-1", ""),
            ("regional", "eu-west-1", ""),
            ("legacy", "eu-west-1", ""),
            ("legacy", "eu-south-1", ""),
            ("legacy", "eu-west-1", "http://here"),
        ] {
            assert_eq!(region_of_sts(regional, region, endpoint).await, region, "{regional}");
        }
    }
}
