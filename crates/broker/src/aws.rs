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
    route::{Role, Route, Source, WebIdentity},
    settings::{SettingError, Settings},
    sources::{self, Sources},
};
use aws_credential_types::Credentials;
use aws_sdk_sts::types::Tag;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use credentials::Authorities;
use events::ClientSettings;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Default length of a session, and the longest that a role session can get for another role (IAM user guide, "Role
/// chaining").
const HOUR: i32 = 3_600;
/// Shortest length.
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
    /// What each role allows to be said of a session.
    attributions: Mutex<HashMap<String, Attribution>>,
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
            attributions: Mutex::default(),
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
    /// be unknown, or a new sign-in or new keys may be in the files.
    ///
    /// # Errors
    /// [`Refusal`] of the last attempt.
    pub async fn renewing<T, F: Future<Output = Result<T, Refusal>>>(
        &self,
        source: Option<&Source>,
        attempt: impl Fn() -> F,
    ) -> Result<T, Refusal> {
        // Boxed: the future of an SDK's call nests so deeply that the compiler gives up on those around it.
        match Box::pin(attempt()).await {
            Err(Refusal { kind: Kind::SourceExpired, .. }) => {
                let is_meant = |it: &Source| source.is_none_or(|source| source == it);
                self.sources.forget(is_meant);
                self.hops.forget(|(source, _)| is_meant(source));
                // The old files stay where the new ones cannot be read.
                self.reload().ok();
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

    /// `AssumeRole`. With a purpose the session is attributed as far as the role allows.
    async fn assume(
        &self,
        profile: Option<&str>,
        role: &Role,
        with: Credentials,
        narrowed: Option<(&Purpose, &str)>,
        seconds: Option<i32>,
    ) -> Result<Credentials, Refusal> {
        let name = role.session_name.clone();
        let name =
            name.unwrap_or_else(|| narrowed.map_or_else(|| "groma-broker".to_owned(), |(p, _)| p.session_name()));
        let seconds = self.seconds(role, &with, seconds);
        let arn = role.arn.to_string();
        let mut attribution = narrowed.map_or(Attribution::NAME_ONLY, |_| self.attribution_of(&arn));
        loop {
            let profiles = self.profiles();
            let settings = Settings::new(&self.env, &profiles, profile);
            let sts = self.clients.sts(settings, &role.region, Some(with.clone())).await?;
            let tags = narrowed.filter(|_| attribution.tags).map(|(purpose, _)| tags(purpose));
            let asked = sts
                .assume_role()
                .role_arn(&arn)
                .role_session_name(&name)
                .duration_seconds(seconds)
                .set_external_id(role.external_id.clone())
                .set_policy(narrowed.map(|(_, policy)| policy.to_owned()))
                .set_tags(tags)
                .set_source_identity(attribution.source_identity())
                .send()
                .await;
            match asked {
                Ok(answer) => {
                    self.learn(&arn, attribution, narrowed.is_some());
                    return session(answer.credentials, &format!("assume {arn}"));
                }
                Err(error) => match less(attribution, &error).filter(|_| narrowed.is_some()) {
                    Some(less) => attribution = less,
                    None => return Err(Refusal::of_call(&error, &format!("assume {arn}"))),
                },
            }
        }
    }

    /// `AssumeRoleWithWebIdentity`: not role chaining, and the session can be narrowed at once.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn with_token(
        &self,
        profile: Option<&str>,
        identity: &WebIdentity,
        narrowed: Option<(&Purpose, &str)>,
        seconds: Option<i32>,
    ) -> Result<Credentials, Refusal> {
        let WebIdentity { role, session_name, region, .. } = identity;
        let token = sources::token(identity)?;
        let name = session_name.clone();
        let name =
            name.unwrap_or_else(|| narrowed.map_or_else(|| "groma-broker".to_owned(), |(p, _)| p.session_name()));
        let profiles = self.profiles();
        let sts = self.clients.sts(Settings::new(&self.env, &profiles, profile), region, None).await?;
        let asked = sts
            .assume_role_with_web_identity()
            .role_arn(role.to_string())
            .role_session_name(name)
            .web_identity_token(token.as_str())
            .duration_seconds(seconds.unwrap_or(HOUR))
            .set_policy(narrowed.map(|(_, policy)| policy.to_owned()))
            .send()
            .await;
        let doing = format!("assume {role} with a web identity");
        let answer = asked.map_err(|error| Refusal::of_call(&error, &doing))?;
        session(answer.credentials, &doing)
    }

    /// `GetFederationToken`: what a user's long-lived key can be narrowed to.
    ///
    /// # Errors
    /// [`Refusal`]; `NotAllowed` where the user may not call it.
    pub async fn federate(
        &self,
        route: &Route,
        with: Credentials,
        purpose: &Purpose,
        policy: &str,
    ) -> Result<Credentials, Refusal> {
        let profiles = self.profiles();
        let settings = Settings::new(&self.env, &profiles, route.profile.as_deref());
        let sts = self.clients.sts(settings, settings.any_home_region(), Some(with)).await?;
        let name: String = purpose.session_name().chars().take(32).collect();
        let asked = sts.get_federation_token().name(name).policy(policy).duration_seconds(HOUR).send().await;
        let answer = asked.map_err(|error| Refusal::of_call(&error, "narrow a user's key"))?;
        session(answer.credentials, "narrow a user's key")
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

    fn seconds(&self, role: &Role, with: &Credentials, asked: Option<i32>) -> i32 {
        let wanted = asked.or(role.duration_seconds).unwrap_or(HOUR);
        let chained = with.session_token().is_some();
        if chained && wanted > HOUR && self.first_time(format!("duration {}", role.arn)) {
            tracing::warn!(role = %role.arn, duration_seconds = wanted, "one role's session gets at most an hour for another role: asking for an hour");
        }
        if chained { wanted.min(HOUR) } else { wanted }
    }

    fn attribution_of(&self, role: &str) -> Attribution {
        lock(&self.attributions).get(role).copied().unwrap_or(Attribution::FULL)
    }

    fn learn(&self, role: &str, attribution: Attribution, attributed: bool) {
        if !attributed || lock(&self.attributions).insert(role.to_owned(), attribution) == Some(attribution) {
            return;
        }
        let denied = match (attribution.tags, attribution.source_identity) {
            (true, true) => return,
            (true, false) => "sts:SetSourceIdentity",
            (false, true) => "sts:TagSession",
            (false, false) => "sts:TagSession and sts:SetSourceIdentity",
        };
        tracing::info!(
            role,
            denied,
            "the role does not allow full attribution: CloudTrail shows the sync in the session's name"
        );
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tags(purpose: &Purpose) -> Vec<Tag> {
    let tag = |(key, value): (&str, String)| Tag::builder().key(key).value(value).build().ok();
    purpose.tags().into_iter().filter_map(tag).collect()
}

/// What to leave out after this error; none when it has another cause. Tags count towards the size of the policy too.
fn less<E: ProvideErrorMetadata>(attribution: Attribution, error: &SdkError<E, HttpResponse>) -> Option<Attribution> {
    let service = error.as_service_error()?;
    match service.code() {
        Some("AccessDenied" | "AccessDeniedException") => attribution.without(service.message().unwrap_or_default()),
        Some("PackedPolicyTooLarge") => attribution.without("sts:TagSession"),
        _ => None,
    }
}

fn session(given: Option<aws_sdk_sts::types::Credentials>, doing: &str) -> Result<Credentials, Refusal> {
    let given =
        given.ok_or_else(|| Refusal::new(Kind::Other, format!("cannot {doing}: AWS answers without credentials")))?;
    let end = std::time::SystemTime::try_from(given.expiration).ok();
    Ok(Credentials::new(given.access_key_id, given.secret_access_key, Some(given.session_token), end, "STS"))
}
