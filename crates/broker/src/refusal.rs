//! Reasons for a missing session, grouped by their fix. Each is one sentence without secrets.

use crate::plan::PlanError;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::{
    orchestrator::HttpResponse,
    result::{ConnectorError, SdkError},
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use events::{Failure, FailureClass};
use std::error::Error;

/// Kind of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Denied by a policy of the caller, the trust policy of the role, or a policy of the organization.
    NotAllowed,
    /// The role does not exist.
    NoSuchRole,
    /// The role requires another external id.
    ExternalId,
    /// The credentials at the start of the route have expired.
    SourceExpired,
    /// The credentials at the start of the route are missing or wrong.
    SourceMissing,
    /// AWS did not answer.
    Unreachable,
    /// AWS throttled the broker beyond all retries.
    Throttled,
    /// The AWS configuration is invalid.
    Configuration,
    /// A person would have to type a code (`mfa_serial`), and the broker runs unattended.
    NeedsCode,
    /// AWS cannot narrow the caller's own session, and it must not be leased.
    OwnIdentity,
    /// The account is outside the broker's scope.
    UnknownAccount,
    /// The request is invalid.
    BadRequest,
    /// AWS returned another error.
    Other,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 13] = [
        Self::NotAllowed,
        Self::NoSuchRole,
        Self::ExternalId,
        Self::SourceExpired,
        Self::SourceMissing,
        Self::Unreachable,
        Self::Throttled,
        Self::Configuration,
        Self::NeedsCode,
        Self::OwnIdentity,
        Self::UnknownAccount,
        Self::BadRequest,
        Self::Other,
    ];

    /// Returns the kind at the start of a refusal's sentence, as sent on the bus.
    pub fn of_sentence(sentence: &str) -> Self {
        let begins = |kind: &Self| sentence.strip_prefix(kind.words()).is_some_and(|rest| rest.starts_with(": "));
        Self::ALL.into_iter().find(begins).unwrap_or(Self::Other)
    }

    /// Advice for the user.
    pub fn fix(self) -> &'static str {
        match self {
            Self::NotAllowed | Self::NoSuchRole => {
                "create the role (deploy/aws/cloudformation/spoke.yaml or deploy/aws/terraform/spoke), and let its trust policy \
                 name the broker's identity and the external id, if any"
            }
            Self::ExternalId => {
                "set the external id that the role's trust policy requires: external_id, or --external-id"
            }
            Self::SourceExpired => "sign in again (aws sso login), or renew the keys",
            Self::SourceMissing => {
                "give the broker valid credentials: environment keys, AWS_PROFILE, SSO, or the role of an instance or a service \
                 account"
            }
            Self::Unreachable => {
                "let this machine reach AWS's endpoints: proxy (HTTPS_PROXY), firewall, VPC endpoints, AWS_ENDPOINT_URL; if a \
                 certificate is rejected, correct the clock or AWS_CA_BUNDLE"
            }
            Self::Throttled => "try again later, or find the other callers that use up the quota",
            Self::Configuration => "correct the AWS configuration: environment, AWS_CONFIG_FILE, AWS_PROFILE",
            Self::NeedsCode => {
                "remove mfa_serial from the profile (and the condition aws:MultiFactorAuthPresent from the role's trust policy), \
                 let a credential_process answer, or give the account another profile"
            }
            Self::OwnIdentity => "create a role in the account, or pass --lease-own-identity to the broker",
            Self::UnknownAccount => "remove it from --include and --account, or give the broker access to it",
            Self::BadRequest | Self::Other => "try again; if the problem persists, report it",
        }
    }

    /// First words of the sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::NotAllowed => "not allowed",
            Self::NoSuchRole => "no such role",
            Self::ExternalId => "external id needed",
            Self::SourceExpired => "source credentials expired",
            Self::SourceMissing => "no source credentials",
            Self::Unreachable => "AWS unreachable",
            Self::Throttled => "throttled",
            Self::Configuration => "configuration",
            Self::NeedsCode => "asks for a code",
            Self::OwnIdentity => "own identity kept",
            Self::UnknownAccount => "unknown account",
            Self::BadRequest => "not given",
            Self::Other => "refused",
        }
    }
}

/// Reason for a missing session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {sentence}", .kind.words())]
pub struct Refusal {
    /// Kind of the refusal.
    pub kind: Kind,
    /// Message for the user: one sentence.
    pub sentence: String,
}

