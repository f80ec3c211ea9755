//! The AWS files, read by Groma and by botocore: the same profiles with the same values.

use broker::{environment::Environment, profiles::Profiles};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// Section headings as people write them: some name a profile, some do not.
const HEADINGS: &[&str] = &[
    "[profile p]",
    "[profile  p ]",
    "[ profile p]",
    "[profile\tp]",
    "[profile 'p']",
    "[profile \"p\"]",
    "[profile 'Team Payments']",
    "[profile \"Team Payments\"]",
    "[profile Team\\ Payments]",
    "[profile Team Payments]",
    "[profile büro]",
    "[profile 部門]",
    "[profile team&payments]",
    "[profile a(b)]",
    "[profile a.b-c_d/e@f+g=h]",
    "[profile it's]",
    "[profile \"it's\"]",
    "[profile a\u{a0}b]",
    "[profile\u{a0}b]",
    "[profile]",
    "[profile ]",
    "[profile '']",
    "[profiles p]",
    "[profilep]",
    "[default]",
    "[profile default]",
    "[DEFAULT]",
    "[p]",
    "[preview]",
    "  [profile p]",
    "[profile p] ; comment",
    "[profile p]]",
    "[[profile p]]",
    "[sso-session s]",
    "[sso-session 'My SSO']",
    "[services local]",
    "[services 'my services']",
    "[plugins]",
];

/// Bodies of a section.
const BODIES: &[&str] = &[
    "region = us-east-1\n",
    "region=us-east-1\n",
    "region: us-east-1\n",
    "region : us-east-1\n",
    "  region = us-east-1\n",
    "\tregion = us-east-1\n",
    "REGION = us-east-1\n",
    "Role_Arn = arn:aws:iam::222222222222:role/r\nregion = us-east-1\n",
    "role_arn: arn:aws:iam::222222222222:role/r\n",
    "region = us-east-1 # comment\n",
    "region = us-east-1 ; comment\n",
    "region = us-east-1\n# comment\nrole_arn = r\n",
    "region = us-east-1\n  # indented comment\nrole_arn = r\n",
    "role_arn = r\n  # auditors\nsource_profile = hub\n",
    "; comment\nregion = us-east-1\n",
    "region =\n",
    "region = \n\nrole_arn = r\n",
    "region = us-east-1\n\n\nrole_arn = r\n\n",
    "credential_process = a\n  b\n  c\nregion = x\n",
    "credential_process = a\n\n  b\nregion = x\n",
    "credential_process = \"/opt/my program\" --a=b : c\n",
    "s3 =\n  addressing_style = path\n  max = 1\nregion = x\n",
    "sts =\n  endpoint_url = http://localhost:1\n",
    "sts =\n    endpoint_url = http://localhost:1\nec2 =\n    endpoint_url = http://localhost:2?a=b\n",
    "region = us-east-1\r\nrole_arn = r\r\n",
    "region = a\rrole_arn = r\r",
    "a = = b\n",
    "a:b = c\n",
    "a = b:c\n",
    "key with spaces = value\n",
    "schlüssel = größe\n",
    "region = 'us-east-1'\n",
    "region = \"us-east-1\"\n",
    "password = %(x)s $HOME ${x}\n",
    "",
    "  indented = 1\n  second = 2\n",
    "first = 1\n  second = 2\nthird = 3\n",
    "  first = 1\nsecond = 2\n",
    "a = 1\n\u{a0}b = 2\n",
];

/// Files that botocore rejects as a whole. Groma reads every section without a mistake.
const REJECTED: &[&str] = &[
    "region = x\n[profile p]\n",
    "\u{feff}[profile p]\nregion = x\n",
    "[profile p]\nregion\n",
    "[profile p]\n= x\n",
    "[profile p]\nregion = a\nregion = b\n",
    "[profile p]\nregion = a\n[profile p]\nrole_arn = r\n",
    "[profile p]\ns3 =\n  oops\n",
];

