//! Failures of listings, in the classes that users and the scheduler distinguish.

use crate::{Place, silence::NotAnswering};
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::{
    client::{orchestrator::HttpResponse, result::SdkError},
    http::StatusCode,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use events::{Failure, FailureClass};
use paging::RepeatedToken;
use std::error::Error;

/// A listing's failure.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct CollectError {
    /// Kind of failure.
    pub class: FailureClass,
    /// One sentence for the user.
    pub message: String,
    /// AWS's error code. `None`: AWS answered with none.
    pub code: Option<String>,
}

/// The meaning of one of a service's error codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode {
    /// AWS's code, e.g. `AccessDeniedException`.
    pub code: &'static str,
    /// Text that the message must contain, in lower case. Empty: any message.
    pub saying: &'static str,
    /// Class of the failure.
    pub class: FailureClass,
}

/// AWS rejected the session as expired; the call must be repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}: the session has expired")]
pub(crate) struct Ended(pub(crate) String);

impl CollectError {
    /// A failure without an error code of AWS.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), code: None }
    }

    /// An answer without a part that it must have, e.g. `without("a policy")`.
    pub fn without(part: &str) -> Self {
        Self::new(FailureClass::Service, format!("AWS returned neither {part} nor an error"))
    }

    /// A failure that Groma itself caused.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(FailureClass::Internal, message)
    }

    /// Sets the class that the service gives to the failure's code, if any: the first matching entry applies. Keeps
    /// `ServiceOff`, because that is a listing's decision.
    #[must_use]
    pub fn classified(self, codes: &[ErrorCode]) -> Self {
        let Some(code) = self.code.as_ref().filter(|_| self.class != FailureClass::ServiceOff) else { return self };
        let message = self.message.to_ascii_lowercase();
        let known = codes.iter().find(|it| it.code == code && message.contains(it.saying));
        let class = known.map_or(self.class, |it| it.class);
        Self { class, ..self }
    }

    /// Returns the graver error of two calls of a listing: an error that may pass counts more than a missing permission,
    /// so that an accepted gap does not hide it; an error that affects all calls counts most.
    #[must_use]
    pub fn graver(self, other: Self) -> Self {
        if weight(other.class) > weight(self.class) { other } else { self }
    }

    /// Sets the class that depends on the place, unless the listing has set it ([`Self::seen_in`]).
    #[must_use]
    pub(crate) fn seen_from(self, place: &Place) -> Self {
        self.seen_in(place.client_region())
    }

    /// Sets the class that depends on the region of the call. In an opt-in region, an unknown session means that the
    /// account has not opted in; in all others, that the session is invalid. Removes the code then, so that the class
    /// stays: a listing may call other regions than its place's.
    #[must_use]
    pub fn seen_in(self, region: &str) -> Self {
        let is_unknown_session = self.code.as_deref().is_some_and(|code| UNKNOWN_SESSION.contains(&code));
        if !is_unknown_session || self.class != FailureClass::NotEnabled {
            return self;
        }
        let class =
            if regions::is_always_enabled(region) { FailureClass::Credentials } else { FailureClass::NotEnabled };
        Self { class, code: None, ..self }
    }
}

impl From<CollectError> for Failure {
    fn from(error: CollectError) -> Self {
        Self::new(error.class, error.message)
    }
}

impl From<RepeatedToken> for CollectError {
    fn from(error: RepeatedToken) -> Self {
        Self::new(FailureClass::Service, error.to_string())
    }
}

impl<E> From<SdkError<E, HttpResponse>> for CollectError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let class = match &error {
            SdkError::ServiceError(context) => {
                let error = context.err();
                class_of(error.code().unwrap_or_default(), error.message().unwrap_or_default(), context.raw().status())
            }
            _ if cause::<RepeatedToken>(&error).is_some() => FailureClass::Service,
            SdkError::TimeoutError(_) => FailureClass::Timeout,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => FailureClass::Timeout,
            SdkError::DispatchFailure(_) if is_about_credentials(&error) => FailureClass::Credentials,
            SdkError::DispatchFailure(_) if cause::<Ended>(&error).is_some() => FailureClass::Credentials,
            SdkError::DispatchFailure(failure) if failure.is_user() => FailureClass::Internal,
            SdkError::DispatchFailure(_) => FailureClass::Unreachable,
            SdkError::ResponseError(_) => FailureClass::Service,
            _ => FailureClass::Internal,
        };
        let code = error.as_service_error().and_then(|error| error.code()).map(str::to_owned);
        Self { class, message: sentence(&error), code }
    }
}

