//! Responses of the credentials endpoints of containers and instances. The SDK reads their `Expiration` in one form
//! only, so other forms are rewritten before they reach it.

use crate::expiration;
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use serde_json::{Map, Value};

/// Limit of a response in bytes. Credentials have about 2 kB; AWS documents no limit.
const MOST_BYTES: usize = 64 << 10;

/// Wraps the client of an endpoint that returns credentials.
pub fn of_endpoint(client: SharedHttpClient) -> SharedHttpClient {
    SharedHttpClient::new(Rewriting(client))
}

#[derive(Debug)]
struct Rewriting<T>(T);

impl HttpClient for Rewriting<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Rewriting(self.0.http_connector(settings, components)))
    }
}

impl HttpConnector for Rewriting<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move { rewrite(answer.await?).await })
    }
}

async fn rewrite(mut response: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let body = whole(response.take_body()).await?;
    // The SDK checks the length of the body against this header.
    response.headers_mut().remove("content-length");
    *response.body_mut() = SdkBody::from(rewritten(&body).unwrap_or(body));
    Ok(response)
}

async fn whole(body: SdkBody) -> Result<Vec<u8>, ConnectorError> {
    let (mut stream, mut whole) = (ByteStream::new(body), Vec::new());
    while let Some(piece) = stream.next().await {
        whole.extend_from_slice(&piece.map_err(|error| ConnectorError::io(error.into()))?);
        if whole.len() > MOST_BYTES {
            let error = format!("the endpoint returned more than {MOST_BYTES} bytes");
            return Err(ConnectorError::other(error.into(), None));
        }
    }
    Ok(whole)
}

/// Rewrites the expiration in the form that the SDK reads. Returns `None` if nothing needs to change. Compares names
/// like the SDK.
fn rewritten(body: &[u8]) -> Option<Vec<u8>> {
    let mut fields: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let is_end = |name: &str| ["expiration", "expiresat"].contains(&name.to_ascii_lowercase().as_str());
    let (_, end) = fields.iter_mut().find(|(name, _)| is_end(name))?;
    *end = expiration::rewritten(end.as_str()?)?.into();
    serde_json::to_vec(&fields).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_end_in_another_form_is_changed() {
        let text = |body: &str| rewritten(body.as_bytes()).map(|body| String::from_utf8(body).expect("text"));
        let changed = text(r#"{"expiresAt":"2026-11-28 10:00+0000"}"#);
        assert_eq!(changed.as_deref(), Some(r#"{"expiresAt":"2026-11-28T10:00:00Z"}"#));
        for body in ["metadata-token", r#"{"Code":"Failed"}"#, r#"{"Expiration":"soon"}"#, r#"["Expiration"]"#] {
            assert_eq!(text(body), None, "{body}");
        }
    }

    #[tokio::test]
    async fn an_answer_has_a_limit() {
        let body = |bytes: usize| whole(SdkBody::from(vec![b'x'; bytes]));
        assert_eq!(body(MOST_BYTES).await.expect("it fits").len(), MOST_BYTES);
        assert!(body(MOST_BYTES + 1).await.is_err());
    }
}
