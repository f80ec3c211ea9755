//! A real SDK client over this connection, against a small HTTP server.

use super::*;
use crate::{Bucket, CollectError, Quota, testing::place};
use aws_client::{HttpClients, Proxy};
use aws_credential_types::{Credentials, provider::error::CredentialsError};
use aws_sdk_sts::Client;
use events::FailureClass;
use std::{
    io,
    pin::Pin,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Instant,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const IDENTITY: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <GetCallerIdentityResult><Account>111111111111</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
const THROTTLED: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message>\
    </Error></ErrorResponse>";

const EXPIRED: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>It is expired</Message>\
    </Error></ErrorResponse>";

/// Returns the given statuses in turn, repeating the last one, and counts requests.
struct Aws {
    url: String,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Aws {
    async fn start(answers: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (accepted, answered) = (connections.clone(), requests.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepted.fetch_add(1, SeqCst);
                tokio::spawn(serve(stream, answers, answered.clone()));
            }
        });
        Self { url, connections, requests }
    }

    fn client(&self, options: &Options) -> Client {
        self.client_of(&endpoints(options), options)
    }

    /// A client of another work item of the worker with these endpoints.
    fn client_of(&self, endpoints: &Arc<Endpoints>, options: &Options) -> Client {
        client(&self.url, endpoints, options, credentials())
    }
}

/// Status 0 is no response, status 1 only the head of one.
async fn serve(mut stream: TcpStream, answers: &'static [u16], answered: Arc<AtomicUsize>) -> io::Result<()> {
    loop {
        if read_request(&mut stream).await? == 0 {
            return Ok(());
        }
        let nth = answered.fetch_add(1, SeqCst).min(answers.len() - 1);
        let body = match answers[nth] {
            0 => std::future::pending().await,
            1 => {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: 100\r\n\r\n<Get")
                    .await?;
                std::future::pending().await
            }
            200 => IDENTITY,
            403 => EXPIRED,
            _ => THROTTLED,
        };
        let head = format!(
            "HTTP/1.1 {} Status\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n",
            answers[nth],
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await?;
    }
}

/// Reads a head, and a body of its content-length.
async fn read_request(stream: &mut TcpStream) -> io::Result<usize> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await?;
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if read == 0 {
                return Ok(0);
            }
            continue;
        };
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.trim().parse().ok());
        if read == 0 || body.len() >= length.unwrap_or(0) {
            return Ok(bytes.len());
        }
    }
}

fn endpoints(options: &Options) -> Arc<Endpoints> {
    Arc::new(Endpoints::new(options.silence))
}

static QUOTAS: &[Quota] = &[Quota::of("sts", Bucket::published(600, 600, "a test"))];

fn credentials() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("AKID", "secret", None, None, "test"))
}

fn client(url: &str, endpoints: &Arc<Endpoints>, options: &Options, credentials: impl Into<Session>) -> Client {
    let settings = ClientSettings { endpoint_url: url.to_owned(), max_attempts: 3, ..ClientSettings::default() };
    let limiter = Arc::new(Limiter::new("sts", QUOTAS));
    let (http, endpoints) = (HttpClients::new(Proxy::OfEnvironment).of(&[]), endpoints.clone());
    let Connection { sdk, retry_partition, .. } =
        connection(http, limiter, endpoints, credentials, &settings, options, &place());
    let config = aws_sdk_sts::config::Builder::from(&sdk).retry_partition(retry_partition).build();
    Client::from_conf(config)
}

async fn call(client: &Client) -> Result<String, CollectError> {
    Ok(client.get_caller_identity().send().await?.account.unwrap_or_default())
}

#[test]
fn each_api_has_its_endpoint() {
    let endpoint = |api: &str, url: &str| events::ApiEndpoint { api: api.into(), url: url.into() };
    let settings = ClientSettings {
        endpoint_url: "http://ec2".into(),
        endpoints: vec![endpoint("auto_scaling", "http://scaling"), endpoint("elastic_load_balancing", "")],
        ..ClientSettings::default()
    };
    let (http, options) = (HttpClients::new(Proxy::OfEnvironment).of(&[]), Options::default());
    let limiter = Arc::new(Limiter::new("ec2", QUOTAS));
    let made = connection(http, limiter, endpoints(&options), credentials(), &settings, &options, &place());
    assert_eq!(made.sdk.endpoint_url(), Some("http://ec2"));
    assert_eq!(made.sdk_of("auto_scaling").endpoint_url(), Some("http://scaling"));
    assert_eq!(made.sdk_of("elastic_load_balancing").endpoint_url(), None, "AWS's own");
    assert_eq!(made.sdk_of("unnamed").endpoint_url(), Some("http://ec2"), "a broker that names no other");
}

#[tokio::test]
async fn calls_over_plain_http_share_a_connection() {
    let aws = Aws::start(&[200]).await;
    let client = aws.client(&Options::default());
    for _ in 0..20 {
        assert_eq!(call(&client).await.expect("an identity"), "111111111111");
    }
    assert_eq!((aws.requests.load(SeqCst), aws.connections.load(SeqCst)), (20, 1));
}

#[tokio::test]
async fn a_throttled_call_is_tried_again_and_its_bucket_slows_down() {
    let aws = Aws::start(&[400, 503, 200]).await;
    let client = aws.client(&Options::default());
    assert_eq!(call(&client).await.expect("the third attempt"), "111111111111");
    assert_eq!(aws.requests.load(SeqCst), 3);
}

