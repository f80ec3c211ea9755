//! HTTP client of a work item. Records responses as progress, and rejects calls to endpoints that do not answer
//! ([`silence`](crate::silence)).

use crate::{
    Endpoints,
    ended::Signed,
    progress,
    silence::{Attempt, Begin, NotAnswering, TRIAL},
};
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
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream, config_bag::ConfigBag};
use credentials::LeasedCredentials;
use std::{sync::Arc, time::Duration};
use throttle::Scope;
use tokio::time::{Instant, timeout, timeout_at};

/// Limit of the time without a byte of a response body if the SDK has no read timeout.
const BODY: Duration = Duration::from_mins(1);
/// Largest body in bytes: pages of AWS have a few megabytes at most.
const LARGEST: usize = 64 << 20;

/// Evidence about endpoints, as used by a work item.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    /// Region of requests without a signature.
    region: String,
    /// Evidence of this item only: an endpoint may answer other accounts but not this one.
    item: Arc<Endpoints>,
    /// Evidence of all items of the worker.
    worker: Arc<Endpoints>,
    /// Session of the item; `None` for credentials that are not renewed.
    lease: Option<LeasedCredentials>,
}

impl Watch {
    /// Creates the watch of a new work item in this region.
    pub(crate) fn new(worker: Arc<Endpoints>, region: &str) -> Self {
        Self { region: region.to_owned(), item: Arc::new(worker.of_item()), worker, lease: None }
    }

    /// Adds the lease that signs the calls.
    pub(crate) fn with_lease(self, lease: Option<LeasedCredentials>) -> Self {
        Self { lease, ..self }
    }

    /// Waits for permission to call this endpoint. Returns immediately, or after the trial of another call.
    async fn admit(&self, endpoint: &Endpoint) -> Result<Attempt, NotAnswering> {
        loop {
            let mut settled = std::pin::pin!(self.worker.settled());
            // Registered first, so that no result is missed between the check and the wait.
            settled.as_mut().enable();
            match self.begin(endpoint, Instant::now()) {
                Begin::Go(attempt) => return Ok(attempt),
                Begin::GivenUp(error) => return Err(error),
                // A trial whose call was dropped ends at that time.
                Begin::Wait(until) => {
                    timeout_at(until, settled).await.ok();
                }
            }
        }
    }

    fn begin(&self, Endpoint { region, host }: &Endpoint, now: Instant) -> Begin {
        match self.item.begin(region, host, now) {
            Begin::Go(_) => self.worker.begin(region, host, now),
            given_up => given_up,
        }
    }

    fn settle(
        &self,
        Endpoint { region, host }: &Endpoint,
        attempt: Attempt,
        result: &Result<HttpResponse, ConnectorError>,
    ) {
        let now = Instant::now();
        for endpoints in [&self.item, &self.worker] {
            match result {
                Ok(_) => endpoints.answered(region, host, now),
                Err(error) if error.is_timeout() => endpoints.timed_out(region, host, attempt, now),
                Err(_) => endpoints.failed(region, host, attempt, now),
            }
        }
    }
}

/// Endpoint of a request. Behind a custom endpoint all regions share a host, and only one of them may hang.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Endpoint {
    /// Region that the request is signed for: an item of a global service may call other regions than its own.
    region: String,
    host: String,
}

impl Endpoint {
    fn of(request: &HttpRequest, unsigned: &str) -> Self {
        let region = Scope::of(request).and_then(|scope| scope.region).unwrap_or(unsigned);
        Self { region: region.to_owned(), host: host_of(request.uri()).to_owned() }
    }
}

/// Creates the HTTP client of a work item.
pub(crate) fn http_client(inner: SharedHttpClient, watch: Watch) -> SharedHttpClient {
    SharedHttpClient::new(Client { inner, watch })
}

