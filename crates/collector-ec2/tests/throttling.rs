//! One API of one account, called as fast as possible: by Groma, and by the AWS SDK alone in both of its retry modes. EC2 is
//! simulated with its published bucket of 100 tokens, refilled by 20 a second, and with 50 ms from request to answer, of
//! which the request takes a varying part. Prints a table: `cargo test -p collector-ec2 --test throttling -- --nocapture`.

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_ec2::{Client, config::http::HttpResponse};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::{
    client::{
        behavior_version::BehaviorVersion,
        http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn},
        orchestrator::HttpRequest,
    },
    http::StatusCode,
};
use aws_smithy_types::{body::SdkBody, retry::RetryConfig};
use aws_types::{SdkConfig, region::Region};
use collector::Options;
use collector_ec2::SERVICE;
use events::ClientSettings;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};
use throttle::{Limiter, quota};
use tokio::time::{Instant, sleep};

const CALLS: u32 = 400;
/// Limit of concurrent calls.
const WORKERS: u32 = 32;
const LATENCY: Duration = Duration::from_millis(50);

const VPCS: &str = "<DescribeVpcsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId><vpcSet/>\
    </DescribeVpcsResponse>";
const REFUSED: &str = "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Request limit exceeded.</Message>\
    </Error></Errors><RequestID>r</RequestID></Response>";

/// Tokens, and the time of their count.
#[derive(Debug)]
struct Tokens(f64, Instant);

/// EC2 for one account and region.
#[derive(Debug, Clone)]
struct Ec2 {
    /// Tokens per second available to this caller.
    refill: f64,
    tokens: Arc<Mutex<Tokens>>,
    attempts: Arc<AtomicU32>,
    refused: Arc<AtomicU32>,
}

impl Ec2 {
    fn new(refill: f64) -> Self {
        let bucket = published();
        let tokens = Arc::new(Mutex::new(Tokens(f64::from(bucket.size), Instant::now())));
        Self { refill, tokens, attempts: Arc::default(), refused: Arc::default() }
    }

    fn grants(&self) -> bool {
        let mut tokens = self.tokens.lock().expect("no thread panics");
        let now = Instant::now();
        let refilled = tokens.0 + self.refill * now.duration_since(tokens.1).as_secs_f64();
        *tokens = Tokens(refilled.min(f64::from(published().size)), now);
        let granted = tokens.0 >= 1.0;
        tokens.0 -= f64::from(u8::from(granted));
        granted
    }

    async fn answer(self) -> HttpResponse {
        let nth = self.attempts.fetch_add(1, SeqCst);
        // From 5 to 45 ms, in no order, and the same in every run.
        let there = Duration::from_millis(5 + u64::from(nth.wrapping_mul(2_654_435_761) >> 16) % 41);
        sleep(there).await;
        let (status, body) = if self.grants() { (200, VPCS) } else { (503, REFUSED) };
        self.refused.fetch_add(u32::from(status == 503), SeqCst);
        sleep(LATENCY.saturating_sub(there)).await;
        HttpResponse::new(StatusCode::try_from(status).expect("a status"), SdkBody::from(body))
    }

    fn http(&self) -> SharedHttpClient {
        let ec2 = self.clone();
        http_client_fn(move |_, _| SharedHttpConnector::new(ec2.clone()))
    }
}

impl HttpConnector for Ec2 {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let ec2 = self.clone();
        HttpConnectorFuture::new(async move { Ok(ec2.answer().await) })
    }
}

fn published() -> quota::Bucket {
    quota::bucket(
        SERVICE.quotas,
        &throttle::Api { service: "ec2".into(), name: "DescribeVpcs".into(), ..Default::default() },
    )
}

fn credentials() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("AKID", "secret", None, None, "test"))
}

