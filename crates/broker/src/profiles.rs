//! The shared config and credentials files, by the rules of botocore (`configloader.py`): which sections are profiles,
//! and which file has precedence.

use crate::{
    environment::{Environment, StaticKeys},
    files,
    ini::{self, Ini, Mistake, Section, Value, Values},
    paths,
    route::File,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Profiles of both files, in file order.
#[derive(Clone, Default)]
pub struct Profiles {
    all: Vec<Profile>,
    places: HashMap<String, usize>,
    sso_sessions: BTreeMap<String, Values>,
    services: BTreeMap<String, Values>,
    unread: Vec<Unread>,
    /// Invalid sections of other kinds, by the key that refers to them and their name.
    broken: HashMap<(&'static str, String), Misread>,
}

/// Keys that only profiles have.
const OF_A_PROFILE: [&str; 5] =
    ["role_arn", "source_profile", "credential_process", "aws_access_key_id", "sso_account_id"];

/// A profile. The credentials file has precedence over the config file.
#[derive(Clone)]
struct Profile {
    name: String,
    config: Values,
    credentials: Values,
    mistake: Option<Misread>,
}

/// A file that counts as empty.
#[derive(Clone)]
struct Unread {
    path: PathBuf,
    /// Variable with its path.
    variable: Option<&'static str>,
    /// Error when reading it. `None` if it does not exist.
    error: Option<Arc<io::Error>>,
}

/// An invalid line of a profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {mistake}", .path.display())]
pub struct Misread {
    /// Path of the file.
    path: PathBuf,
    /// Line and problem.
    mistake: Mistake,
}

/// A file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfilesError {
    /// The file exists but cannot be read.
    #[error("cannot read the AWS file {}{}", .path.display(), .variable.map(|name| format!(" ({name})")).unwrap_or_default())]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// Variable with the path.
        variable: Option<&'static str>,
        /// Cause.
        source: Arc<io::Error>,
    },
    /// A variable names a file that does not exist.
    #[error("the AWS file {} ({variable}), whose profiles are the accounts, does not exist", .path.display())]
    Missing {
        /// Path of the file.
        path: PathBuf,
        /// Variable with the path.
        variable: &'static str,
    },
    /// The file has text before the first section.
    #[error("cannot parse the AWS file {}", .path.display())]
    Syntax {
        /// Path of the file.
        path: PathBuf,
        /// Line and problem.
        source: Mistake,
    },
}

impl Profiles {
    /// Reads both files from the paths in the environment, else from `~/.aws`. As in botocore, a file counts as empty
    /// if it is missing or the user may not read it: see [`all_there`](Self::all_there).
    ///
    /// # Errors
    /// Returns a [`ProfilesError`] if a file cannot be read or parsed.
    pub fn load(env: &Environment) -> Result<Self, ProfilesError> {
        let mut unread = Vec::new();
        let (config_path, config) = read(env, "AWS_CONFIG_FILE", "config", &mut unread)?;
        let (credentials_path, credentials) = read(env, "AWS_SHARED_CREDENTIALS_FILE", "credentials", &mut unread)?;
        Ok(Self { unread, ..Self::of((&config_path, &config), (&credentials_path, &credentials))? })
    }

    /// Parses both files from text.
    ///
    /// # Errors
    /// Returns a [`ProfilesError`] if a text cannot be parsed.
    pub fn parse(config: &str, credentials: &str) -> Result<Self, ProfilesError> {
        Self::of((Path::new("config"), config.as_bytes()), (Path::new("credentials"), credentials.as_bytes()))
    }

    fn of(config: (&Path, &[u8]), credentials: (&Path, &[u8])) -> Result<Self, ProfilesError> {
        let mut profiles = Self::default();
        for section in understood(config)? {
            profiles.add(config.0, section);
        }
        // In the credentials file, the whole heading is the name.
        for Section { heading, values, mistake } in understood(credentials)? {
            profiles.merge(heading, values, misread(credentials.0, mistake));
        }
        profiles.pass_mistakes_on();
        Ok(profiles)
    }

    /// Adds a section of the config file.
    fn add(&mut self, path: &Path, Section { heading, values, mistake }: Section) {
        let words = ini::words(&heading);
        match words.as_deref() {
            _ if heading == "default" => self.replace(heading, values, misread(path, mistake)),
            Some([_, name]) if heading.starts_with("profile") => {
                self.replace(name.clone(), values, misread(path, mistake));
            }
            Some([_, name]) if heading.starts_with("sso-session") => {
                self.note("sso_session", name, misread(path, mistake));
                drop(self.sso_sessions.insert(name.clone(), values));
            }
            Some([_, name]) if heading.starts_with("services") => {
                self.note("services", name, misread(path, mistake));
                drop(self.services.insert(name.clone(), values));
            }
            _ if heading.starts_with("profile") => {
                let path = path.display();
                tracing::warn!(%path, heading, "section without a profile name: quote names with spaces");
            }
            _ if OF_A_PROFILE.iter().any(|key| values.get(key).is_some()) => {
                let path = path.display();
                tracing::warn!(%path, heading, "section is not a profile: its heading must be [profile NAME]");
            }
            _ => {}
        }
    }

