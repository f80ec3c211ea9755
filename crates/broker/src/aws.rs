//! AWS as the broker uses it: configuration, connections, what was learned of roles; and the way along a route.

use crate::{
    attribution::{Attribution, Purpose},
    clients::Clients,
    config::OwnIdentity,
    environment::Environment,
    flight::{self, Flights},
    plan::Planner,
    profiles::{Profiles, ProfilesError},
    refusal::{Kind, Refusal},
    renewal::Renewals,
    route::{Role, Route, Source},
    settings::{SettingError, Settings},
    sources::Sources,
};
use aws_credential_types::Credentials;
use credentials::Authorities;
use events::ClientSettings;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Instant,
};
use tokio::sync::{Semaphore, SemaphorePermit};

mod assume;

/// Shortest session that a role may give, in seconds (STS API reference, `AssumeRole`).
pub const SHORTEST: i32 = 900;

/// Accounts of an organization that are looked for at the same time, each with a few calls of Organizations, which
/// publishes no quota.
const ORGANIZATIONS_AT_ONCE: usize = 4;

/// Everything that is needed to get along a route.
pub struct Aws {
    env: Environment,
    profiles: RwLock<Arc<Profiles>>,
    clients: Clients,
    sources: Sources,
    /// Sessions on the way, by source and the roles so far.
    hops: Flights<(Source, Vec<Role>), Credentials>,
    renewals: Renewals,
    /// What each role allows to be said of a session.
    attributions: Mutex<HashMap<String, Attribution>>,
    /// Session policies that are too large for tags beside them, whatever the role allows.
    untagged: Mutex<HashSet<String>>,
    own_identity: OwnIdentity,
    said: Mutex<HashSet<String>>,
    /// Turns of looking for one account of the organization.
    organizations: Semaphore,
}

/// Who credentials belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Of the caller.
    pub arn: String,
    /// Its account.
    pub account_id: String,
    /// The account's partition.
    pub partition: String,
}

impl Aws {
    /// With this configuration.
    pub fn new(env: Environment, profiles: Profiles, own_identity: OwnIdentity) -> Self {
        Self {
            env,
            profiles: RwLock::new(Arc::new(profiles)),
            clients: Clients::default(),
            sources: Sources::default(),
            hops: Flights::default(),
            renewals: Renewals::default(),
            attributions: Mutex::default(),
            untagged: Mutex::default(),
            own_identity,
            said: Mutex::default(),
            organizations: Semaphore::new(ORGANIZATIONS_AT_ONCE),
        }
    }

    /// The environment.
    pub fn environment(&self) -> &Environment {
        &self.env
    }