/// `AccessDenied: User … is not authorized …`, or the chain of causes if AWS gave no code.
fn sentence<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    if let Some(given_up) = cause::<NotAnswering>(error) {
        return given_up.to_string();
    }
    if let Some(repeated) = cause::<RepeatedToken>(error) {
        return repeated.to_string();
    }
    if let Some(ended) = cause::<Ended>(error) {
        return ended.to_string();
    }
    let service_error = error.as_service_error();
    match service_error.and_then(|error| Some((error.code()?, error.message()))) {
        Some((code, Some(message))) if !message.is_empty() => format!("{code}: {message}"),
        Some((code, _)) => code.to_owned(),
        None => match (error, error.raw_response()) {
            (SdkError::ServiceError(_), Some(raw)) => {
                format!("HTTP status {} without an error code", raw.status().as_u16())
            }
            _ => errors::chain(error),
        },
    }
}

/// Whether a call was not sent because of the credentials provider's error.
fn is_about_credentials(error: &(dyn Error + 'static)) -> bool {
    cause::<CredentialsError>(error).is_some()
}

/// First cause of type `E`.
fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(found) = inner.downcast_ref::<E>() {
            return Some(found);
        }
        cause = inner.source();
    }
    None
}

fn weight(class: FailureClass) -> u8 {
    match class {
        // Of one region, while other regions of the listing may be denied.
        FailureClass::NotEnabled => 0,
        FailureClass::AccessDenied => 1,
        FailureClass::ServiceOff => 2,
        FailureClass::Credentials => 4,
        _ => 3,
    }
}

/// Codes of an unknown session: it is invalid, or its account has not enabled the region. S3's are the last two.
pub(crate) const UNKNOWN_SESSION: [&str; 5] =
    ["AuthFailure", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "InvalidToken"];

/// Codes of an expired session. EC2's is `RequestExpired`.
pub(crate) const SESSION_ENDED: [&str; 4] =
    ["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"];