    fn note(&mut self, key: &'static str, name: &str, misread: Option<Misread>) {
        if let Some(misread) = misread {
            self.broken.insert((key, name.to_owned()), misread);
        }
    }

    /// Adds a profile of the config file. Replaces an earlier one of the same name.
    fn replace(&mut self, name: String, config: Values, mistake: Option<Misread>) {
        let profile = Profile { name, config, credentials: Values::default(), mistake };
        match self.places.get(&profile.name) {
            Some(known) => self.all[*known] = profile,
            None => self.push(profile),
        }
    }

    fn push(&mut self, profile: Profile) {
        self.places.insert(profile.name.clone(), self.all.len());
        self.all.push(profile);
    }

    /// Adds a profile of the credentials file.
    fn merge(&mut self, name: String, credentials: Values, mistake: Option<Misread>) {
        match self.places.get(&name) {
            Some(known) => {
                let known = &mut self.all[*known];
                known.credentials = credentials;
                known.mistake = known.mistake.take().or(mistake);
            }
            None => self.push(Profile { name, config: Values::default(), credentials, mistake }),
        }
    }

    /// Marks profiles as unusable if the `[services]` section that they refer to is invalid.
    fn pass_mistakes_on(&mut self) {
        for profile in &mut self.all {
            let endpoints = profile.get("services").and_then(text);
            let of_section = endpoints.and_then(|name| self.broken.get(&("services", name.to_owned()))).cloned();
            profile.mistake = profile.mistake.take().or(of_section);
        }
    }

    fn find(&self, profile: &str) -> Option<&Profile> {
        self.all.get(*self.places.get(profile)?)
    }

    /// Checks that files named by variables exist, and that the user may read both files.
    ///
    /// # Errors
    /// Returns [`ProfilesError::Missing`] or [`ProfilesError::Unreadable`].
    pub fn all_there(&self) -> Result<(), ProfilesError> {
        self.all_open()?;
        let missing = self.unread.iter().find_map(|it| Some((it.path.clone(), it.variable?)));
        missing.map_or(Ok(()), |(path, variable)| Err(ProfilesError::Missing { path, variable }))
    }

    /// Checks that the user may read both files.
    ///
    /// # Errors
    /// Returns [`ProfilesError::Unreadable`] if not.
    pub fn all_open(&self) -> Result<(), ProfilesError> {
        self.still_open(&Self::default())
    }

    /// Checks that the user may still read the files that were readable before. A file that was never readable counts
    /// as empty, as in botocore.
    ///
    /// # Errors
    /// Returns [`ProfilesError::Unreadable`] if not.
    pub fn still_open(&self, before: &Self) -> Result<(), ProfilesError> {
        let closed = |Unread { path, variable, error }: &Unread| {
            Some(ProfilesError::Unreadable { path: path.clone(), variable: *variable, source: error.clone()? })
        };
        let was_open = |it: &&Unread| !before.unread.iter().any(|old| old.path == it.path && old.error.is_some());
        self.unread.iter().filter(was_open).find_map(closed).map_or(Ok(()), Err)
    }

