//! An AWS that answers from memory, for tests of a listing's calls and page sizes up to the last page.

use crate::Connection;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::{
    behavior_version::BehaviorVersion,
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse, Metadata},
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::{body::SdkBody, config_bag::ConfigBag, retry::RetryConfig};
use aws_types::{SdkConfig, region::Region};
use parking_lot::{Mutex, MutexGuard};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

/// An AWS server that records requests and returns the given answers in turn. An answer is the inside of `<…Response>`
/// or `<…Result>` in XML (EC2, IAM, Auto Scaling and Elastic Load Balancing), a whole document (S3 and S3 Control), or a JSON
/// object (Inspector2). Without further answers, they are empty. An answer `!Code message` is an error.
#[derive(Debug, Clone, Default)]
pub struct Canned(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    answers: VecDeque<String>,
    /// Calls that have begun and not been sent.
    begun: VecDeque<String>,
    requests: Vec<Request>,
}

/// A recorded request.
#[derive(Debug, Clone)]
pub struct Request {
    /// URI of the request.
    pub uri: String,
    /// The SDK's name of the operation, e.g. `DescribeSubnets`, whatever the protocol.
    pub operation: String,
    form: String,
}

impl Canned {
    /// Returns these answers in turn.
    pub fn answering(answers: &[&str]) -> Self {
        let answers = answers.iter().map(|&answer| answer.to_owned()).collect();
        Self(Arc::new(Mutex::new(State { answers, ..State::default() })))
    }

    /// Settings for clients of this server, without retries.
    pub fn connection(&self) -> Connection {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .retry_config(RetryConfig::disabled())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(SharedHttpClient::new(self.clone()));
        Connection { sdk: sdk.build(), retry_partition: RetryPartition::new("test"), endpoints: HashMap::new() }
    }

    /// Requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

impl Request {
    /// Body of the request.
    pub fn body(&self) -> &str {
        &self.form
    }

    /// Query of the URI.
    pub fn query(&self) -> &str {
        self.uri.split_once('?').map_or("", |(_, query)| query)
    }

    /// Value of a field of the form or of the query, e.g. `Action`.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.form.split('&').chain(self.query().split('&')).filter_map(|field| field.split_once('='));
        fields.find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Name and value of the parameter for the size of a page, in a form, a query or JSON.
    pub fn page_size(&self) -> Option<(&'static str, String)> {
        const NAMES: [&str; 8] =
            ["MaxResults", "MaxRecords", "PageSize", "MaxItems", "Limit", "maxResults", "pageSize", "max-buckets"];
        let json: serde_json::Value = serde_json::from_str(&self.form).unwrap_or_default();
        let in_json = |name: &str| json.get(name).map(ToString::to_string);
        NAMES.iter().find_map(|name| Some((*name, self.field(name).map(str::to_owned).or_else(|| in_json(name))?)))
    }
}

impl HttpClient for Canned {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }

    /// The SDK asks before each call, whose name is in the configuration and not in every protocol's request.
    fn validate_final_config(&self, _: &RuntimeComponents, config: &ConfigBag) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().map(|metadata| metadata.name().to_owned());
        self.state().begun.extend(operation);
        Ok(())
    }
}

impl HttpConnector for Canned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let form = request.body().bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let mut state = self.state();
        let operation = state.begun.pop_front().unwrap_or_default();
        let request = Request { uri: request.uri().to_owned(), operation, form: form.unwrap_or_default() };
        let ec2 = request.uri.contains("://ec2.");
        let s3 = request.uri.contains("://s3.");
        let s3_control = request.uri.contains(".s3-control.");
        let action = request.field("Action").map(str::to_owned);
        state.requests.push(request);
        let inside = state.answers.pop_front().unwrap_or_default();
        let (status, body) = match (inside.strip_prefix('!'), action) {
            (Some(error), None) if s3 => (400, xml_error(error)),
            (Some(error), None) if s3_control => (400, refusal(error, false)),
            (Some(error), None) => (400, json_refusal(error)),
            (None, None) => (200, if inside.is_empty() { "{}".to_owned() } else { inside }),
            (Some(error), Some(_)) => (400, refusal(error, ec2)),
            (None, Some(action)) if ec2 => (200, format!("<{action}Response>{inside}</{action}Response>")),
            (None, Some(action)) => {
                (200, format!("<{action}Response><{action}Result>{inside}</{action}Result></{action}Response>"))
            }
        };
        let status = status.try_into().expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
    }
}

/// Error of the JSON services. The message must not need escapes.
fn json_refusal(error: &str) -> String {
    let (code, message) = error.split_once(' ').unwrap_or((error, ""));
    format!(r#"{{"__type":"{code}","message":"{message}"}}"#)
}

/// Error of EC2, or of the other XML services but S3.
fn refusal(error: &str, ec2: bool) -> String {
    let error = xml_error(error);
    if ec2 {
        format!("<Response><Errors>{error}</Errors></Response>")
    } else {
        format!("<ErrorResponse>{error}</ErrorResponse>")
    }
}

/// Error of S3, and the inside of other errors in XML.
fn xml_error(error: &str) -> String {
    let (code, message) = error.split_once(' ').unwrap_or((error, ""));
    format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>")
}
