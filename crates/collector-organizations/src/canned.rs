//! An Organizations that answers from memory, for tests of a listing's calls up to the last page.

use crate::SERVICE;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_organizations::{
    Client,
    config::{BehaviorVersion, Region},
};
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
    },
    http::StatusCode,
};
use aws_smithy_types::{body::SdkBody, retry::RetryConfig};
use aws_types::SdkConfig;
use collector::{
    CollectError, Connection, Sink,
    testing::{place, render_batches},
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex},
};

/// The account of the tests.
pub(crate) const HERE: &str = "111111111111";

/// Response to a call.
pub(crate) enum Answer {
    /// Success with this body.
    Of(Value),
    /// Error with this code and message.
    Refused(&'static str, &'static str),
}

type Answers = dyn Fn(&str, &Value) -> Answer + Send + Sync;

/// The server: a function of the call's name and body, and the calls so far.
#[derive(Clone)]
pub(crate) struct Canned {
    answer: Arc<Answers>,
    calls: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Canned {
    /// Responds with this function.
    pub(crate) fn new(answer: impl Fn(&str, &Value) -> Answer + Send + Sync + 'static) -> Self {
        Self { answer: Arc::new(answer), calls: Arc::default() }
    }

    /// A client of this server, in a region in which Organizations has no endpoint.
    pub(crate) fn client(&self) -> Client {
        let connector = SharedHttpConnector::new(self.clone());
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .retry_config(RetryConfig::disabled())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client_fn(move |_, _| connector.clone()));
        (SERVICE.connect)(&Connection {
            sdk: sdk.build(),
            retry_partition: RetryPartition::new("test"),
            endpoints: HashMap::new(),
        })
    }

    /// Name and body of every call so far.
    pub(crate) fn calls(&self) -> Vec<(String, Value)> {
        self.calls.lock().expect("no test panics with the lock").clone()
    }
}

/// An organization with this management account.
pub(crate) fn organization(management_account: &str) -> Answer {
    Answer::Of(json!({"Organization": {"Id": "o-1", "MasterAccountId": management_account}}))
}

/// Rows of the listing, as text.
pub(crate) async fn listed(server: &Canned) -> Result<String, CollectError> {
    let mut sink = Sink::to_memory(place());
    (SERVICE.listings[0].collect)(&server.client(), &mut sink).await?;
    Ok(render_batches(&sink.into_batches().await?))
}

impl fmt::Debug for Canned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canned").finish_non_exhaustive()
    }
}

impl HttpConnector for Canned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        assert!(request.uri().starts_with("https://organizations.us-east-1.amazonaws.com"), "{}", request.uri());
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let call = target.rsplit('.').next().unwrap_or_default();
        let body = request.body().bytes().and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default();
        let (status, answer) = match (self.answer)(call, &body) {
            Answer::Of(body) => (200, body),
            Answer::Refused(code, words) => (400, json!({"__type": code, "Message": words})),
        };
        self.calls.lock().expect("no test panics with the lock").push((call.to_owned(), body));
        let status = StatusCode::try_from(status).expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(answer.to_string()))))
    }
}
