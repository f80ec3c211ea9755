//! From configuration to ways into AWS, without asking anybody.

use crate::{
    arn::{NoRoleArn, RoleArn},
    environment::Environment,
    profiles::{Misread, Profiles},
    route::{Role, Route, Source, Sso, WebIdentity},
    settings::Settings,
};

/// Shortest and longest session that a role may give, in seconds (STS API reference, `AssumeRole`).
const DURATIONS: std::ops::RangeInclusive<i32> = 900..=43_200;

/// Limit of a chain of source profiles. Each profile costs a call of STS.
const MOST_SOURCES: usize = 32;

/// A configuration that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each says itself what it means")]
pub enum PlanError {
    #[error("there is no AWS profile {profile:?}; {known}")]
    NoSuchProfile { profile: String, known: String },
    #[error("the source_profile of {profile:?} is {source_profile:?}, and there is no such profile")]
    NoSuchSource { profile: String, source_profile: String },
    #[error("profile {profile:?} takes its credentials from {source_profile:?}, which holds none")]
    EmptySource { profile: String, source_profile: String },
    #[error("source_profile goes round in a circle: {0}")]
    Circle(String),
    #[error("the source_profile of {profile:?} leads over more than {MOST_SOURCES} profiles")]
    TooLong { profile: String },
    #[error(
        "profile {profile:?} has a role_arn but neither source_profile nor credential_source: who is to assume it?"
    )]
    NoSource { profile: String },
    #[error("profile {profile:?} has both source_profile and credential_source: only one can be meant")]
    TwoSources { profile: String },
    #[error(
        "credential_source of profile {profile:?} is {value:?}: it may be Ec2InstanceMetadata, EcsContainer or Environment"
    )]
    UnknownSource { profile: String, value: String },
    #[error(
        "profile {profile:?} has an mfa_serial, and nobody is there to type a code: remove it, or let a credential_process \
         answer (aws configure export-credentials --profile {profile} does)"
    )]
    Mfa { profile: String },
    #[error("role_arn of profile {profile:?}: {wrong}")]
    RoleArn { profile: String, wrong: NoRoleArn },
    #[error("duration_seconds of profile {profile:?} is {value:?}: it has to be a number from 900 to 43200")]
    Duration { profile: String, value: String },
    #[error("profile {profile:?} cannot be understood: {misread}")]
    Misread { profile: String, misread: Misread },
    #[error("profile {profile:?} holds no credentials")]
    NoCredentials { profile: String },
    #[error("profile {profile:?} holds only half of its keys: {missing} is missing")]
    HalfKeys { profile: String, missing: &'static str },
    #[error("profile {profile:?} uses IAM Identity Center, and {missing} is missing")]
    HalfSso { profile: String, missing: &'static str },
    #[error("profile {profile:?} has a web_identity_token_file but no role_arn")]
    HalfWebIdentity { profile: String },
    #[error(
        "profile {profile:?} has a login_session, which only the AWS CLI can use: add credential_process = aws configure \
         export-credentials --profile {profile} in a profile of its own"
    )]
    LoginSession { profile: String },
    #[error("AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not a role: {0}")]
    EnvironmentRole(NoRoleArn),
    #[error(
        "no AWS credentials were found: neither keys in the environment, nor a profile, a web identity, a container's; instance metadata is switched off"
    )]
    Nothing,
}

/// A profile and its way.
pub type Planned = (String, Result<Route, PlanError>);

/// Reads routes out of the environment and the profiles.
#[derive(Debug, Clone, Copy)]
pub struct Planner<'a> {
    env: &'a Environment,
    profiles: &'a Profiles,
}

impl<'a> Planner<'a> {
    /// From these.
    pub fn new(env: &'a Environment, profiles: &'a Profiles) -> Self {
        Self { env, profiles }
    }

