//! Credentials that a profile has without another profile, in the order of botocore: web identity, IAM Identity Center,
//! keys of the credentials file, login session, process, keys of the config file.

use super::{PlanError, Planner};
use crate::{
    arn::RoleArn,
    environment::Environment,
    route::{File, Source, Sso, WebIdentity},
};

/// Configuration key of the access key id.
pub(super) const ID: &str = "aws_access_key_id";
/// Configuration key of the secret access key.
pub(super) const SECRET: &str = "aws_secret_access_key";
/// Configuration key of the session token.
pub(super) const TOKEN: &str = "aws_session_token";

impl Planner<'_> {
    /// Returns the source in the profile itself. A web identity may come from the environment.
    pub(super) fn base(&self, profile: &str, env: Option<&Environment>) -> Result<Source, PlanError> {
        let named = || profile.to_owned();
        if let Some(identity) = self.web_identity(profile, env)? {
            return Ok(Source::WebIdentity(identity));
        }
        if let Some(sso) = self.sso(profile)? {
            return Ok(Source::Sso(sso));
        }
        if let Some(keys) = self.keys(profile, File::Credentials)? {
            return Ok(keys);
        }
        if self.set(profile, "login_session").is_some() {
            return Err(PlanError::LoginSession { profile: named() });
        }
        if self.set(profile, "credential_process").is_some() {
            return Ok(Source::Process { profile: named() });
        }
        if let Some(keys) = self.keys(profile, File::Config)? {
            return Ok(keys);
        }
        Err(PlanError::NoCredentials { profile: named() })
    }

    /// Each variable has precedence over the profile's key.
    fn web_identity(&self, profile: &str, env: Option<&Environment>) -> Result<Option<WebIdentity>, PlanError> {
        let set = |variable: &str, key: &str| {
            let variable = env.and_then(|env| env.raw(variable));
            (variable.is_some(), variable.or_else(|| self.set(profile, key)).unwrap_or_default())
        };
        let (token_in_env, token_file) = set("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file");
        if token_file.is_empty() {
            return Ok(None);
        }
        let (role_in_env, arn) = set("AWS_ROLE_ARN", "role_arn");
        let role: RoleArn = arn.parse().map_err(|wrong| match arn {
            _ if role_in_env || token_in_env && arn.is_empty() => PlanError::EnvironmentRole(wrong),
            "" => PlanError::HalfWebIdentity { profile: profile.to_owned() },
            _ => PlanError::RoleArn { profile: profile.to_owned(), wrong },
        })?;
        let (_, name) = set("AWS_ROLE_SESSION_NAME", "role_session_name");
        Ok(Some(WebIdentity {
            region: self.settings(profile).home_region(&role.partition).to_owned(),
            session_name: Some(name).filter(|name| !name.is_empty()).map(str::to_owned),
            token_file: token_file.into(),
            role,
        }))
    }

    /// An account or a role selects IAM Identity Center. An `sso_session` alone is for services that use its token.
    fn sso(&self, profile: &str) -> Result<Option<Sso>, PlanError> {
        let named = || profile.to_owned();
        if ["sso_account_id", "sso_role_name"].iter().all(|key| self.set(profile, key).is_none()) {
            return Ok(None);
        }
        let session = self.set(profile, "sso_session");
        let mut of_session = Vec::new();
        if let Some(name) = session {
            if let Some(misread) = self.profiles.sso_session_mistake(name) {
                return Err(PlanError::Misread { profile: named(), misread: misread.clone() });
            }
            let missing = || PlanError::NoSuchSsoSession { profile: named(), session: name.to_owned() };
            of_session.extend(self.profiles.sso_session(name).ok_or_else(missing)?);
        }
        let differs = |(key, value): &&(&str, &str)| self.set(profile, key).is_some_and(|own| own != *value);
        if let Some((key, _)) = of_session.iter().find(differs) {
            return Err(PlanError::TwoSsoValues { profile: named(), key: (*key).to_owned() });
        }
        let value = |key: &'static str| {
            let in_session = || of_session.iter().find(|(other, _)| *other == key).map(|(_, value)| *value);
            let value = self.set(profile, key).or_else(in_session).filter(|value| !value.is_empty());
            value.map(str::to_owned).ok_or_else(|| PlanError::HalfSso { profile: named(), missing: key })
        };
        Ok(Some(Sso {
            profile: named(),
            account_id: value("sso_account_id")?,
            role_name: value("sso_role_name")?,
            region: value("sso_region")?,
            start_url: value("sso_start_url")?,
            session: session.map(str::to_owned),
        }))
    }

    fn keys(&self, profile: &str, file: File) -> Result<Option<Source>, PlanError> {
        let Some(keys) = self.profiles.static_keys(profile, file) else { return Ok(None) };
        match [(ID, keys.id), (SECRET, keys.secret)].into_iter().find(|(_, value)| value.is_empty()) {
            Some((missing, _)) => Err(PlanError::HalfKeys { profile: profile.to_owned(), missing }),
            None => Ok(Some(Source::Keys { profile: profile.to_owned(), file })),
        }
    }
}