    /// Names in file order, including `default`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|profile| profile.name.as_str())
    }

    /// Whether the profile exists.
    pub fn has(&self, profile: &str) -> bool {
        self.find(profile).is_some()
    }

    /// Returns the first invalid line of a profile.
    pub fn mistake(&self, profile: &str) -> Option<&Misread> {
        self.find(profile)?.mistake.as_ref()
    }

    /// Keys of a profile that have a value, sorted.
    pub fn keys(&self, profile: &str) -> impl Iterator<Item = &str> {
        let values = self.find(profile).into_iter().flat_map(|it| it.config.iter().chain(it.credentials.iter()));
        let keys: BTreeSet<&str> = values.map(|(key, _)| key).collect();
        keys.into_iter().filter(move |key| self.get(profile, key).is_some())
    }

    /// Returns a value of a profile; `None` if it is blank.
    pub fn get(&self, profile: &str, key: &str) -> Option<&str> {
        self.set(profile, key).filter(|text| !text.is_empty())
    }

    /// Returns a value of a profile, which may be blank. Nested values are blank.
    pub fn set(&self, profile: &str, key: &str) -> Option<&str> {
        self.find(profile)?.get(key).map(|value| text(value).unwrap_or_default())
    }

    /// Returns the static keys of a profile in one of the files; `None` without an id. Values may be blank, and so is a
    /// missing secret.
    pub fn static_keys(&self, profile: &str, file: File) -> Option<StaticKeys<'_>> {
        let profile = self.find(profile)?;
        let values = match file {
            File::Config => &profile.config,
            File::Credentials => &profile.credentials,
        };
        let get = |key| values.get(key).map(|value| text(value).unwrap_or_default());
        // As in botocore, the older name has precedence.
        let token = get("aws_security_token").or_else(|| get("aws_session_token")).filter(|token| !token.is_empty());
        Some(StaticKeys {
            id: get("aws_access_key_id")?,
            secret: get("aws_secret_access_key").unwrap_or_default(),
            token,
        })
    }

    /// Returns keys and texts of `[sso-session NAME]`; `None` without such a section.
    pub fn sso_session(&self, name: &str) -> Option<impl Iterator<Item = (&str, &str)>> {
        let values = self.sso_sessions.get(name)?.iter();
        Some(values.filter_map(|(key, value)| Some((key, text(value)?))))
    }

    /// Returns the first invalid line of `[sso-session NAME]`.
    pub fn sso_session_mistake(&self, name: &str) -> Option<&Misread> {
        self.broken.get(&("sso_session", name.to_owned()))
    }

    /// Returns a value of a service in `[services NAME]`.
    pub fn service(&self, section: &str, service: &str, key: &str) -> Option<&str> {
        match self.services.get(section)?.get(service)? {
            Value::Nested(values) => values.get(key).map(String::as_str).filter(|value| !value.is_empty()),
            Value::Text(_) => None,
        }
    }

    /// Reason why `[services NAME]` cannot provide the endpoint of a service.
    pub fn services_mistake(&self, section: &str, service: &str) -> Option<String> {
        let values = self.services.get(section).filter(|values| values.iter().next().is_some());
        match values.map(|values| values.get(service)) {
            None => Some(format!("[services {section}] is missing or empty")),
            Some(Some(Value::Text(_))) => Some(format!("{service} of [services {section}] has no indented lines")),
            Some(_) => None,
        }
    }
}

impl Profile {
    fn get(&self, key: &str) -> Option<&Value> {
        self.credentials.get(key).or_else(|| self.config.get(key))
    }
}

impl fmt::Debug for Profiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Profiles").field(&self.names().collect::<Vec<_>>()).finish()
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::Nested(_) => None,
    }
}

fn understood((path, text): (&Path, &[u8])) -> Result<Vec<Section>, ProfilesError> {
    let syntax = |source| ProfilesError::Syntax { path: path.to_owned(), source };
    let Ini { sections, mistake_in_defaults } = ini::parse(text).map_err(syntax)?;
    if let Some(mistake) = mistake_in_defaults {
        tracing::warn!(path = %path.display(), %mistake, "ignoring an invalid line of [DEFAULT]");
    }
    Ok(sections)
}

fn misread(path: &Path, mistake: Option<Mistake>) -> Option<Misread> {
    mistake.map(|mistake| Misread { path: path.to_owned(), mistake })
}

/// Reads a file. Returns its path and content.
fn read(
    env: &Environment,
    variable: &'static str,
    name: &str,
    unread: &mut Vec<Unread>,
) -> Result<(PathBuf, Vec<u8>), ProfilesError> {
    let (path, variable) = match (env.raw(variable), env.home()) {
        (Some(""), _) | (None, None) => return Ok((name.into(), Vec::new())),
        (Some(path), _) => (paths::expand(path, env), Some(variable)),
        (None, Some(_)) => (paths::expand(&format!("~/.aws/{name}"), env), None),
    };
    let error = match files::read(&path, files::CONFIG) {
        Ok(content) => return Ok((path, content)),
        Err(_) if !is_file(&path) => None,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            tracing::warn!(path = %path.display(), %error, "treating an AWS file as empty: this user may not read it");
            Some(Arc::new(error))
        }
        Err(error) => return Err(ProfilesError::Unreadable { path, variable, source: Arc::new(error) }),
    };
    unread.push(Unread { path: path.clone(), variable, error });
    Ok((path, Vec::new()))
}