#[derive(Debug)]
struct Client {
    inner: SharedHttpClient,
    watch: Watch,
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        let limit = settings.read_timeout().unwrap_or(BODY);
        SharedHttpConnector::new(WatchedConnector { inner, watch: self.watch.clone(), limit })
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
struct WatchedConnector {
    inner: SharedHttpConnector,
    watch: Watch,
    /// Limit of the time without a byte of a response body.
    limit: Duration,
}

impl HttpConnector for WatchedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, watch, limit) = (self.inner.clone(), self.watch.clone(), self.limit);
        HttpConnectorFuture::new(async move {
            let endpoint = Endpoint::of(&request, &watch.region);
            let signed = watch.lease.as_ref().map(|lease| (lease, Signed::of(&request)));
            // Without an error kind, the SDK does not retry it.
            let attempt = watch.admit(&endpoint).await.map_err(|error| ConnectorError::other(error.into(), None))?;
            let answer = answer(&inner, request, limit);
            let result = match attempt {
                Attempt::Usual => answer.await,
                Attempt::Trial => timeout(TRIAL, answer).await.unwrap_or_else(|late| Err(timed_out(late))),
            };
            watch.settle(&endpoint, attempt, &result);
            if result.is_ok() {
                progress::note();
            }
            match signed {
                Some((lease, signed)) => signed.check(lease, result?),
                None => result,
            }
        })
    }
}

/// An endpoint that hangs after the response head counts as hung too.
async fn answer(
    inner: &SharedHttpConnector,
    request: HttpRequest,
    limit: Duration,
) -> Result<HttpResponse, ConnectorError> {
    whole(inner.call(request).await?, limit).await
}

fn timed_out(late: tokio::time::error::Elapsed) -> ConnectorError {
    ConnectorError::timeout(late.into())
}

/// Reads the whole body. Fails with a timeout if no byte arrives for `limit`.
async fn whole(mut answer: HttpResponse, limit: Duration) -> Result<HttpResponse, ConnectorError> {
    let mut body = ByteStream::new(answer.take_body());
    let mut bytes = Vec::new();
    loop {
        let chunk = match timeout(limit, body.try_next()).await {
            Ok(chunk) => chunk.map_err(|error| ConnectorError::io(error.into()))?,
            Err(late) => return Err(timed_out(late)),
        };
        let Some(chunk) = chunk else { break };
        if bytes.len() + chunk.len() > LARGEST {
            return Err(ConnectorError::other(format!("the response has more than {LARGEST} bytes").into(), None));
        }
        bytes.extend_from_slice(&chunk);
        progress::note();
    }
    *answer.body_mut() = SdkBody::from(bytes);
    Ok(answer)
}

