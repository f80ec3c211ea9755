//! Variables with and without a value, as read by Groma and by botocore.

use super::Environment;
use broker::{profiles::Profiles, settings::Settings};
use events::RetryMode;
use serde_json::{Value, json};

/// The profile has the opposite of every variable's default.
const CONFIG: &str = "[profile p]\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true\nmax_attempts = 7\n\
    endpoint_url = http://profile\n";
const IGNORING: &str = "[profile p]\nendpoint_url = http://profile\nignore_configured_endpoint_urls = true\n";

/// A configuration, variables, and the reason for a difference, if any.
type Case = (&'static str, &'static [(&'static str, &'static str)], Option<&'static str>);

const CASES: &[Case] = &[
    (CONFIG, &[], None),
    (CONFIG, &[("AWS_USE_FIPS_ENDPOINT", "")], None),
    (CONFIG, &[("AWS_USE_FIPS_ENDPOINT", " ")], None),
    (CONFIG, &[("AWS_USE_FIPS_ENDPOINT", "FALSE")], None),
    (CONFIG, &[("AWS_USE_FIPS_ENDPOINT", "1")], None),
    (CONFIG, &[("AWS_USE_DUALSTACK_ENDPOINT", "")], None),
    (CONFIG, &[("AWS_USE_DUALSTACK_ENDPOINT", "\t")], None),
    (CONFIG, &[("AWS_MAX_ATTEMPTS", "3")], None),
    (CONFIG, &[("AWS_MAX_ATTEMPTS", " 3 ")], None),
    (CONFIG, &[("AWS_MAX_ATTEMPTS", "")], Some("botocore fails; for Groma nothing is set")),
    (CONFIG, &[("AWS_MAX_ATTEMPTS", " ")], Some("botocore fails; for Groma nothing is set")),
    (CONFIG, &[("AWS_ENDPOINT_URL", "")], None),
    (CONFIG, &[("AWS_ENDPOINT_URL_STS", "")], None),
    (CONFIG, &[("AWS_ENDPOINT_URL_STS", ""), ("AWS_ENDPOINT_URL", "http://all")], None),
    (CONFIG, &[("AWS_ENDPOINT_URL_STS", "http://sts"), ("AWS_ENDPOINT_URL", "http://all")], None),
    (CONFIG, &[("AWS_ENDPOINT_URL_STS", " "), ("AWS_ENDPOINT_URL", "http://all")], None),
    (CONFIG, &[("AWS_ENDPOINT_URL", " ")], None),
    (IGNORING, &[], None),
    (IGNORING, &[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "")], None),
    (IGNORING, &[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false")], None),
    (CONFIG, &[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "True")], None),
    (CONFIG, &[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", " ")], None),
    (CONFIG, &[("AWS_CA_BUNDLE", "")], Some("botocore fails; for Groma nothing is set")),
    (CONFIG, &[("AWS_CA_BUNDLE", " ")], None),
];

fn ours(config: &str, env: &[(&str, &str)]) -> Value {
    let env: Environment = env.iter().copied().collect();
    let profiles = Profiles::parse(config, "").expect("it parses");
    match Settings::new(&env, &profiles, Some("p")).of_clients("sts") {
        Ok(it) => json!({
            "fips": it.use_fips, "dual_stack": it.use_dual_stack, "endpoint": it.endpoint_url,
            "attempts": it.max_attempts, "mode": it.retry_mode().as_str_name(),
        }),
        Err(_) => Value::Null,
    }
}

/// botocore's results for a config file and variables.
fn theirs(cases: &[(&str, &[(&str, &str)])]) -> anyhow::Result<Vec<Value>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("cases.json");
    let variables = |env: &[(&str, &str)]| env.iter().map(|(name, value)| ((*name).into(), json!(value))).collect();
    let case =
        |(config, env): &(&str, &[(&str, &str)])| json!({"config": config, "env": Value::Object(variables(env))});
    std::fs::write(&file, cases.iter().map(case).collect::<Value>().to_string())?;
    let printed =
        testkit::run_python("tests/aws/botocore_settings.py", &[file.as_os_str(), folder.path().as_os_str()])?;
    Ok(serde_json::from_str(&printed)?)
}

/// Values of boolean and retry settings.
const BOOLEANS: &[&str] = &["true", "TRUE", "false", "False", "0", "1", "no", "yes", "on", "t"];
const MODES: &[&str] = &["standard", "adaptive", "legacy", "often"];
const ATTEMPTS: &[&str] = &["1", "5", "+3", "007", "0", "-1", "x", "1.5"];

/// Lines of a profile and of the sections after it, and variables that lead to an endpoint.
const ENDPOINTS: &[(&str, &[(&str, &str)])] = &[
    ("", &[]),
    ("endpoint_url = http://p\n", &[]),
    ("endpoint_url = http://p\n", &[("AWS_ENDPOINT_URL", "http://e")]),
    ("services = s\nendpoint_url = http://p\n[services s]\nsts =\n  endpoint_url = http://s\n", &[]),
    ("services = s\nendpoint_url = http://p\n[services s]\nec2 =\n  endpoint_url = http://s\n", &[]),
    ("services = s\n[services s]\nsts =\n  endpoint_url = http://s\n", &[("AWS_ENDPOINT_URL_STS", "http://e")]),
    ("services = s\n[services s]\nsts =\n  endpoint_url = http://s\n", &[("AWS_ENDPOINT_URL_EC2", "http://e")]),
    ("services = typo\n[services s]\nsts =\n  endpoint_url = http://s\n", &[]),
    ("services = typo\nendpoint_url = http://p\n", &[]),
    ("services = typo\n", &[("AWS_ENDPOINT_URL", "http://e")]),
    ("services = typo\n", &[("AWS_ENDPOINT_URL_EC2", "http://e")]),
    ("services = typo\n", &[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")]),
    ("services = typo\nignore_configured_endpoint_urls = yes\n", &[]),
    ("services = s\n[services s]\n", &[]),
    ("services = s\nendpoint_url = http://p\n[services s]\nsts = http://s\n", &[]),
    ("services = s\nendpoint_url = http://p\n[services s]\nsts =\n", &[]),
    ("services =\n[services s]\nsts =\n  endpoint_url = http://s\n", &[]),
];

/// Each value in the file only, in the environment only, and combined with the next one in the other place.
fn values() -> Vec<(String, Vec<(&'static str, &'static str)>)> {
    let mut all: Vec<(String, Vec<(&str, &str)>)> = Vec::new();
    for (variable, key, values) in [
        ("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", BOOLEANS),
        ("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint", BOOLEANS),
        ("AWS_RETRY_MODE", "retry_mode", MODES),
        ("AWS_MAX_ATTEMPTS", "max_attempts", ATTEMPTS),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "endpoint_url = http://p\nignore_configured_endpoint_urls", BOOLEANS),
    ] {
        for (value, next) in values.iter().zip(values.iter().cycle().skip(1)) {
            all.push((format!("{key} = {value}\n"), Vec::new()));
            all.push((String::new(), vec![(variable, *value)]));
            all.push((format!("{key} = {next}\n"), vec![(variable, *value)]));
        }
    }
    all.extend(ENDPOINTS.iter().map(|(lines, env)| ((*lines).to_owned(), env.to_vec())));
    all
}

/// Maps botocore's retry modes to ours. `legacy`, and no value, count as `standard`.
fn named(mut theirs: Value, is_set: bool) -> Value {
    let mode = match theirs["mode"].as_str() {
        None => return theirs,
        Some("adaptive") => RetryMode::Adaptive,
        Some(_) if is_set => RetryMode::Standard,
        Some(_) => RetryMode::Unspecified,
    };
    theirs["mode"] = json!(mode.as_str_name());
    theirs
}

#[test]
fn booleans_retries_and_endpoints_are_those_of_botocore() -> anyhow::Result<()> {
    let values = values();
    let configs: Vec<_> = values.iter().map(|(lines, _)| format!("[profile p]\n{lines}")).collect();
    let cases: Vec<(&str, &[_])> =
        configs.iter().map(String::as_str).zip(values.iter().map(|(_, env)| &**env)).collect();
    let (mut used, mut refused) = (0, 0);
    for ((config, env), theirs) in cases.iter().zip(theirs(&cases)?) {
        let is_set = config.contains("retry_mode") || env.iter().any(|(name, _)| *name == "AWS_RETRY_MODE");
        *(if theirs.is_null() { &mut refused } else { &mut used }) += 1;
        assert_eq!(ours(config, env), named(theirs, is_set), "{config}{env:?}");
    }
    println!("booleans, retries, endpoints: {used} the same, {refused} refused by both");
    assert!(used > 100 && refused > 20, "{used} {refused}");
    Ok(())
}

#[test]
fn variables_without_a_value_are_those_of_botocore() -> anyhow::Result<()> {
    let cases: Vec<_> = CASES.iter().map(|(config, env, _)| (*config, *env)).collect();
    let theirs = theirs(&cases)?;
    for ((config, env, excuse), theirs) in CASES.iter().zip(theirs) {
        let (ours, theirs) = (ours(config, env), named(theirs, false));
        assert_eq!(ours == theirs, excuse.is_none(), "{env:?} {excuse:?}\nbotocore {theirs}\nGroma    {ours}");
    }
    println!("variables with and without a value: {} cases", CASES.len());
    Ok(())
}