/// Whether the path exists and is not a folder; it may be a pipe. botocore treats a folder as a missing file.
fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| !metadata.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_files_in_their_order() {
        let config = "[default]\nregion = us-east-1\n[profile zeta]\nrole_arn = r\n[profile alpha]\n[sso-session s]\nsso_region=x";
        let profiles = Profiles::parse(config, "[alpha]\naws_access_key_id = K\n[only-here]\n").expect("they parse");
        assert_eq!(profiles.names().collect::<Vec<_>>(), ["default", "zeta", "alpha", "only-here"]);
        assert_eq!(profiles.get("alpha", "aws_access_key_id"), Some("K"));
        let session = profiles.sso_session("s").map(Iterator::collect::<Vec<_>>);
        assert_eq!(session, Some(vec![("sso_region", "x")]));
        assert_eq!(profiles.get("zeta", "region"), None);
    }

    #[test]
    fn a_services_section_is_read() {
        let config = "[profile a]\nservices = local\n[services local]\nsts =\n  endpoint_url = http://localhost:1\n";
        let profiles = Profiles::parse(config, "").expect("it parses");
        assert_eq!(profiles.service("local", "sts", "endpoint_url"), Some("http://localhost:1"));
    }

    #[test]
    fn a_mistake_names_the_file_and_the_line() {
        let profiles = Profiles::parse("[profile a]\n", "[b]\nnonsense and secret\n").expect("it costs one profile");
        let text = profiles.mistake("b").expect("no equals sign").to_string();
        assert!(text.starts_with("credentials line 2") && !text.contains("secret"), "{text}");
        assert_eq!(profiles.mistake("a"), None);
        let error = Profiles::parse("region = x\n[profile a]\n", "").expect_err("text before the first section");
        assert!(errors::chain(&error).contains("file config: line 1"), "{}", errors::chain(&error));
    }

    #[test]
    fn a_file_that_is_missing_is_empty_and_so_is_a_blank_name() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(dir.path().join(".aws")).expect("it can be made");
        std::fs::write(dir.path().join(".aws/credentials"), "[default]\naws_access_key_id = K\n")
            .expect("it is written");
        let home = dir.path().to_str().expect("text");
        for (variables, names) in [
            (vec![("HOME", home)], 1),
            (vec![("HOME", home), ("AWS_SHARED_CREDENTIALS_FILE", "")], 0),
            (vec![("HOME", home), ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/file")], 0),
            (vec![("HOME", home), ("AWS_CONFIG_FILE", home)], 1),
            (vec![("HOME", home), ("AWS_CONFIG_FILE", "/dev/null")], 1),
        ] {
            let env: Environment = variables.clone().into_iter().collect();
            assert_eq!(Profiles::load(&env).expect("it loads").names().count(), names, "{variables:?}");
        }
    }

    #[test]
    fn names_of_profiles_are_those_of_the_aws_cli() {
        let config =
            "[profile 'Team Payments']\nrole_arn=a\n[profile büro]\n[profile a&(b)]\n[profile two words]\n[plain]\n";
        let profiles = Profiles::parse(config, "[profile raw]\n").expect("it parses");
        assert_eq!(profiles.names().collect::<Vec<_>>(), ["Team Payments", "büro", "a&(b)", "profile raw"]);
        assert_eq!(profiles.get("Team Payments", "role_arn"), Some("a"));
    }

    /// The superuser may read everything.
    #[cfg(unix)]
    #[test]
    fn a_file_that_the_user_may_not_read_is_empty_unless_profiles_are_the_accounts() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o0)).expect("it can be set");
        let denied = std::fs::File::open(file.path()).is_err();
        let env: Environment = [("AWS_CONFIG_FILE", file.path().display().to_string())].into_iter().collect();
        let profiles = Profiles::load(&env).expect("it loads");
        assert_eq!(
            (profiles.names().count(), profiles.all_open().is_err(), profiles.all_there().is_err()),
            (0, denied, denied)
        );
    }

    #[test]
    fn a_file_that_was_closed_from_the_start_is_no_failure_later() {
        let closed = |path: &str| Unread {
            path: path.into(),
            variable: None,
            error: Some(Arc::new(io::ErrorKind::PermissionDenied.into())),
        };
        let with = |paths: &[&str]| Profiles {
            unread: paths.iter().map(|path| closed(path)).collect(),
            ..Profiles::default()
        };
        let before = with(&["credentials"]);
        assert!(with(&["credentials"]).still_open(&before).is_ok());
        let error = with(&["credentials", "config"]).still_open(&before).expect_err("it was open");
        assert!(error.to_string().contains("config"), "{error}");
        assert!(before.all_open().is_err());
    }

    #[test]
    fn keys_are_those_of_one_file() {
        let config = "[profile a]\naws_access_key_id = C\naws_secret_access_key = S\naws_session_token = T\n";
        let profiles = Profiles::parse(config, "[a]\naws_access_key_id = K\n").expect("they parse");
        let keys = |file| profiles.static_keys("a", file).map(|keys| (keys.id, keys.secret, keys.token));
        assert_eq!(keys(File::Config), Some(("C", "S", Some("T"))));
        assert_eq!(keys(File::Credentials), Some(("K", "", None)));
        assert_eq!(profiles.get("a", "aws_access_key_id"), Some("K"));
    }
}
