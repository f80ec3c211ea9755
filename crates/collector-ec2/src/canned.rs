//! An AWS that answers from memory, for tests of listings: which calls they make, with which page sizes, to the last
//! page.

use crate::Clients;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_ec2::config::{BehaviorVersion, Region};
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use collector::Connection;
use std::sync::{Arc, Mutex};

/// The server: remembers requests, answers with the inside of `<…Response>`, empty when it has no more. An answer
/// `!Code message` is an error.
#[derive(Debug, Clone, Default)]
pub(crate) struct Canned(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    answers: Vec<&'static str>,
    requests: Vec<Request>,
}

/// One request's form fields.
#[derive(Debug, Clone)]
pub(crate) struct Request(String);

impl Canned {
    /// Answers in this order.
    pub(crate) fn answering(answers: &[&'static str]) -> Self {
        let answers = answers.iter().rev().copied().collect();
        Self(Arc::new(Mutex::new(State { answers, requests: Vec::new() })))
    }

    /// Clients of this server.
    pub(crate) fn clients(&self) -> Clients {
        let connector = SharedHttpConnector::new(self.clone());
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client_fn(move |_, _| connector.clone()));
        Clients::connect(&Connection {
            sdk: sdk.build(),
            retry_partition: RetryPartition::new("test"),
            endpoints: std::collections::HashMap::new(),
        })
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.0.lock().expect("no test panics with the lock").requests.clone()
    }
}

impl Request {
    /// Value of a form field, e.g. `Action`.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.0
            .split('&')
            .find_map(|field| field.split_once('=').filter(|(key, _)| *key == name))
            .map(|(_, value)| value)
    }
}

impl HttpConnector for Canned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let ec2 = request.uri().contains("://ec2.");
        let body = request.body().bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let request = Request(body.unwrap_or_default());
        let action = request.field("Action").unwrap_or_default().to_owned();
        let mut state = self.0.lock().expect("no test panics with the lock");
        state.requests.push(request);
        let inside = state.answers.pop().unwrap_or_default();
        let (status, body) = match inside.strip_prefix('!') {
            Some(error) => (400, refusal(error, ec2)),
            None if ec2 => (200, format!("<{action}Response>{inside}</{action}Response>")),
            None => (200, format!("<{action}Response><{action}Result>{inside}</{action}Result></{action}Response>")),
        };
        let status = StatusCode::try_from(status).expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
    }
}

/// As EC2 words it, or the other services of this crate.
fn refusal(error: &str, ec2: bool) -> String {
    let (code, message) = error.split_once(' ').unwrap_or((error, ""));
    let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    if ec2 {
        format!("<Response><Errors>{error}</Errors></Response>")
    } else {
        format!("<ErrorResponse>{error}</ErrorResponse>")
    }
}
