//! The shared config and credentials files, as botocore reads them (`configloader.py`): which sections are profiles, and which
//! file's value counts.

use crate::{
    environment::Environment,
    files,
    ini::{self, Mistake, Section, Value},
};
use std::{
    collections::{BTreeMap, HashMap},
    fmt, io,
    path::{Path, PathBuf},
};

/// Every profile of both files, in the order in which they stand there.
#[derive(Clone, Default)]
pub struct Profiles {
    all: Vec<Profile>,
    places: HashMap<String, usize>,
    sso_sessions: BTreeMap<String, Values>,
    services: BTreeMap<String, Values>,
    missing: Vec<(PathBuf, &'static str)>,
    /// Sections of other kinds that cannot be understood, by the key that refers to them and their name.
    broken: HashMap<(&'static str, String), Misread>,
}

type Values = BTreeMap<String, Value>;

#[derive(Clone)]
struct Profile {
    name: String,
    values: Values,
    mistake: Option<Misread>,
}

/// A line of a profile that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {mistake}", .path.display())]
pub struct Misread {
    /// File.
    path: PathBuf,
    /// Line.
    mistake: Mistake,
}

/// A file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfilesError {
    /// It is there and cannot be read.
    #[error("cannot read the AWS file {}{}", .path.display(), .variable.map(|name| format!(" ({name})")).unwrap_or_default())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Variable that names it.
        variable: Option<&'static str>,
        /// Why.
        source: io::Error,
    },
    /// It was asked for and is not there.
    #[error("there is no AWS file {} ({variable}), and its profiles are the accounts", .path.display())]
    Missing {
        /// Which file.
        path: PathBuf,
        /// Variable that names it.
        variable: &'static str,
    },
    /// It is not written as such a file is.
    #[error("cannot understand the AWS file {}", .path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: Mistake,
    },
}

impl Profiles {
    /// Reads both files from where the environment says, else from `~/.aws`. A missing file is an empty one, as in botocore.
    ///
    /// # Errors
    /// [`ProfilesError`].
    pub fn load(env: &Environment) -> Result<Self, ProfilesError> {
        let mut missing = Vec::new();
        let (config_path, config) = read(env, "AWS_CONFIG_FILE", "config", &mut missing)?;
        let (credentials_path, credentials) = read(env, "AWS_SHARED_CREDENTIALS_FILE", "credentials", &mut missing)?;
        Ok(Self { missing, ..Self::of((&config_path, &config), (&credentials_path, &credentials))? })
    }

    /// The profiles of these two texts.
    ///
    /// # Errors
    /// [`ProfilesError`].
    pub fn parse(config: &str, credentials: &str) -> Result<Self, ProfilesError> {
        Self::of((Path::new("config"), config), (Path::new("credentials"), credentials))
    }

    fn of(config: (&Path, &str), credentials: (&Path, &str)) -> Result<Self, ProfilesError> {
        let mut profiles = Self::default();
        for section in understood(config)? {
            profiles.add(config.0, section);
        }
        // In the credentials file a heading is a name as it stands there.
        for Section { heading, values, mistake } in understood(credentials)? {
            profiles.merge(Profile { name: heading, values, mistake: misread(credentials.0, mistake) });
        }
        profiles.pass_mistakes_on();
        Ok(profiles)
    }

    /// A section of the config file.
    fn add(&mut self, path: &Path, Section { heading, values, mistake }: Section) {
        let words = ini::words(&heading);
        match words.as_deref() {
            _ if heading == "default" => {
                self.replace(Profile { name: heading, values, mistake: misread(path, mistake) });
            }
            Some([_, name]) if heading.starts_with("profile") => {
                self.replace(Profile { name: name.clone(), values, mistake: misread(path, mistake) });
            }
            Some([_, name]) if heading.starts_with("sso-session") => {
                self.note("sso_session", name, misread(path, mistake));
                drop(self.sso_sessions.insert(name.clone(), values));
            }
            Some([_, name]) if heading.starts_with("services") => {
                self.note("services", name, misread(path, mistake));
                self.services.insert(name.clone(), values);
            }
            _ if heading.starts_with("profile") => {
                let path = path.display();
                tracing::warn!(%path, heading, "a section names no profile: a name with spaces has to be quoted");
            }
            _ => {}
        }
    }

    fn note(&mut self, key: &'static str, name: &str, misread: Option<Misread>) {
        if let Some(misread) = misread {
            self.broken.insert((key, name.to_owned()), misread);
        }
    }

    fn replace(&mut self, profile: Profile) {
        match self.places.get(&profile.name) {
            Some(known) => self.all[*known] = profile,
            None => self.push(profile),
        }
    }