fn cases() -> Vec<Value> {
    let of = |config: String, credentials: Option<&str>| json!({"config": config, "credentials": credentials});
    let mut cases = Vec::new();
    for heading in HEADINGS {
        cases.push(of(format!("{heading}\nregion = us-east-1\n"), None));
        cases.push(of(format!("[profile first]\nregion = x\n{heading}\nregion = us-east-1\n"), None));
        cases.push(json!({"config": null, "credentials": format!("{heading}\naws_access_key_id = K\n")}));
    }
    for body in BODIES {
        cases.push(of(format!("[profile p]\n{body}"), None));
        cases.push(of(format!("[profile p]\n{body}[profile q]\nregion = y\n"), None));
        cases.push(of(format!("[services local]\n{body}"), None));
        cases.push(of("[profile p]\nregion = config\n".to_owned(), Some(&format!("[p]\n{body}"))));
    }
    for (config, credentials) in [
        ("[profile p]\nregion = a\n[default]\nregion = b\n[profile default]\nrole_arn = r\n", "[p]\nregion = c\n"),
        ("[profile default]\nrole_arn = r\n[default]\nregion = b\n", "[default]\naws_access_key_id = K\n"),
        ("[profile 'p']\nregion = a\n[profile p]\nrole_arn = r\n", ""),
        ("", "[profile p]\naws_access_key_id = K\n"),
        ("", "['p']\naws_access_key_id = K\n"),
        (
            "[profile p]\nregion = a\n[DEFAULT]\nregion = b\noutput = json\n[profile q]\n",
            "[DEFAULT]\naws_access_key_id = K\n[p]\n",
        ),
        ("", ""),
        ("# nothing\n", "; nothing\n"),
    ] {
        cases.push(of(config.to_owned(), Some(credentials)));
    }
    for (name, value) in [
        ("AWS_CONFIG_FILE", ""),
        ("AWS_SHARED_CREDENTIALS_FILE", ""),
        ("AWS_CONFIG_FILE", "/nonexistent"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/"),
        ("AWS_CONFIG_FILE", "/dev/null"),
    ] {
        let config = "[profile p]\nregion = a\n";
        cases.push(json!({"config": config, "credentials": "[q]\nregion = b\n", "env": {name: value}}));
    }
    cases
}

fn botocore(cases: &[Value], folder: &Path) -> anyhow::Result<Vec<Value>> {
    let file = folder.join("cases.json");
    fs::write(&file, serde_json::to_string(cases)?)?;
    Ok(serde_json::from_str(&testkit::run_python("tests/aws/botocore_profiles.py", &[file.as_os_str()])?)?)
}

fn groma(case: &Value, folder: &Path) -> Result<Value, String> {
    let mut env = vec![("HOME".to_owned(), folder.display().to_string())];
    for (part, variable) in [("config", "AWS_CONFIG_FILE"), ("credentials", "AWS_SHARED_CREDENTIALS_FILE")] {
        let path = folder.join(part);
        fs::remove_file(&path).ok();
        if let Some(text) = case[part].as_str() {
            fs::write(&path, text).map_err(|error| error.to_string())?;
        }
        env.push((variable.to_owned(), path.display().to_string()));
    }
    for (name, value) in case["env"].as_object().into_iter().flatten() {
        env.push((name.clone(), value.as_str().unwrap_or_default().to_owned()));
    }
    let env: Environment = env.into_iter().collect();
    let profiles = Profiles::load(&env).map_err(|error| bus::chain(&error))?;
    let of = |name: &str| -> Value {
        profiles.keys(name).map(|key| (key.to_owned(), json!(profiles.get(name, key)))).collect()
    };
    Ok(profiles.names().map(|name| (name.to_owned(), of(name))).collect())
}

/// The non-empty text values of a profile; Groma ignores the others.
fn texts(values: &Value) -> Value {
    let some = |(_, value): &(&String, &Value)| value.as_str().is_some_and(|text| !text.is_empty());
    values.as_object().into_iter().flatten().filter(some).map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[test]
fn profiles_and_values_are_those_of_botocore() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let cases = cases();
    assert!(cases.len() >= 80, "{}", cases.len());
    let (mut rejected, mut differ) = (0, Vec::new());
    for (case, theirs) in cases.iter().zip(botocore(&cases, folder.path())?) {
        let ours = groma(case, folder.path());
        if theirs["error"].is_string() {
            rejected += 1;
            continue;
        }
        let profiles = theirs["profiles"].as_object().into_iter().flatten();
        let expected: Value = profiles.map(|(name, values)| (name.clone(), texts(values))).collect();
        if ours.as_ref() != Ok(&expected) {
            differ.push(format!("{case}\n  botocore {expected}\n  Groma    {ours:?}"));
        }
    }
    println!("{} files: {rejected} rejected by botocore, {} differ", cases.len(), differ.len());
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    Ok(())
}

#[test]
fn of_a_file_that_botocore_rejects_the_good_sections_are_used() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let with_more = |text: &&str| json!({"config": format!("{text}[profile good]\nregion = y\n"), "credentials": null});
    let cases: Vec<Value> = REJECTED.iter().map(with_more).collect();
    for (case, theirs) in cases.iter().zip(botocore(&cases, folder.path())?) {
        assert!(theirs["error"].is_string(), "{case}: {theirs}");
        match groma(case, folder.path()) {
            Ok(ours) => assert_eq!(ours["good"], json!({"region": "y"}), "{case}"),
            Err(error) => assert!(error.contains("text before the first [section]"), "{case}: {error}"),
        }
    }
    Ok(())
}

/// `[services]` sections have nested values.
#[test]
fn endpoints_of_services_are_those_of_botocore() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let config = "[services 'my services']\nsts =\n  endpoint_url = http://localhost:1?a=b\nec2 =\n\n    endpoint_url=http://localhost:2\n";
    let theirs = botocore(&[json!({"config": config, "credentials": null})], folder.path())?;
    let profiles = Profiles::parse(config, "")?;
    for service in ["sts", "ec2"] {
        let expected = theirs[0]["services"]["my services"][service]["endpoint_url"].as_str();
        assert!(expected.is_some(), "{theirs:?}");
        assert_eq!(profiles.service("my services", service, "endpoint_url"), expected);
    }
    Ok(())
}
