//! Detects unresponsive AWS endpoints. Without this, a hung endpoint costs each call of each listing all its attempts.
//! After a few consecutive timeouts, the remaining calls of the work item fail at once.

use crate::progress;
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
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// An endpoint is given up after this many timed-out attempts and this much silence. Concurrent listings reach the
/// first pair after one attempt each (60 s by default); a single listing reaches the second after two. Including the
/// attempts still in flight, a hung endpoint costs less than three minutes. A network outage of some seconds does not
/// reach either pair.
const GIVEN_UP: [(u32, Duration); 2] = [(3, Duration::from_secs(45)), (2, Duration::from_secs(115))];

/// A call was not made because its endpoint is given up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host} has not answered for {silence:?}, and {timeouts} calls timed out: it is taken for unreachable")]
pub(crate) struct NotAnswering {
    host: String,
    silence: Duration,
    timeouts: u32,
}

/// State of the endpoints of one work item.
#[derive(Debug, Default)]
pub(crate) struct Endpoints(Mutex<HashMap<String, Endpoint>>);

#[derive(Debug, Clone, Copy)]
struct Endpoint {
    /// Start of the silence: the last answer, or the last attempt begun before any timeout.
    heard: Instant,
    /// Number of timed-out attempts since `heard`.
    timeouts: u32,
    given_up: Option<Duration>,
}

impl Endpoints {
    /// Checks that the endpoint is not given up.
    fn begin(&self, host: &str, now: Instant) -> Result<(), NotAnswering> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let endpoint = all.entry(host.to_owned()).or_insert(Endpoint { heard: now, timeouts: 0, given_up: None });
        if endpoint.timeouts == 0 {
            endpoint.heard = now;
        }
        match endpoint.given_up {
            None => Ok(()),
            Some(silence) => Err(NotAnswering { host: host.to_owned(), silence, timeouts: endpoint.timeouts }),
        }
    }

    fn answered(&self, host: &str, now: Instant) {
        if let Some(endpoint) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(host) {
            *endpoint = Endpoint { heard: now, timeouts: 0, ..*endpoint };
        }
    }

    fn timed_out(&self, host: &str, now: Instant) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(endpoint) = all.get_mut(host) else { return };
        endpoint.timeouts += 1;
        let silence = now.duration_since(endpoint.heard);
        if GIVEN_UP.iter().any(|(timeouts, least)| endpoint.timeouts >= *timeouts && silence >= *least) {
            endpoint.given_up.get_or_insert(Duration::from_secs(silence.as_secs()));
        }
    }
}

/// Time without a byte of an answer's body where the SDK has no read timeout.
const BODY: Duration = Duration::from_mins(1);
/// Largest body: pages of AWS have some megabytes at most.
const LARGEST: usize = 64 << 20;

/// HTTP client of one work item: records answers as progress, and rejects calls to endpoints that are given up.
pub(crate) fn http_client(inner: SharedHttpClient) -> SharedHttpClient {
    SharedHttpClient::new(Client { inner, endpoints: Arc::default() })
}

#[derive(Debug)]
struct Client {
    inner: SharedHttpClient,
    endpoints: Arc<Endpoints>,
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        let limit = settings.read_timeout().unwrap_or(BODY);
        SharedHttpConnector::new(WatchedConnector { inner, endpoints: self.endpoints.clone(), limit })
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
    endpoints: Arc<Endpoints>,
    /// Time without a byte of an answer's body.
    limit: Duration,
}

impl HttpConnector for WatchedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, endpoints, limit) = (self.inner.clone(), self.endpoints.clone(), self.limit);
        HttpConnectorFuture::new(async move {
            let host = host_of(request.uri()).to_owned();
            // Without an error kind, the SDK does not retry it.
            endpoints.begin(&host, Instant::now()).map_err(|error| ConnectorError::other(error.into(), None))?;
            // An endpoint that hangs after the head of its answer hangs all the same.
            let result = match inner.call(request).await {
                Ok(answer) => whole(answer, limit).await,
                Err(error) => Err(error),
            };
            match &result {
                Ok(_) => {
                    endpoints.answered(&host, Instant::now());
                    progress::note();
                }
                Err(error) if error.is_timeout() => endpoints.timed_out(&host, Instant::now()),
                Err(_) => {}
            }
            result
        })
    }
}