impl Refusal {
    /// Whether the role is missing or plainly denied. Only then may another route be tried: throttling, a timeout or an
    /// unknown error says nothing about the role.
    pub fn is_plain_denial(&self) -> bool {
        matches!(self.kind, Kind::NotAllowed | Kind::NoSuchRole)
    }

    /// Whether another route into the account may be tried: after a plain denial, if the session must not be leased, or
    /// if the route needs a person.
    pub fn leads_on(&self) -> bool {
        self.is_plain_denial() || matches!(self.kind, Kind::OwnIdentity | Kind::NeedsCode)
    }

    /// Creates a refusal.
    pub fn new(kind: Kind, sentence: impl Into<String>) -> Self {
        Self { kind, sentence: sentence.into() }
    }

    /// Creates a refusal from a configuration error.
    pub fn configuration(error: &dyn std::error::Error) -> Self {
        Self::new(Kind::Configuration, errors::chain(error))
    }

    /// Refusal of a profile without a usable route.
    pub fn of_plan(error: &PlanError) -> Self {
        let kind = if matches!(error, PlanError::Mfa { .. }) { Kind::NeedsCode } else { Kind::Configuration };
        Self::new(kind, errors::chain(error))
    }

    /// Converts the refusal to the message for the bus.
    pub fn failure(&self) -> Failure {
        let class = match self.kind {
            Kind::Throttled => FailureClass::Throttled,
            Kind::BadRequest => FailureClass::Internal,
            _ => FailureClass::Credentials,
        };
        Failure::new(class, self.to_string())
    }

    /// Creates a refusal from a failed call to STS or Organizations. `doing` completes "cannot …".
    pub fn of_call<E>(error: &SdkError<E, HttpResponse>, doing: &str) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let Some(service) = error.as_service_error() else {
            let kind = match error {
                SdkError::ConstructionFailure(_) => Kind::Other,
                SdkError::DispatchFailure(_) if cause::<CredentialsError>(error).is_some() => Kind::SourceMissing,
                _ => Kind::Unreachable,
            };
            return Self::new(kind, format!("cannot {doing}: {}", one_line(&errors::chain(error))));
        };
        let code = service.code().unwrap_or("an unknown error");
        let message = one_line(service.message().unwrap_or_default());
        let (kind, advice) = kind_of(code, &message);
        let message = if message.is_empty() { String::new() } else { format!(" ({message})") };
        let advice = if advice.is_empty() { String::new() } else { format!("; {advice}") };
        Self::new(kind, format!("cannot {doing}: AWS returned {code}{message}{advice}"))
    }

    /// Creates a refusal from a failure to obtain the first credentials of a route.
    pub fn of_source(error: &CredentialsError, source: &dyn std::fmt::Display) -> Self {
        let text = one_line(&errors::chain(error));
        let said = text.to_ascii_lowercase();
        // A failed connection says nothing about the credentials; an expired certificate may be the cause.
        let is_not_there = matches!(error, CredentialsError::CredentialsNotLoaded(_));
        let kind = if !is_not_there && cause::<ConnectorError>(error).is_some() {
            Kind::Unreachable
        } else if said.contains("expired") && !said.contains("certificate") {
            Kind::SourceExpired
        } else {
            Kind::SourceMissing
        };
        Self::new(kind, format!("{source} are not available: {text}"))
    }
}

/// Returns the first error of this type in the chain.
fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    std::iter::successors(error.source(), |error| (*error).source()).find_map(<dyn Error>::downcast_ref)
}

/// Maps STS error codes (API reference, "Common errors" and `AssumeRole`) to a kind and advice. AWS returns
/// AccessDenied alike for a missing role, a role that does not trust the caller, and a wrong external id.
fn kind_of(code: &str, message: &str) -> (Kind, &'static str) {
    match code {
        "AccessDenied" | "AccessDeniedException" => denied(message),
        "NoSuchEntity" | "NoSuchEntityException" => (Kind::NoSuchRole, "create the role, or name another with --role"),
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "IDPRejectedClaim" => {
            (Kind::SourceExpired, "sign in again, or renew the keys")
        }
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "InvalidIdentityToken"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "AuthFailure" => {
            (Kind::SourceMissing, "the keys are wrong, deleted, or of another partition than the region")
        }
        "RegionDisabledException" => (Kind::Configuration, "activate STS in that region, or set another region"),
        "Throttling" | "ThrottlingException" | "TooManyRequestsException" | "RequestLimitExceeded" => {
            (Kind::Throttled, "")
        }
        "ServiceUnavailable" | "InternalFailure" | "InternalError" | "RequestTimeout" => (Kind::Unreachable, ""),
        "ValidationError" | "ValidationException" if message.to_ascii_lowercase().contains("externalid") => {
            (Kind::ExternalId, "the external id is not valid for STS")
        }
        "ValidationError" if message.contains("DurationSeconds exceeds") => {
            (Kind::Configuration, "set duration_seconds to a value that the role allows")
        }
        "AWSOrganizationsNotInUseException" => (Kind::Configuration, "this account is not in an organization"),
        _ => (Kind::Other, ""),
    }
}

