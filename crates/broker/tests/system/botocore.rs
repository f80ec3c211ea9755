//! Compares Groma with botocore on the same AWS files and environments: the same sections, profiles and values, and the
//! same source of credentials for every way to select a profile.

mod expirations;
mod random;
mod settings;
mod texts;
mod ways;

use broker::{
    environment::Environment,
    ini,
    plan::{PlanError, Planner},
    profiles::Profiles,
    route::{File, Route, Source, Sso},
};
use random::Random;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

/// Seed of the generated files.
const SEED: u64 = 0x67_726f_6d61;

/// Number of differences per group in the output of a failing test.
const SHOWN: usize = 15;

/// Two files and an environment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Case {
    config: Option<Vec<u8>>,
    credentials: Option<Vec<u8>>,
    /// Variables; `None` is not set. `{folder}` is the home directory.
    env: Vec<(String, Option<String>)>,
    /// Compare the sources of credentials too.
    sources: bool,
}

impl Case {
    fn of(config: impl Into<String>, credentials: &str) -> Self {
        let (config, credentials) = (Some(config.into().into()), Some(credentials.into()));
        Self { config, credentials, env: Vec::new(), sources: true }
    }

    fn with(self, env: &[(&str, Option<&str>)]) -> Self {
        let owned = |(name, value): &(&str, Option<&str>)| ((*name).to_owned(), value.map(str::to_owned));
        Self { env: env.iter().map(owned).collect(), ..self }
    }

    fn json(&self) -> Value {
        let content = |bytes: &Option<Vec<u8>>| match bytes.as_deref().map(|bytes| (bytes, str::from_utf8(bytes))) {
            None => Value::Null,
            Some((_, Ok(text))) => json!(text),
            Some((bytes, Err(_))) => json!(bytes),
        };
        let env: Map<_, _> = self.env.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({
            "config": content(&self.config), "credentials": content(&self.credentials), "env": env, "sources": self.sources
        })
    }

    fn write(&self, folder: &Path) {
        for (content, name) in [(&self.config, "config"), (&self.credentials, "credentials")] {
            let path = folder.join(name);
            match content {
                Some(content) => fs::write(path, content).expect("the folder can be written"),
                None => drop(fs::remove_file(path)),
            }
        }
    }

