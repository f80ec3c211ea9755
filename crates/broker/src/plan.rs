//! From configuration to ways into AWS, without asking anybody.

use crate::{
    arn::{NoRoleArn, RoleArn},
    environment::Environment,
    profiles::{Misread, Profiles},
    route::{Role, Route, Searched, Source},
    settings::Settings,
};

mod base;

/// Shortest and longest session that a role may give, in seconds (STS API reference, `AssumeRole`).
const DURATIONS: std::ops::RangeInclusive<i32> = 900..=43_200;

/// Limit of a chain of source profiles. Each profile costs a call of STS.
const MOST_SOURCES: usize = 32;

/// Keys that say something about the role of a profile, and nothing without it.
const OF_A_ROLE: [&str; 4] = ["source_profile", "credential_source", "external_id", "role_session_name"];

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
        "profile {profile:?} has an mfa_serial, and nobody is there to type a code; it can be used with a \
         credential_process that answers (aws configure export-credentials --profile {profile} does)"
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
    #[error("profile {profile:?} has {key} and no role_arn, so that it leads nowhere: {hint}")]
    NoRole { profile: String, key: String, hint: String },
    #[error("profile {profile:?} holds only half of its keys: {missing} is missing")]
    HalfKeys { profile: String, missing: &'static str },
    #[error("the environment holds only half of its keys: {missing} is not set, or is nothing but whitespace")]
    HalfEnvironment { missing: &'static str },
    #[error("profile {profile:?} uses IAM Identity Center, and {missing} is missing")]
    HalfSso { profile: String, missing: &'static str },
    #[error("profile {profile:?} uses the sso-session {session:?}, and there is no such section")]
    NoSuchSsoSession { profile: String, session: String },
    #[error("profile {profile:?} and its sso-session have different values of {key}")]
    TwoSsoValues { profile: String, key: String },
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

    /// The caller itself, in the order of boto3 and the AWS CLI: keys in the environment, the role of the selected profile, web
    /// identity, the profile's other credentials, container, instance. Most other SDKs put a web identity of the environment
    /// after the profile; followed is the AWS CLI. The environment's keys and web identity do not count for a profile that is
    /// named on the command line.
    ///
    /// botocore's readers of files that only boto 2 and the first tools of EC2 had (`AWS_CREDENTIAL_FILE`, `BOTO_CONFIG`) are
    /// left out.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn caller(&self, named: Option<&str>) -> Result<Route, PlanError> {
        let selected = named.or_else(|| self.env.profile());
        if let Some(profile) = selected {
            self.exists(profile)?;
        }
        let profile = selected.unwrap_or("default");
        let by = |source| Route { profile: Some(profile.to_owned()), source, roles: Vec::new() };
        if named.is_none() && self.env.get("AWS_ACCESS_KEY_ID").is_some() {
            let keys = self.env.keys().map_err(|missing| PlanError::HalfEnvironment { missing });
            return keys.map(|_| by(Source::Environment));
        }
        let nothing = match self.route(profile, named.is_none().then_some(self.env)) {
            Err(PlanError::NoCredentials { profile }) => self.none_or_mistaken(profile),
            planned => return planned,
        };
        let container = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
        // As in botocore, an empty one counts, too.
        if container.iter().any(|name| self.env.raw(name).is_some()) {
            return Ok(by(Source::EcsContainer));
        }
        match (named, self.env.is_true("AWS_EC2_METADATA_DISABLED")) {
            (Some(_), true) => Err(nothing),
            (None, true) => Err(PlanError::Nothing),
            (Some(_), false) => Ok(by(Source::Ec2InstanceMetadata { last_resort: Some(Searched::Profile) })),
            (None, false) => Ok(by(Source::Ec2InstanceMetadata { last_resort: Some(Searched::Everywhere) })),
        }
    }

    /// Every profile but `default` that holds credentials or a role, in the order of the files; or those named, which have
    /// to be there and, like a caller, may have the credentials of the container or the instance.
    ///
    /// # Errors
    /// When a named profile does not exist. What is wrong with a single profile stands in its own result.
    pub fn all(&self, named: &[String]) -> Result<Vec<Planned>, PlanError> {
        if !named.is_empty() {
            let route = |name: &String| match self.caller(Some(name)) {
                Err(error @ PlanError::NoSuchProfile { .. }) => Err(error),
                planned => Ok((name.clone(), planned)),
            };
            return named.iter().map(route).collect();
        }
        let others = self.profiles.names().filter(|name| *name != "default");
        let planned = others.map(|name| match self.route(name, None) {
            Err(PlanError::NoCredentials { profile }) => (name.to_owned(), Err(self.none_or_mistaken(profile))),
            planned => (name.to_owned(), planned),
        });
        Ok(planned.filter(|(_, route)| !matches!(route, Err(PlanError::NoCredentials { .. }))).collect())
    }

    /// botocore takes a secret without an id, and all that belongs to a role without its ARN, for no credentials. Where no
    /// others are found, each is a mistake.
    fn none_or_mistaken(&self, profile: String) -> PlanError {
        if [base::SECRET, base::TOKEN].iter().any(|key| self.set(&profile, key).is_some()) {
            return PlanError::HalfKeys { profile, missing: base::ID };
        }
        if self.get(&profile, "role_arn").is_some() {
            return PlanError::NoSource { profile };
        }
        match OF_A_ROLE.iter().find(|key| self.get(&profile, key).is_some()) {
            Some(key) => PlanError::NoRole { hint: self.hint(&profile), key: (*key).to_owned(), profile },
            None => PlanError::NoCredentials { profile },
        }
    }

    /// What to do about a role without its ARN.
    fn hint(&self, profile: &str) -> String {
        let letters = |key: &str| key.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        let is_meant =
            |key: &&str| matches!(letters(key).as_str(), "rolearn" | "rolearns" | "arnrole" | "arn" | "role");
        match self.profiles.keys(profile).find(is_meant) {
            Some(key) => format!("write role_arn for {key}"),
            None => "write the role_arn, or delete the profile".to_owned(),
        }
    }

    fn exists(&self, profile: &str) -> Result<(), PlanError> {
        if self.profiles.has(profile) {
            return Ok(());
        }
        let known: Vec<_> = self.profiles.names().collect();
        let known = match known.as_slice() {
            [] => "there is none at all".to_owned(),
            known => format!("there are: {}", events::listed(known, ", ")),
        };
        Err(PlanError::NoSuchProfile { profile: profile.to_owned(), known })
    }

    /// The way of one profile, its sources followed. A web identity may stand in the environment.
    fn route(&self, name: &str, env: Option<&Environment>) -> Result<Route, PlanError> {
        let mut seen = vec![name.to_owned()];
        let mut roles = Vec::new();
        let mut at = name.to_owned();
        let source = loop {
            if let Some(misread) = self.profiles.mistake(&at) {
                return Err(PlanError::Misread { profile: at, misread: misread.clone() });
            }
            let is_source = seen.len() > 1;
            // Keys of a source profile go before the role that it may have as well.
            let role = if is_source && self.has_keys(&at) { None } else { self.role(&at)? };
            let Some(role) = role else { break self.base(&at, env.filter(|_| !is_source)) };
            roles.push(role);
            let Some(next) = self.next(&at)? else { break self.named_source(&at) };
            if !self.profiles.has(&next) {
                return Err(PlanError::NoSuchSource { profile: at, source_profile: next });
            }
            // Only the first profile can be its own source: that of another has its keys used before its role.
            if next == at && self.has_keys(&at) {
                break self.base(&at, None);
            }
            let is_circle = seen.contains(&next);
            seen.push(next.clone());
            if is_circle {
                return Err(PlanError::Circle(seen.join(" → ")));
            }
            if seen.len() > MOST_SOURCES + 1 {
                return Err(PlanError::TooLong { profile: name.to_owned() });
            }
            at = next;
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

    fn has_keys(&self, profile: &str) -> bool {
        [base::ID, base::SECRET].iter().any(|key| self.set(profile, key).is_some())
    }

    /// The role that a profile assumes with credentials from somewhere else. As in botocore, a blank value of what chooses the
    /// source counts as a value: it is an error and leads to no other source.
    fn role(&self, profile: &str) -> Result<Option<Role>, PlanError> {
        let Some(arn) = self.set(profile, "role_arn") else { return Ok(None) };
        if self.set(profile, "web_identity_token_file").is_some() {
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
        match (self.set(profile, "source_profile"), self.set(profile, "credential_source")) {
            (Some(_), Some(_)) => Err(PlanError::TwoSources { profile: profile.to_owned() }),
            (None, None) => Err(PlanError::NoSource { profile: profile.to_owned() }),
            (source_profile, _) => Ok(source_profile.map(str::to_owned)),
        }
    }

    fn named_source(&self, profile: &str) -> Result<Source, PlanError> {
        match self.get(profile, "credential_source").unwrap_or_default() {
            "Ec2InstanceMetadata" => Ok(Source::Ec2InstanceMetadata { last_resort: None }),
            "EcsContainer" => Ok(Source::EcsContainer),
            "Environment" => Ok(Source::Environment),
            other => Err(PlanError::UnknownSource { profile: profile.to_owned(), value: other.to_owned() }),
        }
    }

    /// As in botocore, a value that is no number counts as not set.
    fn duration(&self, profile: &str) -> Result<Option<i32>, PlanError> {
        let Some(text) = self.get(profile, "duration_seconds") else { return Ok(None) };
        let Ok(seconds) = text.parse::<i64>() else { return Ok(None) };
        let seconds = i32::try_from(seconds).ok().filter(|seconds| DURATIONS.contains(seconds));
        let wrong = || PlanError::Duration { profile: profile.to_owned(), value: text.to_owned() };
        seconds.map(Some).ok_or_else(wrong)
    }

    fn settings(&self, profile: &'a str) -> Settings<'a> {
        Settings::new(self.env, self.profiles, Some(profile))
    }

    fn get(&self, profile: &str, key: &str) -> Option<&'a str> {
        self.profiles.get(profile, key)
    }

    fn set(&self, profile: &str, key: &str) -> Option<&'a str> {
        self.profiles.set(profile, key)
    }
}

#[cfg(test)]
mod tests;