/// The answer with all of its body. No byte for `limit` is a timeout.
async fn whole(mut answer: HttpResponse, limit: Duration) -> Result<HttpResponse, ConnectorError> {
    let mut body = ByteStream::new(answer.take_body());
    let mut bytes = Vec::new();
    loop {
        let chunk = match tokio::time::timeout(limit, body.try_next()).await {
            Ok(chunk) => chunk.map_err(|error| ConnectorError::io(error.into()))?,
            Err(late) => return Err(ConnectorError::timeout(late.into())),
        };
        let Some(chunk) = chunk else { break };
        if bytes.len() + chunk.len() > LARGEST {
            return Err(ConnectorError::other(format!("an answer of more than {LARGEST} bytes").into(), None));
        }
        bytes.extend_from_slice(&chunk);
        progress::note();
    }
    *answer.body_mut() = SdkBody::from(bytes);
    Ok(answer)
}

/// Host of a URL, e.g. `ec2.eu-west-1.amazonaws.com`; the whole text if it has no scheme.
fn host_of(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    const HOST: &str = "ec2.eu-west-9.amazonaws.com";
    /// Seconds of one attempt, the default of `--aws-timeout`.
    const ATTEMPT: u64 = 60;

    /// Seconds of virtual time after which `at_once` listings, each repeating a hung call, give the endpoint up.
    fn given_up_after(at_once: u32) -> u64 {
        let (endpoints, start) = (Endpoints::default(), Instant::now());
        let at = |second: u64| start + Duration::from_secs(second);
        for second in (0..600).step_by(usize::try_from(ATTEMPT + 1).unwrap()) {
            for _ in 0..at_once {
                if endpoints.begin(HOST, at(second)).is_err() {
                    return second;
                }
            }
            (0..at_once).for_each(|_| endpoints.timed_out(HOST, at(second + ATTEMPT)));
        }
        u64::MAX
    }

    #[test]
    fn a_hung_endpoint_costs_less_than_three_minutes_however_many_listings_run_at_once() {
        let after: Vec<_> = [1, 2, 3, 4, 64].into_iter().map(given_up_after).collect();
        assert_eq!(after, [122, 122, 61, 61, 61]);
    }

    #[test]
    fn an_endpoint_that_answers_others_is_slow_and_not_given_up() {
        let (endpoints, start) = (Endpoints::default(), Instant::now());
        for minute in 0..20 {
            let now = start + Duration::from_mins(minute);
            assert_eq!(endpoints.begin(HOST, now), Ok(()));
            (0..2).for_each(|_| endpoints.timed_out(HOST, now + Duration::from_secs(50)));
            endpoints.answered(HOST, now + Duration::from_secs(55));
        }
    }

    #[test]
    fn a_network_that_is_away_for_some_seconds_makes_no_endpoint_hung() {
        let (endpoints, start) = (Endpoints::default(), Instant::now());
        assert_eq!(endpoints.begin(HOST, start), Ok(()));
        (0..20).for_each(|_| endpoints.timed_out(HOST, start + Duration::from_secs(20)));
        assert_eq!(endpoints.begin(HOST, start + Duration::from_secs(21)), Ok(()));
    }

    #[test]
    fn each_endpoint_stands_alone() {
        let (endpoints, start) = (Endpoints::default(), Instant::now());
        let late = start + Duration::from_mins(2);
        endpoints.begin(HOST, start).expect("new");
        (0..3).for_each(|_| endpoints.timed_out(HOST, late));
        assert!(endpoints.begin(HOST, late).is_err());
        assert_eq!(endpoints.begin("autoscaling.eu-west-9.amazonaws.com", late), Ok(()));
    }

    /// Never answers, and counts its calls.
    #[derive(Debug)]
    struct Hung(Arc<AtomicU32>);

    impl HttpConnector for Hung {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            self.0.fetch_add(1, SeqCst);
            HttpConnectorFuture::ready(Err(ConnectorError::timeout("no answer".into())))
        }
    }

    #[tokio::test]
    async fn a_call_to_an_endpoint_that_is_given_up_is_not_made_and_not_repeated() {
        let calls = Arc::new(AtomicU32::new(0));
        let endpoints = Arc::new(Endpoints::default());
        let connector = WatchedConnector {
            inner: SharedHttpConnector::new(Hung(calls.clone())),
            endpoints: endpoints.clone(),
            limit: BODY,
        };
        let call = || {
            let mut request = HttpRequest::empty();
            request.set_uri(format!("https://{HOST}/")).expect("a URL");
            connector.call(request)
        };
        assert!(call().await.expect_err("hung").is_timeout());
        endpoints.timed_out(HOST, Instant::now() + Duration::from_mins(2));
        let error = call().await.expect_err("given up");
        assert!(error.is_other() && calls.load(SeqCst) == 1, "{error:?}");
        let text = bus::chain(&error);
        assert!(text.contains("ec2.eu-west-9.amazonaws.com has not answered for"), "{text}");
    }
}