    fn environment(&self, folder: &Path) -> Environment {
        let home = folder.display().to_string();
        let file = |variable: &str, name: &str| (variable.to_owned(), format!("{home}/{name}"));
        let mut env = BTreeMap::from([
            ("HOME".to_owned(), home.clone()),
            file("AWS_CONFIG_FILE", "config"),
            file("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        ]);
        for (name, value) in &self.env {
            env.remove(name);
            env.extend(value.as_ref().map(|value| (name.clone(), value.replace("{folder}", &home))));
        }
        env.into_iter().collect()
    }
}

/// botocore's results for the cases.
fn botocore(cases: &[Case], folder: &Path) -> anyhow::Result<Vec<Value>> {
    let file = folder.join("cases.json");
    fs::write(&file, cases.iter().map(Case::json).collect::<Value>().to_string())?;
    let printed = testkit::run_python("tests/aws/botocore_profiles.py", &[file.as_os_str(), folder.as_os_str()])?;
    Ok(serde_json::from_str(&printed)?)
}

/// A home directory that is its own `.aws`.
fn home() -> anyhow::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    std::os::unix::fs::symlink(".", folder.path().join(".aws"))?;
    Ok(folder)
}

fn groma(case: &Case, folder: &Path) -> Result<(Environment, Profiles), String> {
    case.write(folder);
    let env = case.environment(folder);
    let profiles = Profiles::load(&env).map_err(|error| errors::chain(&error))?;
    Ok((env, profiles))
}

fn values(profiles: &Profiles) -> Value {
    let of = |name: &str| -> Value {
        profiles.keys(name).map(|key| (key.to_owned(), json!(profiles.get(name, key)))).collect()
    };
    profiles.names().map(|name| (name.to_owned(), of(name))).collect()
}

/// Non-empty text values of a profile; Groma ignores the others.
fn texts(values: &Value) -> Value {
    let some = |(_, value): &(&String, &Value)| value.as_str().is_some_and(|text| !text.is_empty());
    values.as_object().into_iter().flatten().filter(some).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Sections in file order, with nested and empty values.
fn sections(text: Option<&[u8]>) -> Value {
    let value = |value: &ini::Value| match value {
        ini::Value::Text(text) => json!(text),
        ini::Value::Nested(values) => json!(values),
    };
    let section = |section: &ini::Section| {
        let values: Map<_, _> = section.values.iter().map(|(key, it)| (key.to_owned(), value(it))).collect();
        json!([section.heading, values])
    };
    match text.map(ini::parse) {
        None => json!({"error": "ConfigNotFound"}),
        Some(Ok(ini)) if ini.sections.iter().all(|it| it.mistake.is_none()) => {
            ini.sections.iter().map(section).collect()
        }
        Some(_) => json!({"error": "ConfigParseError"}),
    }
}

/// Formats a route like the Python script. `None` if it needs something outside the environment.
fn described(route: &Route, env: &Environment, profiles: &Profiles) -> Option<String> {
    let text = |parts: &[&str]| parts.iter().map(|part| json!(part).to_string()).collect::<Vec<_>>().join(" ");
    let mut all = match &route.source {
        Source::Environment => {
            let keys = env.keys().ok()?;
            format!("env {}", text(&[keys.id, keys.secret, keys.token.unwrap_or_default()]))
        }
        Source::Keys { profile, file } => {
            let keys = profiles.static_keys(profile, *file)?;
            let file = if *file == File::Config { "config-file" } else { "shared-credentials-file" };
            format!("{file} {}", text(&[keys.id, keys.secret, keys.token.unwrap_or_default()]))
        }
        Source::Process { profile } => {
            format!("custom-process {}", text(&[profiles.set(profile, "credential_process")?]))
        }
        Source::Sso(Sso { account_id, role_name, region, start_url, session, .. }) => {
            let session = session.as_deref().unwrap_or_default();
            format!("sso {}", text(&[account_id, role_name, region, start_url, session]))
        }
        Source::WebIdentity(it) => {
            let (role, file) = (it.role.to_string(), it.token_file.display().to_string());
            let name = it.session_name.as_deref().unwrap_or_default();
            format!("assume-role-with-web-identity {}", text(&[&role, &file, name]))
        }
        Source::EcsContainer => {
            let names = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
            names.iter().find_map(|name| env.raw(name)).map(|_| "container-role".to_owned())?
        }
        Source::Ec2InstanceMetadata { .. } => {
            Some("iam-role".to_owned()).filter(|_| !env.is_true("AWS_EC2_METADATA_DISABLED"))?
        }
    };
    for role in &route.roles {
        let option = |option: &Option<String>| option.clone().unwrap_or_default();
        let before = text(&[&role.arn.to_string(), &option(&role.external_id), &option(&role.session_name)]);
        let seconds = role.duration_seconds.map_or_else(|| "-".to_owned(), |seconds| seconds.to_string());
        all.extend([" > ", &before, " ", &seconds, " \"\""]);
    }
    Some(all)
}

/// Returns the caller's route when a profile is selected in one of the ways of the Python script.
fn selected(
    selection: &str,
    case: &Case,
    folder: &Path,
    profiles: &Profiles,
) -> (Environment, Result<Route, PlanError>) {
    let mut case = case.clone();
    if let Some(name) = selection.strip_prefix("AWS_PROFILE=") {
        case.env.push(("AWS_PROFILE".to_owned(), Some(name.to_owned())));
    }
    let env = case.environment(folder);
    let route = Planner::new(&env, profiles).caller(selection.strip_prefix("--profile "));
    (env, route)
}

/// Whether a value of a route is a single space.
fn has_whitespace(theirs: &str) -> bool {
    format!("{theirs} ").contains(" \" \" ")
}

/// Reason why Groma rejects a route that botocore accepts or tries.
fn excuse(theirs: &str, error: &PlanError) -> Option<&'static str> {
    let is_blank = theirs.contains("\"\"") || has_whitespace(theirs);
    let excuse = match error {
        PlanError::Mfa { .. } if theirs.contains("\"m\"") => "asks for a code (mfa_serial)",
        PlanError::LoginSession { .. } if theirs.starts_with("login") => "login_session is the AWS CLI's alone",
        PlanError::HalfKeys { .. } | PlanError::HalfSso { .. } | PlanError::HalfEnvironment { .. } if is_blank => {
            "keys or values that are blank"
        }
        PlanError::RoleArn { .. } | PlanError::EnvironmentRole(_) if is_blank || theirs.contains("nonsense") => {
            "a role_arn that is none"
        }
        PlanError::Duration { .. } if theirs.contains("99999") || theirs.contains("-1") => "seconds that STS refuses",
        _ => return None,
    };
    Some(excuse)
}

/// Results of the comparison.
#[derive(Default)]
struct Compared {
    /// Number of results by kind.
    counts: BTreeMap<&'static str, usize>,
    differences: Vec<String>,
}

impl Compared {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn differs(&mut self, case: &Case, what: &str, theirs: &Value, ours: &dyn std::fmt::Debug) {
        self.count("DIFFERENT");
        self.differences.push(format!("{}\n  {what}\n  botocore {theirs}\n  Groma    {ours:?}", case.json()));
    }

    fn case(&mut self, case: &Case, theirs: &Value, folder: &Path) {
        for (part, text) in [("config", &case.config), ("credentials", &case.credentials)] {
            let ours = sections(text.as_deref());
            let theirs = &theirs["sections"][part];
            // Groma accepts repeated keys and a byte order mark.
            if theirs["error"] != "ConfigParseError" && ours != *theirs {
                self.differs(case, part, theirs, &ours);
            }
        }
        if theirs["error"].is_string() {
            return self.count("file rejected by botocore");
        }
        let (_, profiles) = match groma(case, folder) {
            Ok(both) => both,
            Err(error) => return self.differs(case, "files", theirs, &error),
        };
        let of_theirs = theirs["profiles"].as_object().into_iter().flatten();
        let expected: Value = of_theirs.map(|(name, values)| (name.clone(), texts(values))).collect();
        let ours = values(&profiles);
        if ours == expected {
            self.count("same values");
        } else {
            self.differs(case, "values", &expected, &ours);
        }
        for (selection, theirs) in theirs["sources"].as_object().into_iter().flatten() {
            self.source(case, selection, theirs, folder, &profiles);
        }
    }

    fn source(&mut self, case: &Case, selection: &str, theirs: &Value, folder: &Path, profiles: &Profiles) {
        let (env, route) = selected(selection, case, folder, profiles);
        let ours = route.as_ref().ok().and_then(|route| described(route, &env, profiles));
        match (theirs.as_str(), &ours, &route) {
            (Some(theirs), Some(ours), _) if theirs == ours => self.count("same source"),
            (None, None, _) => self.count("no source: both refuse"),
            // `credential_source = Environment`.
            (Some(text), None, Ok(_)) if has_whitespace(text) => self.count("keys or values that are blank"),
            (Some(text), None, Err(error)) => match excuse(text, error) {
                Some(excuse) => self.count(excuse),
                None => self.differs(case, selection, theirs, &error.to_string()),
            },
            _ => self.differs(case, selection, theirs, &(ours.as_ref(), route.as_ref().err())),
        }
    }
}

fn groups() -> Vec<(&'static str, Vec<Case>)> {
    let region = "region = us-east-1\n";
    let headings = texts::HEADINGS.iter().flat_map(|heading| {
        let alone = format!("{heading}\n{region}");
        let keys = format!("{heading}\naws_access_key_id = K\naws_secret_access_key = S\n");
        [
            Case::of(format!("[profile first]\nregion = x\n{alone}"), ""),
            Case { credentials: None, ..Case::of(alone, "") },
            Case { config: None, ..Case::of("", &keys) },
        ]
    });
    let bodies = texts::BODIES.iter().flat_map(|body| {
        [
            Case::of(format!("[profile p]\n{body}"), ""),
            Case::of(format!("[profile p]\n{body}[profile q]\nregion = y\n"), ""),
            Case::of(format!("[services local]\n{body}"), ""),
            Case::of(format!("[DEFAULT]\n{body}[profile p]\nregion = y\n"), &format!("[p]\n{body}")),
        ]
    });
    let places = ways::PLACES.iter().map(|env| {
        let config = "[profile p]\naws_access_key_id = C\naws_secret_access_key = S\n";
        Case::of(config, "[q]\naws_access_key_id = K\naws_secret_access_key = S\n").with(env)
    });
    let ways = ways::FILES.iter().flat_map(|(config, credentials)| {
        ways::ENVIRONMENTS.iter().map(|env| {
            let env: Vec<_> = env.iter().map(|(name, value)| (*name, Some(*value))).collect();
            Case::of(*config, credentials).with(&env)
        })
    });
    let (mut lines, mut random_ways) = (Random(SEED), Random(!SEED));
    vec![
        ("headings", headings.collect()),
        ("bodies", bodies.collect()),
        ("places of the files", places.collect()),
        ("files × environments", ways.collect()),
        ("generated files", (0..400).map(|_| lines.lines()).collect()),
        ("generated ways", (0..300).map(|_| random_ways.ways()).collect()),
    ]
}

#[test]
fn sections_values_and_sources_are_those_of_botocore() -> anyhow::Result<()> {
    let folder = home()?;
    let groups = groups();
    let all: Vec<Case> = groups.iter().flat_map(|(_, cases)| cases).cloned().collect();
    let mut theirs = botocore(&all, folder.path())?.into_iter();
    let (mut differences, mut table) = (Vec::new(), String::new());
    for (name, cases) in &groups {
        let mut compared = Compared::default();
        for (case, theirs) in cases.iter().zip(theirs.by_ref()) {
            compared.case(case, &theirs, folder.path());
        }
        let counts: Vec<_> = compared.counts.iter().map(|(what, count)| format!("{what}: {count}")).collect();
        writeln!(table, "{name}: {} configurations; {}", cases.len(), counts.join("; "))?;
        differences.extend(compared.differences.into_iter().take(SHOWN));
    }
    println!("{table}");
    assert!(differences.is_empty(), "seed {SEED:#x}\n{}", differences.join("\n"));
    Ok(())
}

#[test]
fn of_a_file_that_botocore_rejects_the_good_sections_are_used() -> anyhow::Result<()> {
    let folder = home()?;
    let good = b"[profile good]\nregion = y\n";
    let bytes = texts::REJECTED.iter().map(|text| text.as_bytes()).chain(texts::NOT_UTF_8.iter().copied());
    let cases: Vec<Case> =
        bytes.map(|bytes| Case { config: Some([bytes, good].concat()), ..Case::of("", "") }).collect();
    for (case, theirs) in cases.iter().zip(botocore(&cases, folder.path())?) {
        assert!(theirs["error"].is_string(), "{}: {theirs}", case.json());
        match groma(case, folder.path()) {
            Ok((_, profiles)) => {
                assert_eq!(values(&profiles)["good"], json!({"region": "y"}), "{}", case.json());
                assert_eq!(profiles.mistake("good"), None, "{}", case.json());
            }
            Err(error) => assert!(error.contains("text before the first [section]"), "{}: {error}", case.json()),
        }
    }
    Ok(())
}

/// `[services]` sections have nested values.
#[test]
fn endpoints_of_services_are_those_of_botocore() -> anyhow::Result<()> {
    let folder = home()?;
    let config = "[services 'my services']\nsts =\n  endpoint_url = http://localhost:1?a=b\nec2 =\n\n    endpoint_url=http://localhost:2\n";
    let theirs = botocore(&[Case::of(config, "")], folder.path())?;
    let profiles = Profiles::parse(config, "")?;
    for service in ["sts", "ec2"] {
        let expected = theirs[0]["services"]["my services"][service]["endpoint_url"].as_str();
        assert!(expected.is_some(), "{theirs:?}");
        assert_eq!(profiles.service("my services", service, "endpoint_url"), expected);
    }
    Ok(())
}