/// Class of a code that services share. AWS documents them for EC2 ("Error codes for the Amazon EC2 API"), IAM ("Common
/// errors") and the JSON services. The HTTP status decides about any other code.
fn class_of(code: &str, message: &str, status: StatusCode) -> FailureClass {
    match code {
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "UnauthorizedAccess"
        | "AuthorizationError"
        | "NotAuthorized" => FailureClass::AccessDenied,
        // EC2 also returns it for another account's resource.
        "AuthFailure" if message.to_ascii_lowercase().contains("not authorized") => FailureClass::AccessDenied,
        // Not `ServiceOff`, which would remove the graph of the place. These codes do not mean that there is nothing to list:
        // AWS returns them in accounts that never signed up for a service, but also in accounts with resources that are being
        // verified or have unpaid bills ("Error codes for the Amazon EC2 API": "You are not authorized to use the requested
        // service"). Such an account may suddenly get them from all services, and keeps its resources. Neither code nor
        // message nor status distinguishes the cases.
        "OptInRequired" | "SubscriptionRequiredException" | "NotSignedUp" | "PendingVerification" | "Blocked" => {
            FailureClass::NotEnabled
        }
        _ if UNKNOWN_SESSION.contains(&code) => FailureClass::NotEnabled,
        _ if SESSION_ENDED.contains(&code) => FailureClass::Credentials,
        "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        // S3's code for a wrong clock on this machine; other services reject the signature.
        | "RequestTimeTooSkewed" => FailureClass::Credentials,
        "RequestTimeout" | "RequestTimeoutException" => FailureClass::Timeout,
        _ if throttle::is_throttle_code(code) => FailureClass::Throttled,
        _ => match status.as_u16() {
            401 | 403 => FailureClass::AccessDenied,
            429 => FailureClass::Throttled,
            _ => FailureClass::Service,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError;
    use aws_smithy_types::{body::SdkBody, error::ErrorMetadata};

    fn answered(status: u16, code: Option<&str>, message: &str) -> CollectError {
        let mut metadata = ErrorMetadata::builder().message(message);
        if let Some(code) = code {
            metadata = metadata.code(code);
        }
        let error = GetCallerIdentityError::generic(metadata.build());
        let status = StatusCode::try_from(status).expect("a status");
        SdkError::service_error(error, HttpResponse::new(status, SdkBody::empty())).into()
    }

    fn class(status: u16, code: &str, message: &str) -> FailureClass {
        answered(status, Some(code), message).class
    }

    #[test]
    fn codes_have_classes() {
        use FailureClass::{AccessDenied, Credentials, NotEnabled, Service, Throttled, Timeout};
        let denied = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: inspector2:ListFindings";
        for (status, code, message, expected) in [
            (403, "AccessDenied", denied, AccessDenied),
            (403, "AccessDeniedException", denied, AccessDenied),
            (403, "UnauthorizedOperation", "You are not authorized to perform this operation.", AccessDenied),
            (400, "AuthFailure", "Not authorized for images: [ami-1]", AccessDenied),
            (401, "AuthFailure", "AWS was not able to validate the provided access credentials", NotEnabled),
            (403, "InvalidClientTokenId", "The security token included in the request is invalid", NotEnabled),
            (400, "InvalidToken", "The provided token is malformed or otherwise invalid.", NotEnabled),
            (401, "OptInRequired", "You are not subscribed to this service", NotEnabled),
            (403, "OptInRequired", "The AWS Access Key Id needs a subscription for the service", NotEnabled),
            (401, "Blocked", "This account is currently blocked", NotEnabled),
            (400, "PendingVerification", "Your account is pending verification.", NotEnabled),
            (
                400,
                "SubscriptionRequiredException",
                "The AWS Access Key Id needs a subscription for the service",
                NotEnabled,
            ),
            (400, "ExpiredToken", "The security token included in the request is expired", Credentials),
            (503, "RequestLimitExceeded", "Request limit exceeded.", Throttled),
            (400, "Throttling", "Rate exceeded", Throttled),
            (400, "RequestTimeout", "", Timeout),
            (500, "InternalError", "An internal error has occurred", Service),
            (403, "SomethingNew", "", AccessDenied),
            (429, "SomethingNew", "", Throttled),
        ] {
            assert_eq!(class(status, code, message), expected, "{code}: {message}");
        }
    }

    #[test]
    fn a_service_gives_its_codes_a_class_of_its_own() {
        let code = |code, saying, class| ErrorCode { code, saying, class };
        let codes = [
            code("AccessDeniedException", "invoking account", FailureClass::NotEnabled),
            code("Gone", "", FailureClass::ServiceOff),
        ];
        let class = |code, message: &str| answered(403, Some(code), message).classified(&codes).class;
        assert_eq!(class("AccessDeniedException", "Invoking account has no access"), FailureClass::NotEnabled);
        assert_eq!(class("AccessDeniedException", "User: x is not authorized"), FailureClass::AccessDenied);
        assert_eq!(class("AccessDenied", "Invoking account has no access"), FailureClass::AccessDenied);
        assert_eq!(class("Gone", ""), FailureClass::ServiceOff);
        let off = CollectError {
            class: FailureClass::ServiceOff,
            ..answered(403, Some("AccessDeniedException"), "Invoking account is not enabled")
        };
        assert_eq!(off.classified(&codes).class, FailureClass::ServiceOff);
        let own = CollectError::internal("Gone").classified(&codes);
        assert_eq!(own.class, FailureClass::Internal, "Groma's own errors have no code");
    }

    #[test]
    fn an_unknown_session_is_a_missing_opt_in_only_where_one_opts_in() {
        let there = |region: &str| {
            let place = Place { region: region.into(), ..crate::testing::place() };
            answered(401, Some("AuthFailure"), "AWS was not able to validate").seen_from(&place).class
        };
        assert_eq!(there("ap-east-1"), FailureClass::NotEnabled);
        assert_eq!(there("us-east-1"), FailureClass::Credentials);
        assert_eq!(there("us-isof-south-1"), FailureClass::Credentials);
        assert_eq!(there("global"), FailureClass::Credentials, "it is asked in the home region");
        let opt_in = answered(401, Some("OptInRequired"), "subscribe").seen_from(&crate::testing::place());
        assert_eq!(opt_in.class, FailureClass::NotEnabled);
        let elsewhere = answered(400, Some("InvalidToken"), "The provided token is malformed").seen_in("ap-east-1");
        assert_eq!(elsewhere.seen_from(&crate::testing::place()).class, FailureClass::NotEnabled);
    }

    #[test]
    fn the_sentence_is_awss_own() {
        assert_eq!(answered(400, Some("Throttling"), "Rate exceeded").message, "Throttling: Rate exceeded");
        assert_eq!(answered(400, Some("Throttling"), "").message, "Throttling");
        assert_eq!(answered(502, None, "").message, "HTTP status 502 without an error code");
    }
}
