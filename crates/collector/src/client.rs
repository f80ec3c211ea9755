//! SDK clients of a work item, built from the broker's settings and the operator's options. Reads no AWS configuration:
//! only the broker does.

use crate::{Connection, Endpoints, Options, Place, endpoint};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime::client::{identity::IdentityCache, retries::RetryPartition};
use aws_smithy_runtime_api::client::{
    behavior_version::BehaviorVersion, http::SharedHttpClient, stalled_stream_protection::StalledStreamProtectionConfig,
};
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::{SdkConfig, app_name::AppName, region::Region, sdk_config::Builder};
use credentials::LeasedCredentials;
use events::ClientSettings;
use std::{sync::Arc, time::Duration};
use throttle::Limiter;

/// Default of the AWS SDKs.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3_100);
/// Default number of attempts per call. The SDK's default of 3 is for callers that can try again later; a listing that
/// gives up on its last page has to start again.
const ATTEMPTS: u32 = 5;

/// Credentials of a work item.
#[derive(Debug)]
pub struct Session {
    credentials: SharedCredentialsProvider,
    /// Renewed if AWS rejects the session as expired.
    lease: Option<LeasedCredentials>,
}

impl From<LeasedCredentials> for Session {
    fn from(lease: LeasedCredentials) -> Self {
        Self { credentials: SharedCredentialsProvider::new(lease.clone()), lease: Some(lease) }
    }
}

impl From<SharedCredentialsProvider> for Session {
    fn from(credentials: SharedCredentialsProvider) -> Self {
        Self { credentials, lease: None }
    }
}

/// Connection of one work item. All items of a worker share the HTTP client, the limiter and the endpoints.
pub fn connection(
    http: SharedHttpClient,
    limiter: Arc<Limiter>,
    endpoints: Arc<Endpoints>,
    credentials: impl Into<Session>,
    settings: &ClientSettings,
    options: &Options,
    place: &Place,
) -> Connection {
    let Session { credentials, lease } = credentials.into();
    let watch = endpoint::Watch::new(endpoints, place.client_region()).with_lease(lease);
    let builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(place.client_region().to_owned()))
        .credentials_provider(credentials)
        // A lease is its own cache. The SDK's gives a provider five seconds, and the broker may wait longer for STS.
        .identity_cache(IdentityCache::no_cache())
        .retry_config(aws_client::retries(settings, ATTEMPTS))
        .timeout_config(timeouts(options))
        // Requests are small and wait for the limiter before they are sent, which looks like a stalled upload.
        .stalled_stream_protection(StalledStreamProtectionConfig::enabled().upload_enabled(false).build())
        .sleep_impl(TokioSleep::new())
        .http_client(throttle::http_client(endpoint::http_client(http, watch), limiter));
    let retry_partition = RetryPartition::custom(format!("{}/{}", place.account_id, place.region)).build();
    let endpoints = settings.endpoints.iter().map(|it| (it.api.clone(), it.url.clone())).collect();
    Connection { sdk: with_endpoint(with_app_name(builder), settings).build(), retry_partition, endpoints }
}

/// No attempt timeout: it would include the wait for the limiter. The read timeout limits an attempt from sending to
/// the response head, and [`endpoint`] limits the time between two chunks of the body.
fn timeouts(options: &Options) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(options.aws_timeout).build()
}

fn with_app_name(builder: Builder) -> Builder {
    match AppName::new("groma") {
        Ok(name) => builder.app_name(name),
        Err(_) => builder,
    }
}

fn with_endpoint(mut builder: Builder, settings: &ClientSettings) -> Builder {
    if !settings.endpoint_url.is_empty() {
        builder = builder.endpoint_url(&settings.endpoint_url);
    }
    if settings.use_fips {
        builder = builder.use_fips(true);
    }
    if settings.use_dual_stack {
        builder = builder.use_dual_stack(true);
    }
    builder
}

#[cfg(test)]
mod tests;