    /// The caller itself, in the order of AWS's SDKs: keys in the environment, the selected profile, web identity,
    /// container, instance. A profile named on the command line goes before the environment's keys, as in the AWS CLI.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn caller(&self, named: Option<&str>) -> Result<Route, PlanError> {
        if let Some(profile) = named {
            return self.profile(profile);
        }
        let selected = self.env.profile();
        let settings_of = selected.unwrap_or("default").to_owned();
        let by = |source| Route { profile: Some(settings_of.clone()), source, roles: Vec::new() };
        if self.env.get("AWS_ACCESS_KEY_ID").is_some() && self.env.get("AWS_SECRET_ACCESS_KEY").is_some() {
            return Ok(by(Source::Environment));
        }
        match self.profile(&settings_of) {
            Err(PlanError::NoSuchProfile { .. } | PlanError::NoCredentials { .. }) if selected.is_none() => {}
            Err(PlanError::NoCredentials { .. }) => {}
            planned => return planned,
        }
        if let Some(file) = self.env.get("AWS_WEB_IDENTITY_TOKEN_FILE") {
            let role = self.env.get("AWS_ROLE_ARN").unwrap_or_default().parse().map_err(PlanError::EnvironmentRole)?;
            let session_name = self.env.get("AWS_ROLE_SESSION_NAME").map(str::to_owned);
            return Ok(by(self.web_identity(role, file, session_name, None, &settings_of)));
        }
        let container = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
        if container.iter().any(|name| self.env.get(name).is_some()) {
            return Ok(by(Source::EcsContainer));
        }
        if self.env.is_true("AWS_EC2_METADATA_DISABLED") {
            return Err(PlanError::Nothing);
        }
        Ok(by(Source::Ec2InstanceMetadata { last_resort: true }))
    }

    /// Every profile but `default` that holds credentials or a role, in the order of the files; or those named, which have
    /// to be there and to lead somewhere.
    ///
    /// # Errors
    /// When a named profile does not exist. What is wrong with a single profile stands in its own result.
    pub fn all(&self, named: &[String]) -> Result<Vec<Planned>, PlanError> {
        if !named.is_empty() {
            let route = |name: &String| match self.profile(name) {
                Err(error @ PlanError::NoSuchProfile { .. }) => Err(error),
                planned => Ok((name.clone(), planned)),
            };
            return named.iter().map(route).collect();
        }
        let others = self.profiles.names().filter(|name| *name != "default");
        let planned = others.map(|name| (name.to_owned(), self.profile(name)));
        Ok(planned.filter(|(_, route)| !matches!(route, Err(PlanError::NoCredentials { .. }))).collect())
    }

    /// The way of one profile, its sources followed.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn profile(&self, name: &str) -> Result<Route, PlanError> {
        if !self.profiles.has(name) {
            let known: Vec<_> = self.profiles.names().collect();
            let known = match known.as_slice() {
                [] => "there is none at all".to_owned(),
                known => format!("there are: {}", events::listed(known, ", ")),
            };
            return Err(PlanError::NoSuchProfile { profile: name.to_owned(), known });
        }
        let mut seen = vec![name.to_owned()];
        let mut roles = Vec::new();
        let mut at = name.to_owned();
        let source = loop {
            if let Some(misread) = self.profiles.mistake(&at) {
                return Err(PlanError::Misread { profile: at, misread: misread.clone() });
            }
            // As in the SDKs: keys of a source profile go before the role that it may have as well.
            let by_keys = seen.len() > 1 && self.get(&at, "aws_access_key_id").is_some();
            let Some(role) = self.role(&at)?.filter(|_| !by_keys) else { break self.base(&at) };
            roles.push(role);
            match self.next(&at)? {
                Some(next) if next == at => break self.base(&at),
                Some(next) if !self.profiles.has(&next) => {
                    return Err(PlanError::NoSuchSource { profile: at, source_profile: next });
                }
                Some(next) if seen.contains(&next) => {
                    seen.push(next);
                    return Err(PlanError::Circle(seen.join(" → ")));
                }
                Some(_) if seen.len() > MOST_SOURCES => return Err(PlanError::TooLong { profile: name.to_owned() }),
                Some(next) => {
                    seen.push(next.clone());
                    at = next;
                }
                None => break self.named_source(&at),
            }
        };
        let source = source.map_err(|error| match error {
            PlanError::NoCredentials { profile } if !roles.is_empty() => {
                PlanError::EmptySource { profile: name.to_owned(), source_profile: profile }
            }
            other => other,
        })?;
        roles.reverse();
        Ok(Route { profile: Some(name.to_owned()), source, roles })
    }

    /// The role that a profile assumes with credentials from somewhere else.
    fn role(&self, profile: &str) -> Result<Option<Role>, PlanError> {
        let Some(arn) = self.get(profile, "role_arn") else { return Ok(None) };
        if self.get(profile, "web_identity_token_file").is_some() {
            return Ok(None);
        }
        let named = || profile.to_owned();
        if self.get(profile, "mfa_serial").is_some() {
            return Err(PlanError::Mfa { profile: named() });
        }
        let arn: RoleArn = arn.parse().map_err(|wrong| PlanError::RoleArn { profile: named(), wrong })?;
        let region = self.settings(profile).home_region(&arn.partition).to_owned();
        Ok(Some(Role {
            external_id: self.get(profile, "external_id").map(str::to_owned),
            session_name: self.get(profile, "role_session_name").map(str::to_owned),
            duration_seconds: self.duration(profile)?,
            region,
            arn,
        }))
    }

    /// The profile that a role profile takes its credentials from; none for a `credential_source`.
    fn next(&self, profile: &str) -> Result<Option<String>, PlanError> {
        match (self.get(profile, "source_profile"), self.get(profile, "credential_source")) {
            (Some(_), Some(_)) => Err(PlanError::TwoSources { profile: profile.to_owned() }),
            (None, None) => Err(PlanError::NoSource { profile: profile.to_owned() }),
            (source_profile, _) => Ok(source_profile.map(str::to_owned)),
        }
    }

    fn named_source(&self, profile: &str) -> Result<Source, PlanError> {
        match self.get(profile, "credential_source").unwrap_or_default() {
            "Ec2InstanceMetadata" => Ok(Source::Ec2InstanceMetadata { last_resort: false }),
            "EcsContainer" => Ok(Source::EcsContainer),
            "Environment" => Ok(Source::Environment),
            other => Err(PlanError::UnknownSource { profile: profile.to_owned(), value: other.to_owned() }),
        }
    }

    /// What a profile holds itself, in the order of the SDK.
    fn base(&self, profile: &str) -> Result<Source, PlanError> {
        let named = || profile.to_owned();
        if self.get(profile, "credential_source").is_some() {
            return self.named_source(profile);
        }
        if let Some(file) = self.get(profile, "web_identity_token_file") {
            let arn = self.get(profile, "role_arn").ok_or_else(|| PlanError::HalfWebIdentity { profile: named() })?;
            let role = arn.parse().map_err(|wrong| PlanError::RoleArn { profile: named(), wrong })?;
            let session_name = self.get(profile, "role_session_name").map(str::to_owned);
            return Ok(self.web_identity(role, file, session_name, self.duration(profile)?, profile));
        }
        if let Some(sso) = self.sso(profile)? {
            return Ok(Source::Sso(sso));
        }
        if self.get(profile, "login_session").is_some() {
            return Err(PlanError::LoginSession { profile: named() });
        }
        if self.get(profile, "credential_process").is_some() {
            return Ok(Source::Process { profile: named() });
        }
        let keys = ["aws_access_key_id", "aws_secret_access_key"];
        match keys.map(|key| self.get(profile, key).is_some()) {
            [true, true] => Ok(Source::Keys { profile: named() }),
            [false, false] => Err(PlanError::NoCredentials { profile: named() }),
            [has_id, _] => Err(PlanError::HalfKeys { profile: named(), missing: keys[usize::from(has_id)] }),
        }
    }

    fn sso(&self, profile: &str) -> Result<Option<Sso>, PlanError> {
        const KEYS: [&str; 5] = ["sso_session", "sso_account_id", "sso_role_name", "sso_start_url", "sso_region"];
        if KEYS.iter().all(|key| self.get(profile, key).is_none()) {
            return Ok(None);
        }
        let session = self.get(profile, "sso_session");
        let of_instance = |key: &'static str| {
            let value = session.map_or_else(|| self.get(profile, key), |name| self.profiles.sso_session(name, key));
            value.map(str::to_owned).ok_or_else(|| PlanError::HalfSso { profile: profile.to_owned(), missing: key })
        };
        let own = |key: &'static str| {
            let value = self.get(profile, key).map(str::to_owned);
            value.ok_or_else(|| PlanError::HalfSso { profile: profile.to_owned(), missing: key })
        };
        Ok(Some(Sso {
            profile: profile.to_owned(),
            account_id: own("sso_account_id")?,
            role_name: own("sso_role_name")?,
            region: of_instance("sso_region")?,
            start_url: of_instance("sso_start_url")?,
            session: session.map(str::to_owned),
        }))
    }

    fn web_identity(
        &self,
        role: RoleArn,
        token_file: &str,
        session_name: Option<String>,
        duration_seconds: Option<i32>,
        profile: &str,
    ) -> Source {
        let region = self.settings(profile).home_region(&role.partition).to_owned();
        Source::WebIdentity(WebIdentity { role, token_file: token_file.into(), session_name, duration_seconds, region })
    }

    fn duration(&self, profile: &str) -> Result<Option<i32>, PlanError> {
        let Some(text) = self.get(profile, "duration_seconds") else { return Ok(None) };
        let seconds = text.parse().ok().filter(|seconds| DURATIONS.contains(seconds));
        let wrong = || PlanError::Duration { profile: profile.to_owned(), value: text.to_owned() };
        seconds.map(Some).ok_or_else(wrong)
    }

    fn settings(&self, profile: &'a str) -> Settings<'a> {
        Settings::new(self.env, self.profiles, Some(profile))
    }

    fn get(&self, profile: &str, key: &str) -> Option<&'a str> {
        self.profiles.get(profile, key)
    }
}

#[cfg(test)]
mod tests;
