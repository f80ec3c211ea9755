//! The shared config and credentials files. The AWS SDK's own parser reads them; this keeps their order as well and says
//! aloud what the SDK passes over in silence (a file that cannot be read, one that is not text).

use crate::{environment::Environment, files};
use aws_runtime::env_config::{
    error::EnvConfigFileLoadError,
    file::{EnvConfigFileKind, EnvConfigFiles},
    parse::EnvConfigParseError,
    property::PropertiesKey,
    section::EnvConfigSections,
    source,
};
use aws_types::os_shim_internal::{Env, Fs};
use std::{
    collections::HashSet,
    fmt, io,
    path::{Path, PathBuf},
};

/// Every profile of both files, in the order in which they stand there.
#[derive(Clone, Default)]
pub struct Profiles {
    sections: EnvConfigSections,
    names: Vec<String>,
}

/// A file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfilesError {
    /// It is there, or was asked for, and cannot be read.
    #[error("cannot read the AWS file {}{}", .path.display(), .variable.map(|name| format!(" ({name})")).unwrap_or_default())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Variable that names it.
        variable: Option<&'static str>,
        /// Why.
        source: io::Error,
    },
    /// It is not written as such a file is.
    #[error("cannot understand the AWS file {}", .path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: EnvConfigParseError,
    },
    /// The SDK could not take what was read.
    #[error("cannot load the AWS files")]
    Load(#[source] EnvConfigFileLoadError),
}

struct File {
    kind: EnvConfigFileKind,
    path: PathBuf,
    text: String,
}

impl Profiles {
    /// Reads both files from where the environment says, else from `~/.aws`. A file that nobody asked for may be missing.
    ///
    /// # Errors
    /// [`ProfilesError`].
    pub async fn load(env: &Environment) -> Result<Self, ProfilesError> {
        let config = read(env, EnvConfigFileKind::Config, "AWS_CONFIG_FILE", "config")?;
        let credentials = read(env, EnvConfigFileKind::Credentials, "AWS_SHARED_CREDENTIALS_FILE", "credentials")?;
        Self::of(&[config, credentials]).await
    }

    /// The profiles of these two texts.
    ///
    /// # Errors
    /// [`ProfilesError`].
    pub async fn parse(config: &str, credentials: &str) -> Result<Self, ProfilesError> {
        let file = |kind, path: &str, text: &str| File { kind, path: path.into(), text: text.to_owned() };
        let config = file(EnvConfigFileKind::Config, "config", config);
        Self::of(&[config, file(EnvConfigFileKind::Credentials, "credentials", credentials)]).await
    }

    async fn of(files: &[File]) -> Result<Self, ProfilesError> {
        // Each by itself first, so that a mistake is found in the file that has it.
        for file in files {
            sections(&[file]).await?.map_err(|source| ProfilesError::Syntax { path: file.path.clone(), source })?;
        }
        let both: Vec<&File> = files.iter().collect();
        let path = PathBuf::from("config and credentials");
        let sections = sections(&both).await?.map_err(|source| ProfilesError::Syntax { path, source })?;
        let mut known = HashSet::new();
        let headings = files.iter().flat_map(|file| file.text.lines().filter_map(heading));
        let names = headings.filter(|name| sections.get_profile(name).is_some() && known.insert(*name));
        let names = names.map(str::to_owned).collect();
        Ok(Self { sections, names })
    }

    /// Names in the order of the files, `default` among them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Whether there is such a profile.
    pub fn has(&self, profile: &str) -> bool {
        self.sections.get_profile(profile).is_some()
    }

    /// A profile's value; a blank one counts as not set.
    pub fn get(&self, profile: &str, key: &str) -> Option<&str> {
        self.sections.get_profile(profile)?.get(key).map(str::trim).filter(|value| !value.is_empty())
    }

    /// A value of `[sso-session NAME]`.
    pub fn sso_session(&self, name: &str, key: &str) -> Option<&str> {
        self.sections.sso_session(name)?.get(key)
    }

