//! Wraps the SDK's HTTP client, because every attempt passes through it. The SDK's hooks cannot wait, and its retries
//! bypass them.

use crate::{Limiter, counted, request};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        connector_metadata::ConnectorMetadata,
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::{RuntimeComponents, RuntimeComponentsBuilder},
    },
};
use aws_smithy_types::config_bag::ConfigBag;
use observe::metrics;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Longest wait. A request is signed before it waits here, and AWS accepts a signature for five minutes. After this time
/// the SDK gets a timeout, and signs and sends the request again.
const LONGEST_WAIT: Duration = Duration::from_mins(4);

/// Returns the HTTP client with every attempt delayed until the limiter allows it.
///
/// The wait is inside the connector, so an SDK *attempt* timeout would include it. Limit calls with connect and read
/// timeouts instead, which the inner client measures after the wait.
pub fn http_client(inner: SharedHttpClient, limiter: Arc<Limiter>) -> SharedHttpClient {
    SharedHttpClient::new(ThrottledClient { inner, limiter })
}

#[derive(Debug)]
struct ThrottledClient {
    inner: SharedHttpClient,
    limiter: Arc<Limiter>,
}

impl HttpClient for ThrottledClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(ThrottledConnector { inner, limiter: self.limiter.clone() })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.inner.validate_base_client_config(components, config)
    }

    fn validate_final_config(&self, components: &RuntimeComponents, config: &ConfigBag) -> Result<(), BoxError> {
        self.inner.validate_final_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

#[derive(Debug)]
struct ThrottledConnector {
    inner: SharedHttpConnector,
    limiter: Arc<Limiter>,
}

impl HttpConnector for ThrottledConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, limiter) = (self.inner.clone(), self.limiter.clone());
        HttpConnectorFuture::new(attempt(inner, limiter, request))
    }
}

async fn attempt(
    inner: SharedHttpConnector,
    limiter: Arc<Limiter>,
    request: HttpRequest,
) -> Result<HttpResponse, ConnectorError> {
    let api = request::api(&request, limiter.service());
    let began = Instant::now();
    let wait = tokio::time::timeout(LONGEST_WAIT, limiter.wait(&api)).await;
    metrics().aws.waited(&api.service, &api.name, began.elapsed());
    wait.map_err(|late| ConnectorError::timeout(late.into()))?;
    let (response, is_throttle) = counted::send(&inner, request, &api).await?;
    if is_throttle {
        limiter.slow_down(&api);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Api, quota::tests::QUOTAS};
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use std::{
        sync::atomic::{AtomicU32, Ordering::SeqCst},
        time::Instant,
    };

    /// Answers the first `throttled` calls with 503, then with 200, and counts.
    #[derive(Debug)]
    struct Aws {
        throttled: u32,
        calls: Arc<AtomicU32>,
    }

    impl HttpConnector for Aws {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            let status = if self.calls.fetch_add(1, SeqCst) < self.throttled { 503 } else { 200 };
            let status = StatusCode::try_from(status).expect("a status");
            HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::empty())))
        }
    }

    fn throttled(throttled: u32) -> (ThrottledConnector, Arc<AtomicU32>, Arc<Limiter>) {
        let (calls, limiter) = (Arc::new(AtomicU32::new(0)), Arc::new(Limiter::new("ec2", QUOTAS)));
        let inner = SharedHttpConnector::new(Aws { throttled, calls: calls.clone() });
        (ThrottledConnector { inner, limiter: limiter.clone() }, calls, limiter)
    }

    fn request(action: &str) -> HttpRequest {
        HttpRequest::new(SdkBody::from(format!("Action={action}&MaxResults=5")))
    }

    #[tokio::test]
    async fn every_attempt_takes_a_token() {
        let (connector, calls, _) = throttled(0);
        let start = Instant::now();
        for _ in 0..104 {
            connector.call(request("DescribeVpcs")).await.expect("an answer");
        }
        assert_eq!(calls.load(SeqCst), 104);
        assert!(start.elapsed() >= Duration::from_millis(190), "95 at once, then one each 50 ms");
    }

    #[tokio::test]
    async fn the_bucket_is_that_of_the_service_that_is_signed_for() {
        let (connector, _, limiter) = throttled(1);
        let mut request = request("DescribeLoadBalancers");
        let scope =
            "AWS4-HMAC-SHA256 Credential=AKID/20240501/us-east-1/elasticloadbalancing/aws4_request, Signature=0";
        request.headers_mut().insert("authorization", scope);
        connector.call(request).await.expect("an answer");
        let api = |service: &str| Api {
            service: service.into(),
            region: "us-east-1".into(),
            name: "DescribeLoadBalancers".into(),
            ..Api::default()
        };
        assert!(limiter.rate(&api("elasticloadbalancing")) < 6.0, "slowed down");
        assert!((limiter.rate(&api("ec2")) - 20.0).abs() < f64::EPSILON, "never called");
    }

    #[tokio::test]
    async fn a_throttle_answer_slows_that_api_alone() {
        let (connector, _, limiter) = throttled(1);
        let api = |name: &str| Api { service: "ec2".into(), name: name.into(), ..Api::default() };
        let answer = connector.call(request("DescribeVpcs")).await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 503, "the SDK sees the answer as it is");
        assert!(limiter.rate(&api("DescribeVpcs")) < 11.0);
        assert!(limiter.rate(&api("DescribeSubnets")) > 19.0);
        let start = Instant::now();
        connector.call(request("DescribeVpcs")).await.expect("an answer");
        assert!(start.elapsed() >= Duration::from_millis(80), "its bucket was emptied");
    }
}