#[tokio::test]
async fn what_stays_throttled_is_said_in_awss_words() {
    let aws = Aws::start(&[400]).await;
    let error = call(&aws.client(&Options::default())).await.expect_err("throttled for good");
    assert_eq!((error.class, error.message.as_str()), (FailureClass::Throttled, "Throttling: Rate exceeded"));
    assert_eq!(aws.requests.load(SeqCst), 3, "as many attempts as the settings say");
}

#[tokio::test]
async fn a_hung_endpoint_is_a_timeout() {
    for answers in [&[0], &[1]] {
        let aws = Aws::start(answers).await;
        let options = Options { aws_timeout: Duration::from_millis(100), ..Options::default() };
        let start = Instant::now();
        let error = call(&aws.client(&options)).await.expect_err("no answer");
        assert_eq!(error.class, FailureClass::Timeout, "{error}");
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}

/// Two timed-out attempts give an endpoint up.
fn quick(aws_timeout: u64) -> Options {
    let aws_timeout = Duration::from_millis(aws_timeout);
    Options { aws_timeout, silence: aws_timeout / 4, ..Options::default() }
}

#[tokio::test]
async fn an_endpoint_that_hung_for_one_item_is_unreachable_for_the_others() {
    let aws = Aws::start(&[0]).await;
    let options = quick(50);
    let endpoints = endpoints(&options);
    let error = call(&aws.client_of(&endpoints, &options)).await.expect_err("no answer");
    assert_eq!(error.class, FailureClass::Unreachable, "given up before its last attempt: {error}");
    for _ in 0..25 {
        let error = call(&aws.client_of(&endpoints, &options)).await.expect_err("no call");
        assert_eq!(error.class, FailureClass::Unreachable);
        assert!(error.message.contains("counts as unreachable"), "{error}");
    }
    assert!(aws.requests.load(SeqCst) <= 3, "two attempts of the first item and a trial of the second");
}

#[tokio::test]
async fn an_endpoint_that_answers_a_trial_is_reachable_for_all() {
    let aws = Aws::start(&[0, 0, 200]).await;
    let options = quick(1_000);
    let endpoints = endpoints(&options);
    call(&aws.client_of(&endpoints, &options)).await.expect_err("no answer");
    let clients: Vec<Client> = (0..9).map(|_| aws.client_of(&endpoints, &options)).collect();
    for answer in futures::future::join_all(clients.iter().map(call)).await {
        assert_eq!(answer.expect("an identity"), "111111111111");
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let options = Options::default();
    let client = client("http://127.0.0.1:1", &endpoints(&options), &options, credentials());
    let error = call(&client).await.expect_err("nobody");
    assert_eq!(error.class, FailureClass::Unreachable, "{error}");
    assert!(error.message.contains("refused") && !error.message.contains('{'), "{error}");
}

#[tokio::test]
async fn no_session_is_a_failure_of_the_credentials() {
    #[derive(Debug)]
    struct Gone;
    impl aws_credential_types::provider::ProvideCredentials for Gone {
        fn provide_credentials<'a>(&'a self) -> aws_credential_types::provider::future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let gone = CredentialsError::provider_error("the broker is gone");
            aws_credential_types::provider::future::ProvideCredentials::ready(Err(gone))
        }
    }
    let options = Options::default();
    let gone = SharedCredentialsProvider::new(Gone);
    let client = client("http://127.0.0.1:1", &endpoints(&options), &options, gone);
    let error = call(&client).await.expect_err("no session");
    assert_eq!(error.class, FailureClass::Credentials, "{error}");
    assert!(error.message.contains("the broker is gone"), "{error}");
}

/// A lease that can be renewed, each time with another key. Records which requests asked for a fresh one.
async fn lease() -> (LeasedCredentials, Arc<Mutex<Vec<bool>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let all = asked.clone();
    let ask = move |fresh| {
        let nth = {
            let mut all = all.lock().expect("no panic");
            all.push(fresh);
            all.len()
        };
        let credentials = Credentials::new(format!("AKID{nth}"), "secret", Some("token".into()), None, "test");
        let lease = credentials::Lease { credentials, settings: ClientSettings::default() };
        Box::pin(std::future::ready(Ok(lease))) as Pin<Box<dyn Future<Output = _> + Send>>
    };
    let (lease, _) = LeasedCredentials::from_ask(Box::new(ask)).await.expect("the first lease");
    (lease, asked)
}

#[tokio::test]
async fn a_session_that_aws_calls_expired_is_replaced_and_the_call_made_again() {
    let cases: [(&'static [u16], _, _); 2] = [(&[403, 200], None, 2), (&[403], Some(FailureClass::Credentials), 2)];
    for (answers, class, requests) in cases {
        let aws = Aws::start(answers).await;
        let (options, (lease, asked)) = (Options::default(), lease().await);
        let answer = call(&client(&aws.url, &endpoints(&options), &options, lease)).await;
        assert_eq!(answer.as_ref().err().map(|error| error.class), class, "{answer:?}");
        assert_eq!(*asked.lock().expect("no panic"), [false, true], "{answer:?}");
        assert_eq!(aws.requests.load(SeqCst), requests, "{answer:?}");
        if let Err(error) = answer {
            assert_eq!(error.message, "ExpiredToken: It is expired");
        }
    }
}