    /// A service's value in `[services NAME]`.
    pub fn service(&self, section: &str, service: &str, key: &str) -> Option<&str> {
        let path = PropertiesKey::builder()
            .section_key("services")
            .section_name(section)
            .property_name(service)
            .sub_property_name(key)
            .build()
            .ok()?;
        self.sections.other_sections().get(&path).map(String::as_str)
    }
}

impl fmt::Debug for Profiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Profiles").field(&self.names).finish()
    }
}

fn read(env: &Environment, kind: EnvConfigFileKind, variable: &'static str, name: &str) -> Result<File, ProfilesError> {
    let home = env.home().map(Path::new);
    let (path, variable) = match (env.get(variable), home) {
        (Some(path), home) => (expand(path, home), Some(variable)),
        (None, Some(home)) => (home.join(".aws").join(name), None),
        (None, None) => return Ok(File { kind, path: name.into(), text: String::new() }),
    };
    let text = match files::read_text(&path, files::CONFIG) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && variable.is_none() => String::new(),
        Err(source) => return Err(ProfilesError::Unreadable { path, variable, source }),
    };
    Ok(File { kind, path, text })
}

fn expand(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => path.into(),
    }
}

async fn sections(files: &[&File]) -> Result<Result<EnvConfigSections, EnvConfigParseError>, ProfilesError> {
    let builder =
        files.iter().fold(EnvConfigFiles::builder(), |builder, file| builder.with_contents(file.kind, &*file.text));
    let source =
        source::load(&Env::from_slice(&[]), &Fs::real(), &builder.build()).await.map_err(ProfilesError::Load)?;
    Ok(EnvConfigSections::parse(source))
}

/// `[profile NAME]`, `[default]`, or `[NAME]` in the credentials file.
fn heading(line: &str) -> Option<&str> {
    let inner = line.trim_start().strip_prefix('[')?.split(']').next()?.trim();
    Some(inner.strip_prefix("profile").filter(|name| name.starts_with([' ', '\t'])).unwrap_or(inner).trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_files_in_their_order() {
        let config = "[default]\nregion = us-east-1\n[profile zeta]\nrole_arn = r\n[profile alpha]\n[sso-session s]\nsso_region=x";
        let profiles =
            Profiles::parse(config, "[alpha]\naws_access_key_id = K\n[only-here]\n").await.expect("they parse");
        assert_eq!(profiles.names().collect::<Vec<_>>(), ["default", "zeta", "alpha", "only-here"]);
        assert_eq!(profiles.get("alpha", "aws_access_key_id"), Some("K"));
        assert_eq!(profiles.sso_session("s", "sso_region"), Some("x"));
        assert_eq!(profiles.get("zeta", "region"), None);
    }

    #[tokio::test]
    async fn a_services_section_is_read() {
        let config = "[profile a]\nservices = local\n[services local]\nsts =\n  endpoint_url = http://localhost:1\n";
        let profiles = Profiles::parse(config, "").await.expect("it parses");
        assert_eq!(profiles.service("local", "sts", "endpoint_url"), Some("http://localhost:1"));
    }

    #[tokio::test]
    async fn a_mistake_names_the_file_and_the_line() {
        let error = Profiles::parse("[profile a]\n", "[b]\nnonsense and secret\n").await.expect_err("no equals sign");
        let text = bus::chain(&error);
        assert!(text.contains("file credentials") && text.contains("line 2") && !text.contains("secret"), "{text}");
    }

    #[tokio::test]
    async fn a_file_that_was_asked_for_has_to_be_there() {
        let env: Environment = [("AWS_CONFIG_FILE", "/nonexistent/config")].into_iter().collect();
        let error = Profiles::load(&env).await.expect_err("it is not");
        assert_eq!(error.to_string(), "cannot read the AWS file /nonexistent/config (AWS_CONFIG_FILE)");
        let nobody_asked: Environment = [("HOME", "/nonexistent")].into_iter().collect();
        assert_eq!(Profiles::load(&nobody_asked).await.expect("none is fine").names().count(), 0);
    }
}