/// AWS sometimes names the denying policy ("Troubleshoot access denied error messages").
fn denied(message: &str) -> (Kind, &'static str) {
    let text = message.to_ascii_lowercase();
    if text.contains("externalid") || text.contains("external id") {
        (Kind::ExternalId, "set the external id that the role's trust policy requires")
    } else if text.contains("explicit deny") {
        (Kind::NotAllowed, "a policy denies it explicitly")
    } else if text.contains("identity-based policy") && text.contains("sts:assumerole") {
        (Kind::NotAllowed, "allow the caller sts:AssumeRole on the role")
    } else if text.contains("not authorized to perform: sts:assumerole") {
        (
            Kind::NotAllowed,
            "the role does not exist, its trust policy does not name the caller, or it requires another external id: AWS does \
             not say which",
        )
    } else {
        (Kind::NotAllowed, "")
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_kinds() {
        let hidden = "User: u is not authorized to perform: sts:AssumeRole on resource: r";
        for (code, message, kind) in [
            ("AccessDenied", hidden, Kind::NotAllowed),
            ("AccessDenied", "… because no identity-based policy allows the sts:AssumeRole action", Kind::NotAllowed),
            ("AccessDenied", "The ExternalId does not match", Kind::ExternalId),
            ("NoSuchEntity", "Role r not found", Kind::NoSuchRole),
            ("ExpiredToken", "The security token included in the request is expired", Kind::SourceExpired),
            ("InvalidClientTokenId", "The security token included in the request is invalid.", Kind::SourceMissing),
            ("RegionDisabledException", "STS is not activated in this region", Kind::Configuration),
            ("Throttling", "Rate exceeded", Kind::Throttled),
            ("ServiceUnavailable", "", Kind::Unreachable),
            ("MalformedPolicyDocument", "", Kind::Other),
        ] {
            assert_eq!(kind_of(code, message).0, kind, "{code}: {message}");
        }
    }

    #[test]
    fn what_has_expired_may_be_a_certificate() {
        let refused = || ConnectorError::io("invalid peer certificate: certificate expired".into());
        let portal = SdkError::<std::io::Error, HttpResponse>::dispatch_failure(refused());
        for (error, kind) in [
            (CredentialsError::provider_error(portal), Kind::Unreachable),
            (CredentialsError::provider_error(refused()), Kind::Unreachable),
            (CredentialsError::provider_error("it says: x509: certificate has expired"), Kind::SourceMissing),
            (CredentialsError::provider_error("the SSO session has expired"), Kind::SourceExpired),
            (CredentialsError::not_loaded("no token"), Kind::SourceMissing),
        ] {
            let refusal = Refusal::of_source(&error, &"the keys");
            assert_eq!(refusal.kind, kind, "{refusal}");
        }
    }

    #[test]
    fn a_connection_that_breaks_off_is_no_matter_of_credentials() {
        use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError;
        let of = |error: ConnectorError| {
            let error = SdkError::<GetCallerIdentityError, HttpResponse>::dispatch_failure(error);
            Refusal::of_call(&error, "ask").kind
        };
        assert_eq!(
            of(ConnectorError::other("connection closed before message completed".into(), None)),
            Kind::Unreachable
        );
        let gone = CredentialsError::not_loaded("no keys");
        assert_eq!(of(ConnectorError::other(gone.into(), None)), Kind::SourceMissing);
    }

    #[test]
    fn a_sentence_says_its_kind() {
        for kind in Kind::ALL {
            assert_eq!(Kind::of_sentence(&Refusal::new(kind, "so").to_string()), kind);
        }
        assert_eq!(Kind::of_sentence("something else"), Kind::Other);
    }

    #[test]
    fn a_refusal_reads_as_one_sentence() {
        let refusal = Refusal::new(Kind::SourceExpired, "the keys of profile hub are not available");
        assert_eq!(
            refusal.failure().to_string(),
            "no credentials: source credentials expired: the keys of profile hub are not available"
        );
    }
}
