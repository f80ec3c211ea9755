//! Counts the attempts of calls, by API and answer.

use crate::{
    answer,
    request::{self, Api},
};
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use observe::{Answer, metrics};

/// Returns the HTTP client with every attempt counted. A request without a signature counts as one of this service.
pub fn counted(inner: SharedHttpClient, service: &'static str) -> SharedHttpClient {
    http_client_fn(move |settings, components| {
        SharedHttpConnector::new(Counted { inner: inner.http_connector(settings, components), service })
    })
}

#[derive(Debug)]
struct Counted {
    inner: SharedHttpConnector,
    service: &'static str,
}

impl HttpConnector for Counted {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, api) = (self.inner.clone(), request::api(&request, self.service));
        HttpConnectorFuture::new(async move { send(&inner, request, &api).await.map(|(response, _)| response) })
    }
}

/// Sends and counts a request. Returns the response, and whether it is a throttle answer.
pub(crate) async fn send(
    inner: &SharedHttpConnector,
    request: HttpRequest,
    api: &Api,
) -> Result<(HttpResponse, bool), ConnectorError> {
    let answered = read(inner, request).await;
    let answer = match &answered {
        Ok((_, true)) => Answer::Throttled,
        Ok((response, false)) if response.status().as_u16() >= 400 => Answer::Refused,
        Ok(_) => Answer::Answered,
        Err(_) => Answer::Failed,
    };
    metrics().aws.called(&api.service, &api.name, answer);
    answered
}

async fn read(inner: &SharedHttpConnector, request: HttpRequest) -> Result<(HttpResponse, bool), ConnectorError> {
    let mut response = inner.call(request).await?;
    let is_throttle = answer::is_throttle(&mut response).await?;
    Ok((response, is_throttle))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    #[derive(Debug)]
    struct Denying;

    impl HttpConnector for Denying {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            let status = StatusCode::try_from(403).expect("a status");
            HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::empty())))
        }
    }

    #[tokio::test]
    async fn an_attempt_is_counted_with_its_answer() {
        let counted = Counted { inner: SharedHttpConnector::new(Denying), service: "counted" };
        let request = HttpRequest::new(SdkBody::from("Action=AssumeRole"));
        assert_eq!(counted.call(request).await.expect("an answer").status().as_u16(), 403);
        let text = metrics().text().expect("text");
        let line = "groma_aws_calls_total{service=\"counted\",api=\"AssumeRole\",outcome=\"refused\"} 1";
        assert!(text.lines().any(|it| it == line), "{text}");
    }
}
