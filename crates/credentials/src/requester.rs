//! Requests leases from the broker over the bus.

use crate::{OneTimeKey, OpenError};
use aws_credential_types::Credentials;
use bus::{Bus, request::RequestError};
use events::{ClientSettings, Failure, FailureClass, LeaseAnswer, LeaseRequest, Message, lease_answer, subjects};
use std::time::{Duration, Instant};

/// Time limit of one request. The broker waits for STS, and limits its own calls.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Duration of the retries while no broker answers: long enough to restart one.
const DEADLINE: Duration = Duration::from_mins(1);
/// Pause before a retry. Doubles each time up to `LONGEST_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// Provider name of these credentials in the SDK's messages.
const PROVIDER: &str = "GromaLease";

/// Requests leases. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LeaseRequester {
    bus: Bus,
}

/// A session for one account and one service, with the settings of its clients.
#[derive(Debug, Clone)]
pub struct Lease {
    /// The session.
    pub credentials: Credentials,
    /// Endpoint and retries, from the broker's AWS configuration.
    pub settings: ClientSettings,
}

/// Error of a request for a lease.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// The broker refused, with its reason.
    #[error("{}", .0.error)]
    Refused(Failure),
    /// No broker answered.
    #[error("no lease from the broker")]
    NoAnswer(#[source] RequestError),
    /// The answer is not a message of the contract.
    #[error("cannot decode the broker's answer")]
    Unreadable(#[source] Option<events::DecodeError>),
    /// The answer is not sealed for this request.
    #[error("cannot open the broker's answer")]
    Sealed(#[source] OpenError),
}

impl LeaseError {
    /// Failure to show to a user: the broker's own if it refused.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Refused(failure) => Failure::new(failure.class(), &*failure.error),
            other => Failure::new(FailureClass::Credentials, errors::chain(other)),
        }
    }
}

impl LeaseRequester {
    /// Requests leases over this connection.
    pub fn new(bus: Bus) -> Self {
        Self { bus }
    }

    /// Requests a session for one account and one service that may call exactly `actions`. Retries for a minute if no
    /// broker answers. `fresh`: AWS rejected the session of the last lease as expired, so the broker must not return a
    /// cached one.
    ///
    /// # Errors
    /// Returns a [`LeaseError`].
    pub async fn lease(
        &self,
        sync_id: &str,
        account_id: &str,
        service: &str,
        actions: &[String],
        fresh: bool,
    ) -> Result<Lease, LeaseError> {
        let give_up = Instant::now() + DEADLINE;
        let mut pause = FIRST_PAUSE;
        loop {
            // Each attempt has its own key, so a late answer to an earlier attempt cannot be opened.
            let key = OneTimeKey::generate();
            let request = LeaseRequest { fresh, ..request(&key, sync_id, account_id, service, actions) };
            let asked = self.bus.ask(&subjects::lease(&request), request.encode_to_vec(), ANSWER_TIMEOUT).await;
            match asked {
                Ok(payload) => return Lease::open(key, &request, &payload),
                Err(RequestError::NobodyThere { .. } | RequestError::TimedOut { .. })
                    if Instant::now() + pause < give_up =>
                {
                    tracing::debug!(account_id, service, "no answer from a broker; retrying");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(error) => return Err(LeaseError::NoAnswer(error)),
            }
        }
    }
}

fn request(key: &OneTimeKey, sync_id: &str, account_id: &str, service: &str, actions: &[String]) -> LeaseRequest {
    let public_key = key.public_key();
    // A new public key is random, so it serves as the request id.
    let request_id = events::hex(&public_key[..public_key.len().min(16)]);
    LeaseRequest {
        request_id,
        sync_id: sync_id.to_owned(),
        account_id: account_id.to_owned(),
        service: service.to_owned(),
        actions: actions.to_vec(),
        public_key,
        fresh: false,
    }
}

impl Lease {
    /// Opens the broker's answer to a request, with the request's one-time key.
    ///
    /// # Errors
    /// Returns a [`LeaseError`] if the answer is unreadable, a refusal, or not sealed for this request.
    pub fn open(key: OneTimeKey, request: &LeaseRequest, payload: &[u8]) -> Result<Self, LeaseError> {
        let answer = LeaseAnswer::decode(payload).map_err(|error| LeaseError::Unreadable(Some(error)))?;
        match answer.outcome {
            Some(lease_answer::Outcome::Sealed(sealed)) => {
                let session = key.open(request, &sealed).map_err(LeaseError::Sealed)?;
                Ok(Self { credentials: session.credentials(PROVIDER), settings: answer.settings.unwrap_or_default() })
            }
            Some(lease_answer::Outcome::Refused(failure)) => Err(LeaseError::Refused(failure)),
            None => Err(LeaseError::Unreadable(None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Session, seal};

    fn asked() -> (OneTimeKey, LeaseRequest) {
        let key = OneTimeKey::generate();
        let request = request(&key, "s1", "111111111111", "ec2", &["ec2:DescribeVpcs".to_owned()]);
        (key, request)
    }

    fn answer(outcome: Option<lease_answer::Outcome>) -> Vec<u8> {
        let settings = Some(ClientSettings { endpoint_url: "http://localhost".into(), ..ClientSettings::default() });
        LeaseAnswer { outcome, settings }.encode_to_vec()
    }

    #[test]
    fn an_answer_becomes_a_lease_that_does_not_print_its_secret() {
        let (key, request) = asked();
        let granted = Credentials::new("ASIAEXAMPLE", "the-secret", Some("the-token".into()), None, PROVIDER);
        let sealed = seal::seal(&request.public_key, &request, &Session::from(&granted)).expect("a key");
        let lease = Lease::open(key, &request, &answer(Some(lease_answer::Outcome::Sealed(sealed)))).expect("a lease");
        assert_eq!(lease.credentials, granted);
        assert_eq!(lease.settings.endpoint_url, "http://localhost");
        let text = format!("{lease:?}");
        assert!(!text.contains("the-secret") && !text.contains("the-token"), "{text}");
    }

    #[test]
    fn a_refusal_keeps_the_brokers_words() {
        let (key, request) = asked();
        let refusal = Failure::new(FailureClass::Throttled, "STS is busy");
        let error =
            Lease::open(key, &request, &answer(Some(lease_answer::Outcome::Refused(refusal.clone())))).unwrap_err();
        assert_eq!(error.failure(), refusal);
        assert_eq!(error.to_string(), "STS is busy");
    }

    #[test]
    fn no_answer_at_all_is_a_failure_of_its_own() {
        for (payload, words) in
            [(answer(None), "cannot decode"), (vec![0xff; 4], "cannot decode the broker's answer: ")]
        {
            let (key, request) = asked();
            let failure = Lease::open(key, &request, &payload).unwrap_err().failure();
            assert_eq!(failure.class(), FailureClass::Credentials);
            assert!(failure.error.contains(words), "{failure}");
        }
    }

    #[test]
    fn requests_are_told_apart() {
        assert_ne!(asked().1.request_id, asked().1.request_id);
        assert_eq!(asked().1.request_id.len(), 32);
    }
}