/// Host of a URL, e.g. `ec2.eu-west-1.amazonaws.com`; the whole text if it has no scheme. Without the account, which S3
/// Control has before it: an endpoint that hangs does so for all accounts.
fn host_of(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let host = rest.split(['/', '?']).next().unwrap_or(rest);
    let is_account = |label: &str| label.len() == 12 && label.bytes().all(|byte| byte.is_ascii_digit());
    host.split_once('.').filter(|(label, _)| is_account(label)).map_or(host, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::http::StatusCode;
    use futures::{StreamExt, stream};
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    const REGION: &str = "eu-west-9";
    const HOST: &str = "ec2.eu-west-9.amazonaws.com";
    /// Default number of attempts per call.
    const ATTEMPTS: usize = 5;

    /// Times out each call, and counts calls.
    #[derive(Debug)]
    struct Hung(Arc<AtomicU32>);

    impl HttpConnector for Hung {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            self.0.fetch_add(1, SeqCst);
            HttpConnectorFuture::ready(Err(ConnectorError::timeout("no answer".into())))
        }
    }

    /// Leaves calls before a given time unanswered.
    #[derive(Debug)]
    struct HungUntil(Instant);

    impl HttpConnector for HungUntil {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            let answers = Instant::now() >= self.0;
            HttpConnectorFuture::new(async move {
                if !answers {
                    tokio::time::sleep(Duration::from_mins(1)).await;
                    return Err(ConnectorError::timeout("no answer".into()));
                }
                Ok(HttpResponse::new(StatusCode::try_from(200).expect("a status"), SdkBody::empty()))
            })
        }
    }

    fn endpoints() -> Arc<Endpoints> {
        Arc::new(Endpoints::new(crate::Options::default().silence))
    }

    fn connector(inner: impl HttpConnector + 'static, worker: &Arc<Endpoints>) -> WatchedConnector {
        let (inner, watch) = (SharedHttpConnector::new(inner), Watch::new(worker.clone(), REGION));
        WatchedConnector { inner, watch, limit: BODY }
    }

    fn call(connector: &WatchedConnector) -> HttpConnectorFuture {
        let mut request = HttpRequest::empty();
        request.set_uri(format!("https://{HOST}/")).expect("a URL");
        connector.call(request)
    }

    /// Whether one of the SDK's attempts succeeds.
    async fn succeeds(connector: &WatchedConnector) -> bool {
        for _ in 0..ATTEMPTS {
            match call(connector).await {
                Ok(_) => return true,
                Err(error) if error.is_timeout() => {}
                Err(_) => return false,
            }
        }
        false
    }

    #[tokio::test(start_paused = true)]
    async fn an_endpoint_that_hangs_for_a_minute_and_a_half_fails_only_the_items_in_hand() {
        let options = crate::Options::default();
        let (worker, until) = (endpoints(), Instant::now() + Duration::from_secs(90));
        let items = (0..100).map(async |_| {
            let connector = connector(HungUntil(until), &worker);
            let listings = (0..24).map(|_| succeeds(&connector));
            stream::iter(listings).buffer_unordered(options.concurrency).all(async |succeeds| succeeds).await
        });
        let succeed: Vec<bool> = stream::iter(items).buffer_unordered(options.items).collect().await;
        let failed = succeed.iter().filter(|succeeds| !*succeeds).count();
        assert!(failed < 10, "{failed} of {}", succeed.len());
    }

    #[test]
    fn all_accounts_have_the_same_endpoints() {
        for uri in [
            "https://111111111111.s3-control.eu-west-1.amazonaws.com/v20180820",
            "https://s3-control.eu-west-1.amazonaws.com",
        ] {
            assert_eq!(host_of(uri), "s3-control.eu-west-1.amazonaws.com");
        }
        assert_eq!(host_of("http://127.0.0.1:5000/"), "127.0.0.1:5000");
    }

    #[test]
    fn a_call_counts_for_the_region_that_it_is_signed_for() {
        let endpoint = |authorization: &'static str| {
            let mut request = HttpRequest::empty();
            request.set_uri("http://127.0.0.1:5000/logs?acl").expect("a URL");
            request.headers_mut().insert("authorization", authorization);
            let Endpoint { region, host } = Endpoint::of(&request, REGION);
            (region, host)
        };
        let host = "127.0.0.1:5000".to_owned();
        let signed = "AWS4-HMAC-SHA256 Credential=AKID/20240501/ap-south-2/s3/aws4_request, Signature=0";
        assert_eq!(endpoint(signed), ("ap-south-2".to_owned(), host.clone()));
        assert_eq!(endpoint("Bearer abc"), (REGION.to_owned(), host));
    }

    #[tokio::test]
    async fn a_call_to_an_endpoint_that_is_given_up_is_not_made_and_not_repeated() {
        let calls = Arc::new(AtomicU32::new(0));
        let connector = connector(Hung(calls.clone()), &endpoints());
        assert!(call(&connector).await.expect_err("hung").is_timeout());
        let later = Instant::now() + Duration::from_mins(2);
        connector.watch.item.timed_out(REGION, HOST, Attempt::Usual, later);
        let error = call(&connector).await.expect_err("given up");
        assert!(error.is_other() && calls.load(SeqCst) == 1, "{error:?}");
        let text = errors::chain(&error);
        assert!(text.contains("ec2.eu-west-9.amazonaws.com has not answered for"), "{text}");
    }
}