    fn push(&mut self, profile: Profile) {
        self.places.insert(profile.name.clone(), self.all.len());
        self.all.push(profile);
    }

    fn merge(&mut self, profile: Profile) {
        match self.places.get(&profile.name) {
            Some(known) => {
                let known = &mut self.all[*known];
                known.values.extend(profile.values);
                known.mistake = known.mistake.take().or(profile.mistake);
            }
            None => self.push(profile),
        }
    }

    /// A profile cannot be used if the section that it refers to cannot be understood.
    fn pass_mistakes_on(&mut self) {
        for profile in &mut self.all {
            for key in ["sso_session", "services"] {
                let of_section = text(&profile.values, key).and_then(|name| self.broken.get(&(key, name.to_owned())));
                profile.mistake = profile.mistake.take().or_else(|| of_section.cloned());
            }
        }
    }

    fn find(&self, profile: &str) -> Option<&Profile> {
        self.all.get(*self.places.get(profile)?)
    }

    /// Checks that the files that were asked for are there.
    ///
    /// # Errors
    /// [`ProfilesError::Missing`].
    pub fn all_there(&self) -> Result<(), ProfilesError> {
        match self.missing.first().cloned() {
            Some((path, variable)) => Err(ProfilesError::Missing { path, variable }),
            None => Ok(()),
        }
    }

    /// Names in the order of the files, `default` among them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|profile| profile.name.as_str())
    }

    /// Whether there is such a profile.
    pub fn has(&self, profile: &str) -> bool {
        self.find(profile).is_some()
    }

    /// The first line of a profile that cannot be understood.
    pub fn mistake(&self, profile: &str) -> Option<&Misread> {
        self.find(profile)?.mistake.as_ref()
    }

    /// Keys of a profile that have a value.
    pub fn keys(&self, profile: &str) -> impl Iterator<Item = &str> {
        let values = self.find(profile).into_iter().flat_map(|profile| &profile.values);
        values.filter(|(_, value)| matches!(value, Value::Text(text) if !text.is_empty())).map(|(key, _)| key.as_str())
    }

    /// A profile's value; a blank one counts as not set.
    pub fn get(&self, profile: &str, key: &str) -> Option<&str> {
        text(&self.find(profile)?.values, key)
    }

    /// A value of `[sso-session NAME]`.
    pub fn sso_session(&self, name: &str, key: &str) -> Option<&str> {
        text(self.sso_sessions.get(name)?, key)
    }

    /// A service's value in `[services NAME]`.
    pub fn service(&self, section: &str, service: &str, key: &str) -> Option<&str> {
        match self.services.get(section)?.get(service)? {
            Value::Nested(values) => values.get(key).map(String::as_str).filter(|value| !value.is_empty()),
            Value::Text(_) => None,
        }
    }
}

impl fmt::Debug for Profiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Profiles").field(&self.names().collect::<Vec<_>>()).finish()
    }
}

fn text<'a>(values: &'a Values, key: &str) -> Option<&'a str> {
    match values.get(key)? {
        Value::Text(text) => Some(text.as_str()).filter(|text| !text.is_empty()),
        Value::Nested(_) => None,
    }
}

fn understood((path, text): (&Path, &str)) -> Result<Vec<Section>, ProfilesError> {
    ini::parse(text).map_err(|source| ProfilesError::Syntax { path: path.to_owned(), source })
}

fn misread(path: &Path, mistake: Option<Mistake>) -> Option<Misread> {
    mistake.map(|mistake| Misread { path: path.to_owned(), mistake })
}

/// Path and text of a file.
fn read(
    env: &Environment,
    variable: &'static str,
    name: &str,
    missing: &mut Vec<(PathBuf, &'static str)>,
) -> Result<(PathBuf, String), ProfilesError> {
    let home = env.home().map(Path::new);
    let (path, variable) = match (env.set(variable), home) {
        (Some(""), _) | (None, None) => return Ok((name.into(), String::new())),
        (Some(path), home) => (expand(path, home), Some(variable)),
        (None, Some(home)) => (home.join(".aws").join(name), None),
    };
    if !is_file(&path) {
        if let Some(variable) = variable {
            missing.push((path.clone(), variable));
        }
        return Ok((path, String::new()));
    }
    match files::read_text(&path, files::CONFIG) {
        Ok(text) => Ok((path, text)),
        Err(source) => Err(ProfilesError::Unreadable { path, variable, source }),
    }
}

/// Whether the path exists and is no folder, for example a pipe. botocore takes a folder for a missing file.
fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| !metadata.is_dir())
}

fn expand(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => path.into(),
    }
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
        assert_eq!(profiles.sso_session("s", "sso_region"), Some("x"));
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
        assert!(bus::chain(&error).contains("file config: line 1"), "{}", bus::chain(&error));
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
}
