//! AWS may say that a session has ended before its time, or one whose end nobody knows. The call is then made again with a
//! fresh session. The SDK takes such an answer for final, so it is replaced by an error after which the SDK signs and sends
//! anew.

use crate::error::{SESSION_ENDED, UNKNOWN_SESSION};
use aws_smithy_runtime_api::client::{
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::retry::ErrorKind;
use credentials::LeasedCredentials;
use throttle::answer::{bare, code_in_body};

/// AWS says that a session has ended; the call is to be repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}: the session has ended")]
pub(crate) struct Ended(String);

/// With what a request was signed.
pub(crate) struct Signed {
    access_key_id: String,
    /// A session's, not a user's key.
    has_token: bool,
}

impl Signed {
    /// From its headers.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let signature = request.headers().get("authorization").unwrap_or_default();
        let scope = signature.split_once("Credential=").map(|(_, scope)| scope).unwrap_or_default();
        let access_key_id = scope.split('/').next().unwrap_or_default().to_owned();
        Self { access_key_id, has_token: request.headers().get("x-amz-security-token").is_some() }
    }

    /// The answer, unless it says that the session has ended and the lease can give another.
    pub(crate) fn check(
        &self,
        lease: &LeasedCredentials,
        answer: HttpResponse,
    ) -> Result<HttpResponse, ConnectorError> {
        match code(&answer) {
            Some(code) if self.has_ended(code) && lease.refuse(&self.access_key_id) => {
                let ended = Ended(code.to_owned());
                Err(ConnectorError::other(ended.into(), Some(ErrorKind::TransientError)))
            }
            _ => Ok(answer),
        }
    }

    /// AWS may no longer know a user's key. With a session, such a code means that the account has not enabled the region.
    fn has_ended(&self, code: &str) -> bool {
        SESSION_ENDED.contains(&code) || !self.has_token && UNKNOWN_SESSION.contains(&code)
    }
}

/// The code of an error that the caller may mend.
fn code(answer: &HttpResponse) -> Option<&str> {
    if !(400..500).contains(&answer.status().as_u16()) {
        return None;
    }
    let named = answer.headers().get("x-amzn-errortype").map(bare);
    named.or_else(|| code_in_body(answer.body().bytes()?))
}
