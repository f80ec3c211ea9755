//! Credentials provider for the AWS SDK. Renews its lease while the collection runs.

use crate::{Lease, LeaseError, LeaseRequester};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, error::CredentialsError, future},
};
use events::ClientSettings;
use parking_lot::RwLock;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::sync::Mutex;

/// Renewal interval of credentials without an expiration: `saml2aws` and `aws-mfa` write session tokens into a file
/// without one, and a key may be rotated. The broker caches such credentials for a shorter time.
const UNKNOWN_END: Duration = Duration::from_mins(2);
/// Pause after a failed renewal while the session is still valid.
const TRY_AGAIN: Duration = Duration::from_secs(20);

/// Requests a lease, each time for the same account, service and actions. `true`: the broker must not use a cached
/// session.
pub type Ask = dyn Fn(bool) -> Pin<Box<dyn Future<Output = Result<Lease, LeaseError>> + Send>> + Send + Sync;

/// Credentials of one account and one service, renewed before they expire, because a collection may outlast a session.
/// Concurrent calls share one request (single flight). Cheap to clone; clones share the lease.
///
/// They are their own cache, so use them with `IdentityCache::no_cache()`: the SDK's own cache gives a provider five
/// seconds, and a broker that waits for STS may need longer.
#[derive(Clone)]
pub struct LeasedCredentials {
    shared: Arc<Shared>,
}

struct Shared {
    ask: Box<Ask>,
    held: RwLock<Held>,
    renewing: Mutex<()>,
}

#[derive(Clone)]
struct Held {
    credentials: Credentials,
    renew_at: SystemTime,
    /// AWS rejected the credentials as expired.
    is_refused: bool,
    /// Until then the credentials are new, and a rejection does not cause another renewal.
    fresh_until: SystemTime,
}

impl LeasedCredentials {
    /// Requests the first lease. Its settings apply to later leases too.
    ///
    /// # Errors
    /// Returns a [`LeaseError`] if the broker refuses or does not answer.
    pub async fn acquire(
        requester: LeaseRequester,
        sync_id: &str,
        account_id: &str,
        service: &str,
        actions: &[String],
    ) -> Result<(Self, ClientSettings), LeaseError> {
        let asked =
            Arc::new((requester, sync_id.to_owned(), account_id.to_owned(), service.to_owned(), actions.to_vec()));
        Self::from_ask(Box::new(move |fresh| {
            let asked = asked.clone();
            Box::pin(async move {
                let (requester, sync_id, account_id, service, actions) = &*asked;
                requester.lease(sync_id, account_id, service, actions, fresh).await
            })
        }))
        .await
    }

    /// Requests the first lease and all later ones with `ask`.
    ///
    /// # Errors
    /// Returns the error of `ask`.
    pub async fn from_ask(ask: Box<Ask>) -> Result<(Self, ClientSettings), LeaseError> {
        let Lease { credentials, settings } = ask(false).await?;
        let held = RwLock::new(Held::new(credentials, SystemTime::now()));
        Ok((Self { shared: Arc::new(Shared { ask, held, renewing: Mutex::new(()) }) }, settings))
    }

    /// Returns valid credentials, renewed if they are due.
    ///
    /// # Errors
    /// Fails if the credentials have expired and cannot be renewed.
    pub async fn current(&self) -> Result<Credentials, LeaseError> {
        let held = self.held();
        if !held.is_due() {
            return Ok(held.credentials);
        }
        // One caller renews. The others continue with the current session while it is valid, else they wait.
        let _turn = match self.shared.renewing.try_lock() {
            Ok(turn) => turn,
            Err(_) if held.is_alive() => return Ok(held.credentials),
            Err(_) => self.shared.renewing.lock().await,
        };
        let held = self.held();
        if held.is_due() { self.renew(held).await } else { Ok(held.credentials) }
    }

    /// Reports that AWS rejected the credentials with this access key id as expired, whatever their expiration says.
    /// Returns whether to repeat the call with renewed credentials: `false` if the rejected ones are new.
    pub fn refuse(&self, access_key_id: &str) -> bool {
        let mut held = self.shared.held.write();
        if held.credentials.access_key_id() != access_key_id {
            return true;
        }
        held.is_refused |= held.fresh_until <= SystemTime::now();
        held.is_refused
    }

    async fn renew(&self, old: Held) -> Result<Credentials, LeaseError> {
        let renewed = match (self.shared.ask)(old.is_refused).await {
            Ok(lease) if old.is_refused => {
                let now = SystemTime::now();
                Held { fresh_until: now + UNKNOWN_END, ..Held::new(lease.credentials, now) }
            }
            Ok(lease) => Held::new(lease.credentials, SystemTime::now()),
            Err(error) if old.is_alive() => {
                tracing::warn!(
                    error = errors::chain(&error),
                    "cannot renew a session yet; continuing with the current one"
                );
                Held { renew_at: SystemTime::now() + TRY_AGAIN, ..old }
            }
            Err(error) => return Err(error),
        };
        *self.shared.held.write() = renewed.clone();
        Ok(renewed.credentials)
    }

    fn held(&self) -> Held {
        self.shared.held.read().clone()
    }
}

impl Held {
    fn new(credentials: Credentials, now: SystemTime) -> Self {
        let renew_at = credentials.expiry().map_or_else(|| now + UNKNOWN_END, |end| aws_client::renew_at(end, now));
        Self { credentials, renew_at, is_refused: false, fresh_until: now }
    }

    fn is_due(&self) -> bool {
        self.is_refused || self.renew_at <= SystemTime::now()
    }

    fn is_alive(&self) -> bool {
        !self.is_refused && self.credentials.expiry().is_none_or(|end| end > SystemTime::now())
    }
}

