//! Variables with and without a value, and what Groma and botocore make of them.

use super::Environment;
use broker::{profiles::Profiles, settings::Settings};
use serde_json::{Value, json};

/// The profile says the opposite of every variable's empty value.
const CONFIG: &str = "[profile p]\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true\nmax_attempts = 7\n\
    endpoint_url = http://profile\n";
const IGNORING: &str = "[profile p]\nendpoint_url = http://profile\nignore_configured_endpoint_urls = true\n";

/// Variables, and why Groma differs where it does.
const CASES: &[(&str, &[(&str, &str)], Option<&str>)] = &[
    (CONFIG, &[], None),
    (CONFIG, &[("AWS_USE_FIPS_ENDPOINT", "")], None),
    (CONFIG, &[("AWS_USE_FIPS_ENDPOINT", " ")], None),
    (CONFIG, &[("AWS_USE_FIPS_ENDPOINT", "FALSE")], None),
    (CONFIG, &[("AWS_USE_FIPS_ENDPOINT", "1")], Some("Groma refuses what is neither true nor false")),
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
            "attempts": it.max_attempts,
        }),
        Err(_) => Value::Null,
    }
}

#[test]
fn variables_without_a_value_are_those_of_botocore() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("cases.json");
    let variables = |env: &[(&str, &str)]| env.iter().map(|(name, value)| ((*name).into(), json!(value))).collect();
    let case =
        |(config, env, _): &(&str, &[(&str, &str)], _)| json!({"config": config, "env": Value::Object(variables(env))});
    std::fs::write(&file, CASES.iter().map(case).collect::<Value>().to_string())?;
    let printed =
        testkit::run_python("tests/aws/botocore_settings.py", &[file.as_os_str(), folder.path().as_os_str()])?;
    let theirs: Vec<Value> = serde_json::from_str(&printed)?;
    for ((config, env, excuse), theirs) in CASES.iter().zip(theirs) {
        let ours = ours(config, env);
        assert_eq!(ours == theirs, excuse.is_none(), "{env:?} {excuse:?}\nbotocore {theirs}\nGroma    {ours}");
    }
    println!("variables with and without a value: {} cases", CASES.len());
    Ok(())
}
