//! Leases: sessions for one account and one service with exactly the requested actions, sealed to the key of the
//! request.

use crate::{
    arn::is_account_id,
    attribution::Purpose,
    aws::Aws,
    own_identity, policy,
    refusal::{Kind, Refusal},
    route::Route,
    single_flight::{self, SingleFlight},
};
use aws_credential_types::Credentials;
use credentials::{Session, seal};
use events::{LeaseRequest, SealedSession};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Lifetime of cached credentials without an expiration. Collectors renew them every two minutes
/// (`credentials::leased`).
const KEEP_ENDLESS: Duration = Duration::from_mins(1);

/// Sync, account, service and policy of a lease.
type Key = (String, String, String, String);

/// Leased sessions that are still valid, each with the time at which it was obtained.
#[derive(Default)]
pub struct Leases {
    given: SingleFlight<Key, (Arc<Session>, Instant)>,
}

impl Leases {
    /// Returns a sealed session for a request, obtained along a route, and its age.
    ///
    /// # Errors
    /// Returns a [`Refusal`] if the request is invalid or the session cannot be obtained.
    pub async fn lease(
        &self,
        aws: &Aws,
        route: &Route,
        request: &LeaseRequest,
    ) -> Result<(SealedSession, Duration), Refusal> {
        let LeaseRequest { sync_id, account_id, service, actions, .. } = request;
        let policy = policy::document(service, actions);
        let policy = policy.map_err(|error| Refusal::new(Kind::BadRequest, error.to_string()))?;
        let key = (sync_id.clone(), account_id.clone(), service.clone(), policy);
        if request.fresh {
            self.given.forget(|given| *given == key);
        }
        let fetch = || async {
            let purpose = Purpose { service: service.clone(), sync_id: sync_id.clone() };
            let given = session(aws, (route, account_id), &purpose, &key.3).await?;
            let until =
                single_flight::replace_at(given.expiry()).unwrap_or_else(|| single_flight::now() + KEEP_ENDLESS);
            Ok(((Arc::new(Session::from(&given)), Instant::now()), Some(until)))
        };
        let (session, obtained) = self.given.get(&key, fetch).await?;
        let sealed = seal::seal(&request.public_key, request, &session);
        let sealed = sealed.map_err(|error| Refusal::new(Kind::BadRequest, error.to_string()))?;
        Ok((sealed, obtained.elapsed()))
    }
}

/// Rejects requests that no collector makes.
///
/// # Errors
/// Names the invalid field.
pub fn check(request: &LeaseRequest) -> Result<(), Refusal> {
    let plain = |text: &str| text.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
    let wrong = |sentence: &str| Err(Refusal::new(Kind::BadRequest, sentence));
    match request {
        _ if !is_account_id(&request.account_id) => wrong("the account id must have 12 digits"),
        _ if request.service.is_empty() || request.service.len() > 32 || !plain(&request.service) => {
            wrong("the service name must have 1 to 32 lower-case letters, digits and hyphens")
        }
        _ if request.sync_id.len() > 128 => wrong("the sync id is too long"),
        _ if request.public_key.len() != 32 => wrong("the request's public key is not an X25519 key"),
        _ => Ok(()),
    }
}

/// Obtains a session of the account, narrowed by the policy if AWS can do that.
async fn session(
    aws: &Aws,
    (route, account_id): (&Route, &str),
    purpose: &Purpose,
    policy: &str,
) -> Result<Credentials, Refusal> {
    if route.is_narrowed() {
        return aws.enter(route, purpose, policy, None).await;
    }
    own_identity::session(aws, (route, account_id), purpose, policy).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_no_collector_makes_are_refused() {
        let good = LeaseRequest {
            request_id: "r".into(),
            sync_id: "s".into(),
            account_id: "111111111111".into(),
            service: "ec2".into(),
            actions: vec!["ec2:DescribeVpcs".into()],
            public_key: vec![1; 32],
            fresh: false,
        };
        assert_eq!(check(&good), Ok(()));
        let changes: [fn(&mut LeaseRequest); 6] = [
            |r| r.account_id = "1".into(),
            |r| r.account_id = "11111111111a".into(),
            |r| r.service = "EC2 *".into(),
            |r| r.service = String::new(),
            |r| r.sync_id = "s".repeat(200),
            |r| r.public_key = vec![1; 31],
        ];
        for change in changes {
            let mut bad = good.clone();
            change(&mut bad);
            assert_eq!(check(&bad).map_err(|refusal| refusal.kind), Err(Kind::BadRequest), "{bad:?}");
        }
    }
}
