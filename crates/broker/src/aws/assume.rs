//! STS calls that return sessions.

use super::Aws;
use crate::{
    attribution::{Attempt, Attribution, Purpose},
    refusal::{Kind, Refusal},
    route::{Role, Route, WebIdentity},
    settings::Settings,
    sources,
};
use aws_credential_types::Credentials;
use aws_sdk_sts::{Client, types::Tag};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// Default session duration, and the longest one when a role assumes another role (IAM user guide, "Role chaining"), in
/// seconds.
const HOUR: i32 = 3_600;
/// Limit of policies recorded as too large for tags. A service has one, and one for each choice of `--types`.
const MOST_UNTAGGED: usize = 256;

impl Aws {
    /// Calls `AssumeRole`. With a purpose, the session is attributed as far as the role allows.
    pub(super) async fn assume(
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
        let plain = Attempt { attribution: Attribution::NAME_ONLY, guessed: false };
        let attempt = |(purpose, _): (&Purpose, &str)| self.attributions.lock().first(&arn, purpose.is_trial());
        let mut attempt = narrowed.map_or(plain, attempt);
        let mut has_room = narrowed.is_some_and(|(_, policy)| !self.untagged.lock().contains(policy));
        let mut region = role.region.as_str();
        loop {
            let attribution = Attribution { tags: attempt.attribution.tags && has_room, ..attempt.attribution };
            let profiles = self.setup.profiles();
            let settings = Settings::new(self.setup.environment(), &profiles, profile);
            let sts = self.setup.clients().sts(settings, region, Some(with.clone())).await?;
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
                    self.learn(&arn, attempt, narrowed.is_some());
                    return session(answer.credentials, &format!("assume {arn}"));
                }
                Err(error) => match (narrowed, elsewhere(region, &error), after(attempt, &error)) {
                    (_, Some(other), _) => region = other,
                    // Tags count towards the size of the policy. Never drop the policy instead: the session would be
                    // too wide.
                    (Some((_, policy)), ..) if attribution.tags && is_too_large(&error) => {
                        has_room = false;
                        self.leave_untagged(policy);
                    }
                    (Some(_), _, Some(next)) => attempt = next,
                    _ => return Err(Refusal::of_call(&error, &format!("assume {arn}"))),
                },
            }
        }
    }

    /// Calls `AssumeRoleWithWebIdentity`. It is not role chaining, and the session can be narrowed directly.
    ///
    /// # Errors
    /// Returns a [`Refusal`] if the call fails.
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
        let profiles = self.setup.profiles();
        let settings = Settings::new(self.setup.environment(), &profiles, profile);
        let ask = |sts: Client| {
            sts.assume_role_with_web_identity()
                .role_arn(role.to_string())
                .role_session_name(&name)
                .web_identity_token(token.as_str())
                .duration_seconds(seconds.unwrap_or(HOUR))
                .set_policy(narrowed.map(|(_, policy)| policy.to_owned()))
                .send()
        };
        let doing = format!("assume {role} with a web identity");
        let answer = self.ask(settings, region, None, &doing, ask).await?;
        session(answer.credentials, &doing)
    }

    /// Calls STS in a region, and once more in the partition's default region if the account has deactivated STS there.
    async fn ask<T, E, F>(
        &self,
        settings: Settings<'_>,
        region: &str,
        with: Option<Credentials>,
        doing: &str,
        ask: impl Fn(Client) -> F,
    ) -> Result<T, Refusal>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let mut asked = ask(self.setup.clients().sts(settings, region, with.clone()).await?).await;
        if let Some(other) = asked.as_ref().err().and_then(|error| elsewhere(region, error)) {
            asked = ask(self.setup.clients().sts(settings, other, with).await?).await;
        }
        asked.map_err(|error| Refusal::of_call(&error, doing))
    }

    /// Calls `GetFederationToken`, which narrows a user's long-lived key.
    ///
    /// # Errors
    /// Returns a [`Refusal`]: `NotAllowed` if the user may not make the call.
    pub async fn federate(
        &self,
        route: &Route,
        with: Credentials,
        purpose: &Purpose,
        policy: &str,
    ) -> Result<Credentials, Refusal> {
        let profiles = self.setup.profiles();
        let settings = Settings::new(self.setup.environment(), &profiles, route.profile.as_deref());
        let name: String = purpose.session_name().chars().take(32).collect();
        let ask = |sts: Client| sts.get_federation_token().name(&name).policy(policy).duration_seconds(HOUR).send();
        let doing = "narrow a user's key";
        let answer = self.ask(settings, settings.any_home_region(), Some(with), doing, ask).await?;
        session(answer.credentials, doing)
    }

    fn seconds(&self, role: &Role, with: &Credentials, asked: Option<i32>) -> i32 {
        let wanted = asked.or(role.duration_seconds).unwrap_or(HOUR);
        let chained = with.session_token().is_some();
        if chained && wanted > HOUR && self.first_time(format!("duration {}", role.arn)) {
            tracing::warn!(role = %role.arn, duration_seconds = wanted, "a session that assumes another role lasts at most an hour: requesting an hour");
        }
        if chained { wanted.min(HOUR) } else { wanted }
    }

    /// Records a policy that is too large to be combined with tags.
    fn leave_untagged(&self, policy: &str) {
        let mut untagged = self.untagged.lock();
        if untagged.len() >= MOST_UNTAGGED {
            untagged.clear();
        }
        if untagged.insert(policy.to_owned()) && self.first_time("too large for tags") {
            tracing::info!("a session policy leaves no room for tags: CloudTrail shows the sync in the session name");
        }
    }

    fn learn(&self, role: &str, attempt: Attempt, attributed: bool) {
        if !attributed || !self.attributions.lock().learn(role, attempt) {
            return;
        }
        let attribution = attempt.attribution;
        let denied = match (attribution.tags, attribution.source_identity) {
            (true, true) => return,
            (true, false) => "sts:SetSourceIdentity",
            (false, true) => "sts:TagSession",
            (false, false) => "sts:TagSession and sts:SetSourceIdentity",
        };
        tracing::info!(
            role,
            denied,
            "the role does not allow full attribution: CloudTrail shows the sync in the session name"
        );
    }
}

