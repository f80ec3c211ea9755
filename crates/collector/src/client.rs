//! How a work item reaches AWS: what the broker's settings and the operator's options make of an SDK client. Nothing here
//! reads AWS configuration; that is the broker's.

use crate::{Connection, Endpoints, Options, Place, endpoint};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::{
    Connector,
    proxy::ProxyConfig,
    tls::{Provider, TlsContext, rustls_provider::CryptoMode},
};
use aws_smithy_runtime::client::{identity::IdentityCache, retries::RetryPartition};
use aws_smithy_runtime_api::client::{
    behavior_version::BehaviorVersion,
    http::{SharedHttpClient, SharedHttpConnector, http_client_fn},
    stalled_stream_protection::StalledStreamProtectionConfig,
};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, app_name::AppName, region::Region, sdk_config::Builder};
use credentials::LeasedCredentials;
use events::{ClientSettings, RetryMode};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use throttle::Limiter;

/// As the AWS SDKs have it.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3_100);
/// Attempts for each call where the AWS configuration says nothing. The SDK's own 3 are for a caller that can come back;
/// a listing that gives up on its last page has to begin again.
const ATTEMPTS: u32 = 5;

/// One HTTP client with one pool of connections, for HTTPS and plain HTTP, kept alive for all work items of a process whose
/// settings name the same authorities. It uses the proxy that `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` name, as the AWS CLI does.
pub fn http_client(trust: TlsContext) -> SharedHttpClient {
    // The timeouts are the same for all clients of a process, so that the first one's connector serves them all.
    let connector: OnceLock<SharedHttpConnector> = OnceLock::new();
    http_client_fn(move |settings, _| {
        let build = || {
            let builder = Connector::builder()
                .connector_settings(settings.clone())
                .sleep_impl(TokioSleep::new())
                .proxy_config(ProxyConfig::from_env())
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .tls_context(trust.clone());
            SharedHttpConnector::new(builder.build())
        };
        connector.get_or_init(build).clone()
    })
}

/// Credentials of a work item.
#[derive(Debug)]
pub struct Session {
    credentials: SharedCredentialsProvider,
    /// Replaced when AWS says that it has ended.
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

/// The connection of one work item, with the HTTP client, the limiter and the endpoints that all items of its worker share.
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
        // A lease is its own cache; the SDK's gives a provider five seconds, and the broker may wait longer for STS.
        .identity_cache(IdentityCache::no_cache())
        .retry_config(retries(settings))
        .timeout_config(timeouts(options))
        // Requests are small and wait for the limiter unsent, which looks like a stalled upload.
        .stalled_stream_protection(StalledStreamProtectionConfig::enabled().upload_enabled(false).build())
        .sleep_impl(TokioSleep::new())
        .http_client(throttle::http_client(endpoint::http_client(http, watch), limiter));
    let retry_partition = RetryPartition::custom(format!("{}/{}", place.account_id, place.region)).build();
    let endpoints = settings.endpoints.iter().map(|it| (it.api.clone(), it.url.clone())).collect();
    Connection { sdk: with_endpoint(with_app_name(builder), settings).build(), retry_partition, endpoints }
}

fn retries(settings: &ClientSettings) -> RetryConfig {
    let config = match settings.retry_mode() {
        RetryMode::Adaptive => RetryConfig::adaptive(),
        RetryMode::Standard | RetryMode::Unspecified => RetryConfig::standard(),
    };
    config.with_max_attempts(if settings.max_attempts == 0 { ATTEMPTS } else { settings.max_attempts })
}

/// No attempt timeout: it would count the wait for the limiter. The read timeout bounds an attempt from when it is sent to
/// the head of the answer, and [`endpoint`] the time between two parts of its body.
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