fn groma(ec2: &Ec2) -> Client {
    let (limiter, settings) = (Arc::new(Limiter::new("ec2", SERVICE.quotas)), ClientSettings::default());
    let place = collector::testing::place();
    let (options, credentials) = (Options::default(), credentials());
    let endpoints = Arc::new(collector::Endpoints::new(options.silence));
    let connection =
        collector::client::connection(ec2.http(), limiter, endpoints, credentials, &settings, &options, &place);
    (SERVICE.connect)(&connection).ec2
}

fn sdk(ec2: &Ec2, retries: RetryConfig) -> Client {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials())
        .retry_config(retries)
        .sleep_impl(TokioSleep::new())
        .http_client(ec2.http());
    Client::new(&config.build())
}

#[derive(Debug)]
struct Outcome {
    seconds: f64,
    /// Refused share of all attempts.
    refused: f64,
    /// Calls that the SDK gave up and the caller repeated.
    failed: u32,
}

/// Makes all calls, and repeats those that fail.
async fn outcome(ec2: &Ec2, client: Client) -> Outcome {
    let (begun, failed) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let start = Instant::now();
    let workers = (0..WORKERS).map(|_| {
        let (client, begun, failed) = (client.clone(), begun.clone(), failed.clone());
        tokio::spawn(async move {
            while begun.fetch_add(1, SeqCst) < CALLS {
                while client.describe_vpcs().max_results(1000).send().await.is_err() {
                    failed.fetch_add(1, SeqCst);
                }
            }
        })
    });
    for worker in futures::future::join_all(workers).await {
        worker.expect("no worker panics");
    }
    let (attempts, refused) = (ec2.attempts.load(SeqCst), ec2.refused.load(SeqCst));
    let refused = f64::from(refused) / f64::from(attempts);
    Outcome { seconds: start.elapsed().as_secs_f64(), refused, failed: failed.load(SeqCst) }
}

/// Groma, the SDK's standard mode and its adaptive one, each with a separate EC2.
async fn compared(refill: f64) -> [Outcome; 3] {
    let [a, b, c] = [(); 3].map(|()| Ec2::new(refill));
    let (groma, standard, adaptive) = tokio::join!(
        outcome(&a, groma(&a)),
        outcome(&b, sdk(&b, RetryConfig::standard())),
        outcome(&c, sdk(&c, RetryConfig::adaptive())),
    );
    let ideal = ideal(refill);
    println!("\n{CALLS} calls, bucket {} with {refill}/s: {ideal:.1} s at best", published().size);
    println!("{:<14} {:>8} {:>8} {:>9} {:>13}", "", "seconds", "of best", "refused", "calls failed");
    for (name, outcome) in [("groma", &groma), ("SDK standard", &standard), ("SDK adaptive", &adaptive)] {
        let Outcome { seconds, refused, failed } = outcome;
        println!("{name:<14} {seconds:>8.1} {:>8.2} {:>8.1}% {failed:>13}", seconds / ideal, refused * 100.0);
    }
    [groma, standard, adaptive]
}

/// Shortest possible duration with this bucket, in seconds.
fn ideal(refill: f64) -> f64 {
    f64::from(CALLS - published().size) / refill
}

/// Its time depends on the bucket, not on the machine: all but 50 ms are spent waiting for tokens, and the bucket lends
/// five seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_is_used_up_and_hardly_ever_overdrawn() {
    let bucket = published();
    assert_eq!((bucket.size, bucket.rate), (100, 20));
    let refill = f64::from(bucket.rate);
    let [groma, standard, adaptive] = compared(refill).await;
    assert!(groma.refused < 0.01 && groma.failed == 0, "{groma:?}");
    assert!(groma.seconds < 1.2 * ideal(refill), "{groma:?}");
    for sdk in [standard, adaptive] {
        assert!(sdk.refused > groma.refused, "{sdk:?}");
    }
}

/// Another client in the account takes half of AWS's quota, which no table knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_use_is_learned() {
    let refill = f64::from(published().rate) / 2.0;
    let [groma, standard, _] = compared(refill).await;
    assert_eq!(groma.failed, 0, "{groma:?}");
    assert!(groma.refused < standard.refused, "{groma:?} {standard:?}");
}