fn tags(purpose: &Purpose) -> Vec<Tag> {
    let tag = |(key, value): (&str, String)| Tag::builder().key(key).value(value).build().ok();
    purpose.tags().into_iter().filter_map(tag).collect()
}

/// Returns the region for a second call if the account has deactivated STS in this one. No account can deactivate it in
/// its partition's default region (IAM user guide, "Manage AWS STS in an AWS Region").
fn elsewhere<E: ProvideErrorMetadata>(region: &str, error: &SdkError<E, HttpResponse>) -> Option<&'static str> {
    let is_deactivated = error.as_service_error()?.code() == Some("RegionDisabledException");
    let default = regions::default_region(regions::partition_of_region(region));
    Some(default).filter(|default| is_deactivated && *default != region)
}

/// Returns the attribution to try after this error. `None` if the error has another cause, or everything was tried.
fn after<E: ProvideErrorMetadata>(attempt: Attempt, error: &SdkError<E, HttpResponse>) -> Option<Attempt> {
    let service = error.as_service_error()?;
    match service.code() {
        Some("AccessDenied" | "AccessDeniedException") => attempt.after_denial(service.message().unwrap_or_default()),
        _ => None,
    }
}

/// Whether policy and tags, which are packed together, are too large (STS API reference, `AssumeRole`).
fn is_too_large<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some("PackedPolicyTooLarge")
}

fn session(given: Option<aws_sdk_sts::types::Credentials>, doing: &str) -> Result<Credentials, Refusal> {
    let given =
        given.ok_or_else(|| Refusal::new(Kind::Other, format!("cannot {doing}: AWS returned no credentials")))?;
    let end = std::time::SystemTime::try_from(given.expiration).ok();
    Ok(Credentials::new(given.access_key_id, given.secret_access_key, Some(given.session_token), end, "STS"))
}
