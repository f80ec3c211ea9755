//! Recognizes throttle answers.

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::ConnectorError};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use std::{mem, time::Duration};

/// Time limit for an error's body, which is small.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether this error code means throttling, according to the lists of the AWS SDKs and botocore.
pub fn is_throttle_code(code: &str) -> bool {
    const CODES: [&str; 14] = [
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottledException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "TransactionInProgressException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "RequestThrottled",
        "SlowDown",
        "PriorRequestNotComplete",
        "EC2ThrottledException",
    ];
    CODES.contains(&code)
}

/// Whether the answer is a throttle answer. 429 ("too many requests") and 503 ("unavailable") always are. Some services
/// send 400, and SQS 403, with a code in a header or in the body, which is then read and put back.
///
/// # Errors
/// The body is cut off or late.
pub(crate) async fn is_throttle(response: &mut HttpResponse) -> Result<bool, ConnectorError> {
    match response.status().as_u16() {
        429 | 503 => Ok(true),
        400 | 403 => match response.headers().get("x-amzn-errortype") {
            Some(code) => Ok(is_throttle_code(bare(code))),
            None => Ok(code_in_body(&body(response).await?).is_some_and(is_throttle_code)),
        },
        _ => Ok(false),
    }
}

async fn body(response: &mut HttpResponse) -> Result<Vec<u8>, ConnectorError> {
    let stream = ByteStream::new(mem::replace(response.body_mut(), SdkBody::taken()));
    let collected = tokio::time::timeout(BODY_TIMEOUT, stream.collect()).await;
    let collected = collected.map_err(|late| ConnectorError::timeout(late.into()))?;
    let bytes = collected.map_err(|broken| ConnectorError::io(broken.into()))?.into_bytes();
    *response.body_mut() = SdkBody::from(bytes.clone());
    Ok(bytes.to_vec())
}

/// `<Code>…</Code>` of the query protocols, `"__type"` or `"code"` of the JSON protocols. Finds it without parsing the
/// body, so nesting costs nothing.
pub fn code_in_body(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    let xml = || Some(text.split_once("<Code>")?.1.split_once("</Code>")?.0);
    let json = |key: &str| {
        let value = text.split_once(key)?.1.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
        Some(bare(value.split_once('"')?.0))
    };
    xml().or_else(|| json("\"__type\"")).or_else(|| json("\"code\""))
}

/// Removes prefix and URL: `prefix#Code:http://…` becomes `Code`.
pub fn bare(code: &str) -> &str {
    let code = code.split(':').next().unwrap_or(code);
    code.rsplit('#').next().unwrap_or(code).trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::http::StatusCode;

    async fn check(status: u16, header: Option<&'static str>, body: &'static str) -> bool {
        let status = StatusCode::try_from(status).expect("a status");
        let mut response = HttpResponse::new(status, SdkBody::from(body));
        if let Some(header) = header {
            response.headers_mut().insert("x-amzn-errortype", header);
        }
        let throttle = is_throttle(&mut response).await.expect("a body");
        assert_eq!(response.body().bytes(), Some(body.as_bytes()), "the SDK still reads the body");
        throttle
    }

    #[tokio::test]
    async fn each_protocols_way_of_saying_it() {
        assert!(
            check(503, None, "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>")
                .await
        );
        assert!(check(429, None, "").await);
        assert!(check(403, None, r#"{"__type": "com.amazonaws.sqs#RequestThrottled"}"#).await);
        assert!(
            check(
                400,
                None,
                "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code></Error></ErrorResponse>"
            )
            .await
        );
        assert!(check(400, Some("ThrottlingException:http://internal.amazon.com/"), "{}").await);
        assert!(check(400, None, r#"{"__type": "com.amazonaws.organizations#TooManyRequestsException"}"#).await);
        assert!(check(400, None, r#"{"code":"ThrottlingException","message":"Rate exceeded"}"#).await);
    }

    #[tokio::test]
    async fn other_errors_are_not_it() {
        assert!(!check(200, None, "<Code>Throttling</Code>").await);
        assert!(!check(500, None, "<Code>InternalError</Code>").await);
        assert!(!check(400, None, "<Error><Code>InvalidParameterValue</Code></Error>").await);
        assert!(!check(400, Some("ValidationException"), r#"{"code":"ThrottlingException"}"#).await);
        assert!(!check(400, None, "not markup at all").await);
        assert!(!check(403, None, "<Error><Code>UnauthorizedOperation</Code></Error>").await);
    }
}
