//! The config and the credentials file.

use broker::{arn::RoleArn, environment::Environment, plan::Planner, profiles::Profiles, settings::Settings};
use std::io::Write;

const WORDS: &[&[u8]] = &[
    b"[default]\n",
    b"[profile a]\n",
    b"[profile b]\n",
    b"[profile c]\n",
    b"[a]\n",
    b"[b]\n",
    b"[sso-session s]\n",
    b"[services local]\n",
    b"services = local\n",
    b"[",
    b"]",
    b" ",
    b"\t",
    b"\n",
    b"=",
    b"#",
    b";",
    b"\\",
    b"\"",
    b"\0",
    b"role_arn = arn:aws:iam::111111111111:role/r\n",
    b"role_arn = arn\n",
    b"source_profile = a\n",
    b"source_profile = b\n",
    b"source_profile = c\n",
    b"credential_source = Environment\n",
    b"region = eu-west-1\n",
    b"aws_access_key_id = A\n",
    b"aws_secret_access_key = S\n",
    b"duration_seconds = 900\n",
    b"duration_seconds = -1\n",
    b"web_identity_token_file = /t\n",
    b"sso_session = s\n",
    b"sso_region = r\n",
    b"sso_start_url = u\n",
    b"sso_account_id = 1\n",
    b"sso_role_name = r\n",
    b"credential_process = p\n",
    b"retry_mode = legacy\n",
    b"max_attempts = 0\n",
    b"max_attempts = 99999999999\n",
    b"sts =\n  endpoint_url = http://h\n",
    b"mfa_serial = m\n",
    b"endpoint_url = http://h\n",
    b"use_fips_endpoint = maybe\n",
    b"sts_regional_endpoints = x\n",
    b"AWS_PROFILE=a\n",
    b"AWS_ACCESS_KEY_ID=A\n",
    b"AWS_WEB_IDENTITY_TOKEN_FILE=f\n",
    b"AWS_ROLE_ARN=r\n",
    b"AWS_MAX_ATTEMPTS=3\n",
    b"AWS_REGION=us-gov-west-1\n",
];

/// An input is the config file, the credentials file and the environment, separated by NUL bytes.
#[test]
fn config_files() {
    fuzz::Target::new("config_files").words(WORDS).memory(512 << 10, 512).allocations(10_000, 256).check(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        let mut parts = text.splitn(3, '\0');
        let (config, credentials) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let env: Environment =
            parts.next().unwrap_or_default().lines().filter_map(|line| line.split_once('=')).collect();
        let Ok(profiles) = Profiles::parse(config, credentials) else { return };
        let planner = Planner::new(&env, &profiles);
        let caller = planner.caller(None).ok();
        let all = planner.all(&[]).expect("none is named");
        for route in all.into_iter().filter_map(|(_, route)| route.ok()).chain(caller) {
            assert!(route.roles.len() <= 40);
            for role in &route.roles {
                assert_eq!(role.arn.to_string().parse::<RoleArn>().as_ref(), Ok(&role.arn));
            }
            drop(route.to_string());
        }
        for profile in profiles.names().take(3).chain(["none"]) {
            let settings = Settings::new(&env, &profiles, Some(profile));
            drop(settings.retries());
            settings.endpoint_url("elasticloadbalancing").ok();
            settings.unclear();
            settings.region("aws-cn");
            drop(settings.global_sts());
        }
    });
}

fn environment(file: &tempfile::NamedTempFile) -> Environment {
    [("AWS_CONFIG_FILE", file.path().to_str().expect("a path"))].into_iter().collect()
}

#[test]
fn a_file_of_100_megabytes_is_refused_without_reading_it() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    let line = b"[profile a]\nregion = eu-west-1\n".repeat(1 << 15);
    (0..100).for_each(|_| file.write_all(&line).expect("it can be written"));
    let env = environment(&file);
    let cost = fuzz::cost(|| {
        let error = Profiles::load(&env).expect_err("it is too large");
        let text = errors::chain(&error);
        assert!(text.contains("it holds more than 4194304 bytes"), "{text}");
    });
    assert!(cost.bytes < 16 << 20, "{} bytes", cost.bytes);
}

#[test]
fn thousands_of_profiles_in_a_chain_take_allocations_in_proportion() {
    let config = |count: usize| -> String {
        let profile = |n: usize| {
            let next = n + 1;
            format!("[profile p{n}]\nrole_arn = arn:aws:iam::111111111111:role/r\nsource_profile = p{next}\n")
        };
        (0..count).map(profile).collect()
    };
    let allocations = |count| {
        let config = config(count);
        let cost = fuzz::cost(|| {
            let profiles = Profiles::parse(&config, "").expect("it parses");
            let env = Environment::default();
            assert_eq!(Planner::new(&env, &profiles).all(&[]).expect("none is named").len(), count);
        });
        cost.allocations
    };
    let (few, many) = (allocations(1_000), allocations(8_000));
    assert!(many < 10 * few, "{few} allocations for 1,000 profiles, {many} for 8,000");
}
