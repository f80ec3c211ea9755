//! The broker's AWS state (configuration, sessions, facts learned about roles), and the walk along a route.

use crate::{
    attribution::{Attributions, Purpose},
    config::OwnIdentity,
    environment::Environment,
    profiles::Profiles,
    refusal::{Kind, Refusal},
    renewal::Renewals,
    route::{Role, Route, Source},
    settings::{SettingError, Settings},
    setup::Setup,
    single_flight::{self, SingleFlight},
    sources::Sources,
};
use aws_credential_types::Credentials;
use events::ClientSettings;
use parking_lot::Mutex;
use std::{collections::HashSet, time::Instant};
use tokio::sync::{Semaphore, SemaphorePermit};

mod assume;

/// Shortest session duration that a role allows, in seconds (STS API reference, `AssumeRole`).
pub const SHORTEST: i32 = 900;

/// Limit of concurrent searches for single accounts of an organization. Each makes a few calls to Organizations, which
/// publishes no quota.
const ORGANIZATIONS_AT_ONCE: usize = 4;

/// AWS configuration and caches, shared by all requests.
pub struct Aws {
    setup: Setup,
    sources: Sources,
    /// Sessions of intermediate roles, by source and roles so far.
    hops: SingleFlight<(Source, Vec<Role>), Credentials>,
    renewals: Renewals,
    /// Attribution that roles allow.
    attributions: Mutex<Attributions>,
    /// Session policies that are too large to be combined with tags.
    untagged: Mutex<HashSet<String>>,
    own_identity: OwnIdentity,
    said: Mutex<HashSet<String>>,
    /// Permits for searches for single accounts of the organization.
    organizations: Semaphore,
}

/// Owner of credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// ARN of the caller.
    pub arn: String,
    /// Account id of the caller.
    pub account_id: String,
    /// Partition of the account.
    pub partition: String,
}

impl Aws {
    /// Starts with empty caches.
    pub fn new(env: Environment, profiles: Profiles, own_identity: OwnIdentity) -> Self {
        Self {
            setup: Setup::new(env, profiles),
            sources: Sources::default(),
            hops: SingleFlight::default(),
            renewals: Renewals::default(),
            attributions: Mutex::default(),
            untagged: Mutex::default(),
            own_identity,
            said: Mutex::default(),
            organizations: Semaphore::new(ORGANIZATIONS_AT_ONCE),
        }
    }