    /// A turn of looking for one account of the organization; it ends when it is dropped.
    pub async fn organizations_turn(&self) -> Option<SemaphorePermit<'_>> {
        self.organizations.acquire().await.ok()
    }

    /// What becomes of sessions that AWS cannot narrow.
    pub fn own_identity(&self) -> OwnIdentity {
        self.own_identity
    }

    /// Both files, as last read.
    pub fn profiles(&self) -> Arc<Profiles> {
        self.profiles.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Clients of STS and Organizations.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// Checks that the AWS files that were asked for are there and open to the user.
    ///
    /// # Errors
    /// [`ProfilesError`].
    pub fn all_files_there(&self) -> Result<(), ProfilesError> {
        self.profiles.read().unwrap_or_else(PoisonError::into_inner).all_there()
    }

    /// Reads both files anew: keys may have been rotated and profiles added.
    ///
    /// # Errors
    /// When one can no longer be read; the old ones stay.
    pub fn reload(&self) -> Result<(), ProfilesError> {
        let fresh = Profiles::load(&self.env)?;
        fresh.still_open(&self.profiles())?;
        *self.profiles.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(())
    }

    /// Runs with a planner over the current configuration.
    pub fn plan<T>(&self, with: impl FnOnce(Planner<'_>) -> T) -> T {
        with(Planner::new(&self.env, &self.profiles()))
    }

    /// Credentials at the end of a route, for a purpose, narrowed by a session policy where a role is assumed.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn enter(
        &self,
        route: &Route,
        purpose: &Purpose,
        policy: &str,
        seconds: Option<i32>,
    ) -> Result<Credentials, Refusal> {
        self.renewing(Some(&route.source), || self.try_enter(route, purpose, policy, seconds)).await
    }

    /// Tries once more with fresh credentials where AWS says that those of this source, or of any, have expired. Their end may
    /// be unknown, or a new sign-in or new keys may be in the files. So it does where AWS does not know the key of a file: it
    /// may have been rotated. Of many attempts that fail at the same time, one renews them.
    ///
    /// # Errors
    /// [`Refusal`] of the last attempt.
    pub async fn renewing<T, F: Future<Output = Result<T, Refusal>>>(
        &self,
        source: Option<&Source>,
        attempt: impl Fn() -> F,
    ) -> Result<T, Refusal> {
        let began = Instant::now();
        // Boxed: the future of an SDK's call nests so deeply that the compiler gives up on those around it.
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
                    // The old files stay where the new ones cannot be read.
                    self.reload().ok();
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
            (None, source) => self.sources.credentials(self, route.profile.as_deref(), source).await,
        }
    }

    /// Credentials of a source, or of the last of these roles: the broker's own, never given away.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn before(&self, profile: Option<&str>, source: &Source, roles: &[Role]) -> Result<Credentials, Refusal> {
        let Some((role, before)) = roles.split_last() else {
            return self.sources.credentials(self, profile, source).await;
        };
        let fetch = || async {
            let hub = Box::pin(self.before(profile, source, before)).await?;
            let session = self.assume(profile, role, hub, None, None).await?;
            let until = flight::replace_at(session.expiry());
            Ok((session, until))
        };
        self.hops.get(&(source.clone(), roles.to_vec()), fetch).await
    }

    /// `GetCallerIdentity` of these credentials.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn identity(&self, profile: Option<&str>, with: Credentials) -> Result<Identity, Refusal> {
        let profiles = self.profiles();
        let settings = Settings::new(&self.env, &profiles, profile);
        let sts = self.clients.sts(settings, settings.any_home_region(), Some(with)).await?;
        let doing = "find out whose the credentials are";
        let answer = sts.get_caller_identity().send().await.map_err(|error| Refusal::of_call(&error, doing))?;
        let arn = answer.arn.unwrap_or_default();
        let parts = crate::arn::partition_and_account(&arn)
            .map(|(partition, account)| (partition.to_owned(), account.to_owned()));
        let (partition, account_id) = parts
            .ok_or_else(|| Refusal::new(Kind::Other, format!("cannot {doing}: AWS answers with the ARN {arn:?}")))?;
        Ok(Identity { account_id: answer.account.unwrap_or(account_id), partition, arn })
    }

    /// What a collector's clients are told of a profile's settings for a service.
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub fn client_settings(&self, profile: Option<&str>, service: &str) -> Result<ClientSettings, SettingError> {
        let profiles = self.profiles();
        let settings = Settings::new(&self.env, &profiles, profile);
        if settings.retries()?.was_legacy && self.first_time("legacy") {
            tracing::warn!("the retry mode `legacy` is read as `standard`, which repeats the same errors");
        }
        for unclear in settings.unclear().into_iter().map(|it| it.to_string()) {
            if self.first_time(&*unclear) {
                tracing::warn!("{unclear}");
            }
        }
        if settings.global_sts()? && self.first_time("global STS") {
            tracing::warn!(
                "sts_regional_endpoints = legacy is read as `regional`: regions that accounts opt into refuse sessions of \
                 the global endpoint"
            );
        }
        settings.of_clients(service)
    }

    /// Whom clients trust, as a profile sees it.
    ///
    /// # Errors
    /// When the bundle cannot be used.
    pub fn authorities(&self, profile: Option<&str>) -> Result<Authorities, SettingError> {
        Settings::new(&self.env, &self.profiles(), profile).authorities()
    }

    /// The region in which any account of a partition can be asked, as a profile sees it.
    pub fn home_region(&self, profile: Option<&str>, partition: &str) -> String {
        Settings::new(&self.env, &self.profiles(), profile).home_region(partition).to_owned()
    }

    /// Whether this is said for the first time.
    pub fn first_time(&self, what: impl Into<String>) -> bool {
        lock(&self.said).insert(what.into())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
