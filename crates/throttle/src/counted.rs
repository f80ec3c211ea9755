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
        Ok((response, false)) => match response.status().as_u16() {
            500.. => Answer::ServerError,
            400.. => Answer::Refused,
            _ => Answer::Answered,
        },
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

    /// Answers with a status.
    #[derive(Debug)]
    struct Aws(u16);

    impl HttpConnector for Aws {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            let status = StatusCode::try_from(self.0).expect("a status");
            HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::empty())))
        }
    }

    #[tokio::test]
    async fn an_attempt_is_counted_with_its_answer() {
        for (status, outcome) in [(200, "answered"), (403, "refused"), (500, "server_error")] {
            let counted = Counted { inner: SharedHttpConnector::new(Aws(status)), service: "counted" };
            let request = HttpRequest::new(SdkBody::from("Action=AssumeRole"));
            assert_eq!(counted.call(request).await.expect("an answer").status().as_u16(), status);
            let text = metrics().text().expect("text");
            let line =
                format!("groma_aws_calls_total{{service=\"counted\",api=\"AssumeRole\",outcome=\"{outcome}\"}} 1");
            assert!(text.lines().any(|it| it == line), "{text}");
        }
    }
}
