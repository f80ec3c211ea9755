//! AWS may reject a session as expired before its end, or if its end is unknown. The call is then repeated with a fresh
//! session. The SDK treats such a response as final, so it is replaced by a transient error, after which the SDK signs
//! and sends the request again.

use crate::error::{Ended, SESSION_ENDED, UNKNOWN_SESSION};
use aws_smithy_runtime_api::client::{
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::retry::ErrorKind;
use credentials::LeasedCredentials;
use throttle::answer::{bare, code_in_body};

/// Credentials that signed a request.
pub(crate) struct Signed {
    access_key_id: String,
    /// Signed with a session, not with a user's key.
    has_token: bool,
}

impl Signed {
    /// Reads them from the headers of the request.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let signature = request.headers().get("authorization").unwrap_or_default();
        let scope = signature.split_once("Credential=").map(|(_, scope)| scope).unwrap_or_default();
        let access_key_id = scope.split('/').next().unwrap_or_default().to_owned();
        Self { access_key_id, has_token: request.headers().get("x-amz-security-token").is_some() }
    }

    /// Returns the response, or an error if it rejects the session as expired and the lease can provide another one.
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

    /// AWS may no longer know a user's key. With a session, the same code means that the account has not enabled the
    /// region.
    fn has_ended(&self, code: &str) -> bool {
        SESSION_ENDED.contains(&code) || !self.has_token && UNKNOWN_SESSION.contains(&code)
    }
}

/// Error code of a response with a client error.
fn code(answer: &HttpResponse) -> Option<&str> {
    if !(400..500).contains(&answer.status().as_u16()) {
        return None;
    }
    let named = answer.headers().get("x-amzn-errortype").map(bare);
    named.or_else(|| code_in_body(answer.body().bytes()?))
}