    /// The configuration, and the clients that follow it.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Waits for a permit to search for one account of the organization. Dropping the permit returns it.
    pub async fn organizations_turn(&self) -> Option<SemaphorePermit<'_>> {
        self.organizations.acquire().await.ok()
    }

    /// Handling of sessions that AWS cannot narrow.
    pub fn own_identity(&self) -> OwnIdentity {
        self.own_identity
    }

    /// Walks a route and returns the credentials at its end. If the last step assumes a role, `policy` narrows the
    /// session.
    ///
    /// # Errors
    /// Returns a [`Refusal`] if a step of the route fails.
    pub async fn enter(
        &self,
        route: &Route,
        purpose: &Purpose,
        policy: &str,
        seconds: Option<i32>,
    ) -> Result<Credentials, Refusal> {
        self.renewing(Some(&route.source), || self.try_enter(route, purpose, policy, seconds)).await
    }

    /// Runs `attempt`, and once more with renewed credentials if AWS rejects those of this source (or of any, for
    /// `None`) as expired. Their expiration may be unknown, or the files may hold a new sign-in or new keys. The same
    /// applies if AWS does not know a key from a file, because keys are rotated. Concurrent failures share one renewal.
    ///
    /// # Errors
    /// Returns the [`Refusal`] of the last attempt.
    pub async fn renewing<T, F: Future<Output = Result<T, Refusal>>>(
        &self,
        source: Option<&Source>,
        attempt: impl Fn() -> F,
    ) -> Result<T, Refusal> {
        let began = Instant::now();
        // Boxed: futures of SDK calls nest so deeply that the compiler rejects futures around them.
        let is_old = |kind: Kind| match kind {
            Kind::SourceExpired => true,
            Kind::SourceMissing => matches!(source, Some(Source::Keys { .. })),
            _ => false,
        };
        match Box::pin(attempt()).await {
            Err(Refusal { kind, .. }) if is_old(kind) => {
                self.renewals.renew(source, began, |is_meant| {
                    self.sources.forget(is_meant);
                    self.hops.forget(|(source, _)| is_meant(source));
                    // If the new files cannot be read, the previous content stays.
                    self.setup.reload().ok();
                });
                Box::pin(attempt()).await
            }
            done => done,
        }
    }

    async fn try_enter(
        &self,
        route: &Route,
        purpose: &Purpose,
        policy: &str,
        seconds: Option<i32>,
    ) -> Result<Credentials, Refusal> {
        match (route.roles.split_last(), &route.source) {
            (Some((role, before)), source) => {
                let hub = self.before(route.profile.as_deref(), source, before).await?;
                self.assume(route.profile.as_deref(), role, hub, Some((purpose, policy)), seconds).await
            }
            (None, Source::WebIdentity(identity)) => {
                self.with_token(route.profile.as_deref(), identity, Some((purpose, policy)), seconds).await
            }
            (None, source) => self.of_source(route.profile.as_deref(), source).await,
        }
    }

    /// Returns the credentials of a source, or of the last of these roles. They are the broker's own and are never
    /// leased.
    ///
    /// # Errors
    /// Returns a [`Refusal`] if a step fails.
    pub async fn before(&self, profile: Option<&str>, source: &Source, roles: &[Role]) -> Result<Credentials, Refusal> {
        let Some((role, before)) = roles.split_last() else {
            return self.of_source(profile, source).await;
        };
        let fetch = || async {
            let hub = Box::pin(self.before(profile, source, before)).await?;
            let session = self.assume(profile, role, hub, None, None).await?;
            let until = single_flight::replace_at(session.expiry());
            Ok((session, until))
        };
        self.hops.get(&(source.clone(), roles.to_vec()), fetch).await
    }

    async fn of_source(&self, profile: Option<&str>, source: &Source) -> Result<Credentials, Refusal> {
        let with_token = |identity| self.with_token(profile, identity, None, None);
        self.sources.credentials(&self.setup, profile, source, with_token).await
    }

    /// Calls `GetCallerIdentity` with these credentials.
    ///
    /// # Errors
    /// Returns a [`Refusal`] if the call fails.
    pub async fn identity(&self, profile: Option<&str>, with: Credentials) -> Result<Identity, Refusal> {
        let profiles = self.setup.profiles();
        let settings = Settings::new(self.setup.environment(), &profiles, profile);
        let sts = self.setup.clients().sts(settings, settings.any_home_region(), Some(with)).await?;
        let doing = "look up the identity of the credentials";
        let answer = sts.get_caller_identity().send().await.map_err(|error| Refusal::of_call(&error, doing))?;
        let arn = answer.arn.unwrap_or_default();
        let parts = crate::arn::partition_and_account(&arn)
            .map(|(partition, account)| (partition.to_owned(), account.to_owned()));
        let (partition, account_id) =
            parts.ok_or_else(|| Refusal::new(Kind::Other, format!("cannot {doing}: AWS returned the ARN {arn:?}")))?;
        Ok(Identity { account_id: answer.account.unwrap_or(account_id), partition, arn })
    }

    /// Client settings of a profile for a service, as sent to collectors.
    ///
    /// # Errors
    /// Fails if a setting cannot be used.
    pub fn client_settings(&self, profile: Option<&str>, service: &str) -> Result<ClientSettings, SettingError> {
        let profiles = self.setup.profiles();
        let settings = Settings::new(self.setup.environment(), &profiles, profile);
        if settings.retries()?.was_legacy && self.first_time("legacy") {
            tracing::warn!("the retry mode `legacy` is treated as `standard`, which retries the same errors");
        }
        for unclear in settings.unclear().into_iter().map(|it| it.to_string()) {
            if self.first_time(&*unclear) {
                tracing::warn!("{unclear}");
            }
        }
        if settings.global_sts()? && self.first_time("global STS") {
            tracing::warn!(
                "sts_regional_endpoints = legacy is treated as `regional`: opt-in regions reject sessions of the global \
                 endpoint"
            );
        }
        settings.of_clients(service)
    }

    /// Whether this warning is new. Records it, so that it is logged once.
    pub fn first_time(&self, what: impl Into<String>) -> bool {
        self.said.lock().insert(what.into())
    }
}

#[cfg(test)]
mod tests;