impl ProvideCredentials for LeasedCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async { self.current().await.map_err(CredentialsError::provider_error) })
    }
}

impl fmt::Debug for LeasedCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expiry = self.held().credentials.expiry();
        f.debug_struct("LeasedCredentials").field("expiry", &expiry).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bus::request::RequestError;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    /// A broker whose nth lease (from 0) lives as long as `lives[n]`, in milliseconds; `None` has no end. After the
    /// last lease, requests fail.
    fn broker(lives: &'static [Option<u64>]) -> (Box<Ask>, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let ask = Box::new(move |_| {
            let nth = count.fetch_add(1, SeqCst);
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                let gone = || LeaseError::NoAnswer(RequestError::NobodyThere { subject: "s".into() });
                let life = lives.get(nth).ok_or_else(gone)?;
                let end = life.map(|life| SystemTime::now() + Duration::from_millis(life));
                let credentials = Credentials::new(format!("KEY{nth}"), "secret", None, end, "test");
                Ok(Lease { credentials, settings: ClientSettings::default() })
            }) as Pin<Box<dyn Future<Output = _> + Send>>
        });
        (ask, asked)
    }

    async fn leased(lives: &'static [Option<u64>]) -> (LeasedCredentials, Arc<AtomicUsize>) {
        let (ask, asked) = broker(lives);
        let (leased, _) = LeasedCredentials::from_ask(ask).await.expect("the first lease is there");
        (leased, asked)
    }

    async fn key(leased: &LeasedCredentials) -> Result<String, LeaseError> {
        leased.current().await.map(|credentials| credentials.access_key_id().to_owned())
    }

    #[tokio::test]
    async fn a_lease_that_lives_is_not_asked_for_again() {
        for lives in [&[Some(3_600_000)], &[None]] {
            let (leased, asked) = leased(lives).await;
            assert_eq!((key(&leased).await.unwrap(), key(&leased).await.unwrap()), ("KEY0".into(), "KEY0".into()));
            assert_eq!(asked.load(SeqCst), 1);
        }
    }

    #[tokio::test]
    async fn many_who_want_an_expired_one_make_one_request() {
        let (leased, asked) = leased(&[Some(0), Some(3_600_000)]).await;
        let wanted = (0..50).map(|_| {
            let leased = leased.clone();
            tokio::spawn(async move { key(&leased).await.expect("a lease") })
        });
        for task in wanted.collect::<Vec<_>>() {
            assert_eq!(task.await.expect("no panic"), "KEY1");
        }
        assert_eq!(asked.load(SeqCst), 2);
    }

    /// Sets the renewal time to now, as if all but the last fifth of the session's life were over.
    fn make_due(leased: &LeasedCredentials) {
        leased.shared.held.write().renew_at = SystemTime::UNIX_EPOCH;
    }

    #[test]
    fn the_last_fifth_of_a_life_is_for_renewing() {
        let now = SystemTime::now();
        let end = now + Duration::from_mins(10);
        let held = Held::new(Credentials::new("KEY", "secret", None, Some(end), "test"), now);
        assert_eq!(held.renew_at, end - Duration::from_mins(2));
        assert!(held.is_alive());
    }

    #[tokio::test]
    async fn credentials_that_do_not_say_when_they_end_are_renewed_too() {
        let now = SystemTime::now();
        let held = Held::new(Credentials::new("KEY", "secret", Some("token".into()), None, "test"), now);
        assert_eq!(held.renew_at, now + Duration::from_mins(2));
        let (leased, asked) = leased(&[None, None]).await;
        make_due(&leased);
        assert_eq!(key(&leased).await.unwrap(), "KEY1");
        make_due(&leased);
        assert_eq!(key(&leased).await.unwrap(), "KEY1", "it may still hold when the broker is gone");
        assert_eq!(asked.load(SeqCst), 3);
    }

    #[tokio::test]
    async fn it_is_renewed_before_it_ends() {
        let (leased, _) = leased(&[Some(3_600_000), Some(3_600_000)]).await;
        assert_eq!(key(&leased).await.unwrap(), "KEY0");
        make_due(&leased);
        assert_eq!(key(&leased).await.unwrap(), "KEY1");
    }

    #[tokio::test]
    async fn without_a_broker_it_holds_to_its_end_and_then_says_so() {
        let (leased, _) = leased(&[Some(3_600_000)]).await;
        make_due(&leased);
        assert_eq!(key(&leased).await.unwrap(), "KEY0", "still alive");
        *leased.shared.held.write() = Held::new(
            Credentials::new("KEY0", "secret", None, Some(SystemTime::UNIX_EPOCH), "test"),
            SystemTime::now(),
        );
        let failure = key(&leased).await.unwrap_err().failure();
        assert!(failure.error.contains("is the broker running"), "{failure}");
    }

    #[tokio::test]
    async fn credentials_that_aws_calls_ended_are_replaced_once() {
        let (leased, asked) = leased(&[Some(3_600_000), Some(3_600_000), Some(3_600_000)]).await;
        assert!(leased.refuse("KEY0"));
        assert_eq!(key(&leased).await.unwrap(), "KEY1");
        assert!(leased.refuse("KEY0"), "a call that began before");
        assert!(!leased.refuse("KEY1"), "fresh ones do not help");
        assert_eq!(key(&leased).await.unwrap(), "KEY1");
        assert_eq!(asked.load(SeqCst), 2);
    }

    #[tokio::test]
    async fn nothing_secret_is_printed() {
        let (leased, _) = leased(&[None]).await;
        assert!(!format!("{leased:?}").contains("secret"));
    }
}
