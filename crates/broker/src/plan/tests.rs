//! Configuration text in, routes out.

use super::*;
use crate::route::File;
use expect_test::{Expect, expect};
use std::fmt::Write;

const HUB: &str = "[profile hub]\naws_access_key_id = AKIDHUB\naws_secret_access_key = hush\nregion = eu-west-1\n";

/// Every profile's route.
fn check(config: &str, expected: &Expect) {
    let env: Environment = [("AWS_DEFAULT_REGION", "eu-central-1")].into_iter().collect();
    let profiles = Profiles::parse(config, "").expect("the config parses");
    let mut text = String::new();
    for (name, route) in Planner::new(&env, &profiles).all(&[]).expect("no profile is named") {
        writeln!(text, "{name}: {}", route.map_or_else(|error| format!("{error}"), |route| full(&route))).unwrap();
    }
    assert!(!text.contains("hush"), "{text}");
    expected.assert_eq(&text);
}

#[test]
fn a_chain_of_profiles_has_an_end() {
    let chain = |length: usize| -> String {
        let profile = |n: usize| {
            format!("[profile p{n}]\nrole_arn = arn:aws:iam::111111111111:role/r\nsource_profile = p{}\n", n + 1)
        };
        (0..length).map(profile).collect::<String>() + &format!("[profile p{length}]\n{}", &HUB[14..])
    };
    let of = |length| {
        let profiles = Profiles::parse(&chain(length), "").expect("it parses");
        Planner::new(&Environment::default(), &profiles).caller(Some("p0")).map(|route| route.roles.len())
    };
    assert_eq!(of(MOST_SOURCES), Ok(MOST_SOURCES));
    assert_eq!(of(MOST_SOURCES + 1), Err(PlanError::TooLong { profile: "p0".into() }));
}

/// The caller's route with these variables.
fn check_caller(env: &[(&str, &str)], config: &str, named: Option<&str>, expected: &Expect) {
    let env: Environment = env.iter().copied().collect();
    let profiles = Profiles::parse(config, "").expect("the config parses");
    let route = Planner::new(&env, &profiles).caller(named);
    expected.assert_eq(&route.map_or_else(|error| error.to_string(), |route| full(&route)));
}

fn full(route: &Route) -> String {
    let mut text = route.source.to_string();
    for Role { arn, external_id, session_name, duration_seconds, region } in &route.roles {
        let of = |name: &str, value: Option<String>| value.map(|value| format!(" {name}={value}")).unwrap_or_default();
        let options = of("external_id", external_id.clone())
            + &of("as", session_name.clone())
            + &of("seconds", duration_seconds.map(|seconds| seconds.to_string()));
        write!(text, " → {arn} at {region}{options}").unwrap();
    }
    text
}

#[test]
fn a_config_written_for_cartography() {
    let config = "[default]\nregion = us-east-1\noutput = json\n\
        [profile one]\nrole_arn = arn:aws:iam::222222222222:role/cartography-read-only\nregion = us-east-1\noutput = json\n\
        credential_source = Ec2InstanceMetadata\n\
        [profile two]\nrole_arn = arn:aws:iam::333333333333:role/cartography-read-only\nregion = us-east-1\noutput = json\n\
        credential_source = EcsContainer\n";
    check(
        config,
        &expect![[r"
            one: the instance's role → arn:aws:iam::222222222222:role/cartography-read-only at eu-central-1
            two: the container's role → arn:aws:iam::333333333333:role/cartography-read-only at eu-central-1
        "]],
    );
}

#[test]
fn a_hub_with_spokes_and_a_chain() {
    let config = format!(
        "{HUB}[profile spoke]\nrole_arn = arn:aws:iam::222222222222:role/r\nsource_profile = hub\nexternal_id = x-1\n\
         role_session_name = me\nduration_seconds = 7200\n\
         [profile leaf]\nrole_arn = arn:aws:iam::333333333333:role/r\nsource_profile = spoke\n"
    );
    check(
        &config,
        &expect![[r"
            hub: the keys of profile hub
            spoke: the keys of profile hub → arn:aws:iam::222222222222:role/r at eu-central-1 external_id=x-1 as=me seconds=7200
            leaf: the keys of profile hub → arn:aws:iam::222222222222:role/r at eu-central-1 external_id=x-1 as=me seconds=7200 → arn:aws:iam::333333333333:role/r at eu-central-1
        "]],
    );
}

#[test]
fn a_profile_may_source_itself_and_a_sources_keys_go_before_its_role() {
    let own = "role_arn = arn:aws:iam::222222222222:role/r\n";
    let config = format!(
        "[profile self]\n{own}source_profile = self\naws_access_key_id = A\naws_secret_access_key = hush\n\
         [profile via]\nrole_arn = arn:aws:iam::333333333333:role/r\nsource_profile = self\n"
    );
    check(
        &config,
        &expect![[r"
            self: the keys of profile self → arn:aws:iam::222222222222:role/r at eu-central-1
            via: the keys of profile self → arn:aws:iam::333333333333:role/r at eu-central-1
        "]],
    );
}

#[test]
fn every_other_kind_of_source() {
    let config = "[profile sso]\nsso_session = s\nsso_account_id = 222222222222\nsso_role_name = Audit\n\
        [sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://x.awsapps.com/start\n\
        [profile sso-old]\nsso_account_id = 1\nsso_role_name = A\nsso_region = eu-west-1\nsso_start_url = https://x\n\
        [profile irsa]\nrole_arn = arn:aws-us-gov:iam::222222222222:role/r\nweb_identity_token_file = /token\n\
        [profile process]\ncredential_process = /bin/keys --password hush\n\
        [profile from-env]\nrole_arn = arn:aws-cn:iam::222222222222:role/r\ncredential_source = Environment\n\
        [profile nothing]\nregion = eu-west-1\n";
    check(
        config,
        &expect![[r"
            sso: IAM Identity Center's Audit of profile sso
            sso-old: IAM Identity Center's A of profile sso-old
            irsa: the web identity of arn:aws-us-gov:iam::222222222222:role/r
            process: the credential_process of profile process
            from-env: the environment's keys → arn:aws-cn:iam::222222222222:role/r at cn-north-1
        "]],
    );
}

#[test]
fn what_leads_nowhere_says_why() {
    let role = "role_arn = arn:aws:iam::222222222222:role/r\n";
    let config = format!(
        "[profile a]\n{role}source_profile = b\n[profile b]\n{role}source_profile = c\n[profile c]\n{role}source_profile = a\n\
         [profile both]\n{role}source_profile = a\ncredential_source = Environment\n\
         [profile none]\n{role}\n[profile gone]\n{role}source_profile = missing\n\
         [profile odd]\n{role}credential_source = Ec2\n\
         [profile mfa]\n{role}source_profile = keys\nmfa_serial = arn:aws:iam::111111111111:mfa/me\n\
         [profile arn]\nrole_arn = read-only\nsource_profile = keys\n\
         [profile long]\n{role}source_profile = keys\nduration_seconds = 99999\n\
         [profile empty]\n{role}source_profile = nothing\n[profile nothing]\nregion = eu-west-1\n\
         [profile half]\naws_access_key_id = A\n[profile token]\nweb_identity_token_file = /token\n\
         [profile sso]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n[profile login]\nlogin_session = x\n\
         [profile keys]\naws_access_key_id = A\naws_secret_access_key = hush\n"
    );
    check(
        &config,
        &expect![[r#"
        a: source_profile goes round in a circle: a → b → c → a
        b: source_profile goes round in a circle: b → c → a → b
        c: source_profile goes round in a circle: c → a → b → c
        both: profile "both" has both source_profile and credential_source: only one can be meant
        none: profile "none" has a role_arn but neither source_profile nor credential_source: who is to assume it?
        gone: the source_profile of "gone" is "missing", and there is no such profile
        odd: credential_source of profile "odd" is "Ec2": it may be Ec2InstanceMetadata, EcsContainer or Environment
        mfa: profile "mfa" has an mfa_serial, and nobody is there to type a code; it can be used with a credential_process that answers (aws configure export-credentials --profile mfa does)
        arn: role_arn of profile "arn": "read-only" is not the ARN of a role (arn:aws:iam::123456789012:role/name)
        long: duration_seconds of profile "long" is "99999": it has to be a number from 900 to 43200
        empty: profile "empty" takes its credentials from "nothing", which holds none
        half: profile "half" holds only half of its keys: aws_secret_access_key is missing
        token: profile "token" has a web_identity_token_file but no role_arn
        sso: profile "sso" uses the sso-session "s", and there is no such section
        login: profile "login" has a login_session, which only the AWS CLI can use: add credential_process = aws configure export-credentials --profile login in a profile of its own
        keys: the keys of profile keys
    "#]],
    );
}

#[test]
fn named_profiles_have_to_be_there() {
    let profiles = Profiles::parse(HUB, "").expect("the config parses");
    let env = Environment::default();
    let planner = Planner::new(&env, &profiles);
    let names = planner.all(&["hub".to_owned()]).expect("it is there").into_iter().map(|(name, _)| name);
    assert_eq!(names.collect::<Vec<_>>(), ["hub"]);
    let error = planner.all(&["hubb".to_owned()]).expect_err("it is not");
    assert_eq!(error.to_string(), r#"there is no AWS profile "hubb"; there are: hub"#);
}

#[test]
fn a_profile_that_is_not_there_is_answered_with_those_that_are() {
    let known = |count: usize| {
        let config: Vec<_> = (1..=count).map(|n| format!("[profile p{n}]\nregion = eu-west-1\n")).collect();
        let config = config.concat();
        let profiles = Profiles::parse(&config, "").expect("it parses");
        Planner::new(&Environment::default(), &profiles).caller(Some("x")).expect_err("it is not there").to_string()
    };
    assert_eq!(known(0), r#"there is no AWS profile "x"; there is none at all"#);
    assert_eq!(known(2), r#"there is no AWS profile "x"; there are: p1, p2"#);
    assert!(known(3_000).ends_with("p9, p10, and 2990 more"), "{}", known(3_000));
}

#[test]
fn the_caller_is_found_as_the_sdks_find_it() {
    let keys = [("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "hush"), ("AWS_PROFILE", "hub")];
    check_caller(&keys, HUB, None, &expect!["the environment's keys"]);
    check_caller(&keys, HUB, Some("hub"), &expect!["the keys of profile hub"]);
    check_caller(&[("AWS_PROFILE", "hub")], HUB, None, &expect!["the keys of profile hub"]);
    check_caller(
        &[("AWS_PROFILE", "hubb")],
        HUB,
        None,
        &expect![[r#"there is no AWS profile "hubb"; there are: hub"#]],
    );
    let irsa = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"), ("AWS_ROLE_ARN", "arn:aws:iam::222222222222:role/r")];
    check_caller(
        &irsa,
        "[default]\nregion = eu-west-1\n",
        None,
        &expect!["the web identity of arn:aws:iam::222222222222:role/r"],
    );
    check_caller(
        &irsa[..1],
        "",
        None,
        &expect![[
            r#"AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not a role: "" is not the ARN of a role (arn:aws:iam::123456789012:role/name)"#
        ]],
    );
    let pod = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials")];
    check_caller(&pod, "", None, &expect!["the container's role"]);
    check_caller(&[], "", None, &expect!["the instance's role"]);
    check_caller(
        &[("AWS_EC2_METADATA_DISABLED", "true")],
        "",
        None,
        &expect![
            "no AWS credentials were found: neither keys in the environment, nor a profile, a web identity, a container's; instance metadata is switched off"
        ],
    );
}

#[test]
fn the_order_is_that_of_the_aws_cli() {
    let irsa = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"), ("AWS_ROLE_ARN", "arn:aws:iam::222222222222:role/r")];
    let config = format!("{HUB}[default]\naws_access_key_id = A\naws_secret_access_key = hush\n[profile empty]\n");
    check_caller(&irsa, &config, None, &expect!["the web identity of arn:aws:iam::222222222222:role/r"]);
    check_caller(&irsa, &config, Some("hub"), &expect!["the keys of profile hub"]);
    check_caller(&irsa, &config, Some("empty"), &expect!["the instance's role"]);
    let disabled = [("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_ACCESS_KEY_ID", "A")];
    check_caller(&disabled, &config, Some("empty"), &expect![[r#"profile "empty" holds no credentials"#]]);
    check_caller(
        &disabled,
        &config,
        None,
        &expect![
            "the environment holds only half of its keys: AWS_SECRET_ACCESS_KEY is not set, or is nothing but whitespace"
        ],
    );
    let both = "[profile p]\ncredential_process = x\naws_access_key_id = C\naws_secret_access_key = hush\n";
    let profiles =
        Profiles::parse(both, "[p]\naws_access_key_id = P\naws_secret_access_key = hush\n").expect("they parse");
    let env = Environment::default();
    let of = |profiles: &Profiles| Planner::new(&env, profiles).caller(Some("p")).map(|route| route.source);
    assert_eq!(of(&profiles), Ok(Source::Keys { profile: "p".into(), file: File::Credentials }));
    let profiles = Profiles::parse(both, "").expect("it parses");
    assert_eq!(of(&profiles), Ok(Source::Process { profile: "p".into() }));
}

#[test]
fn a_profile_with_a_typo_is_a_mistake_and_not_left_out() {
    let config = format!(
        "{HUB}[profile beta]\nrole-arn = arn:aws:iam::222222222222:role/r\nsource_profile = hub\nexternal_id = x\n\
         [profile gamma]\nrole_am = arn:aws:iam::222222222222:role/r\ncredential_source = EcsContainer\n\
         [profile delta]\nexternal_id = x\n[profile epsilon]\naws_session_token = hush\n\
         [profile zeta]\nrole_arn = arn:aws:iam::222222222222:role/r\nweb_identity_token_file =\n\
         [profile keys]\nsource_profile = hub\naws_access_key_id = A\naws_secret_access_key = hush\n\
         [profile process]\nexternal_id = x\ncredential_process = /bin/keys\n\
         [profile none]\nregion = eu-west-1\nsource_profile =\n"
    );
    check(
        &config,
        &expect![[r#"
        hub: the keys of profile hub
        beta: profile "beta" has source_profile and no role_arn, so that it leads nowhere: write role_arn for role-arn
        gamma: profile "gamma" has credential_source and no role_arn, so that it leads nowhere: write the role_arn, or delete the profile
        delta: profile "delta" has external_id and no role_arn, so that it leads nowhere: write the role_arn, or delete the profile
        epsilon: profile "epsilon" holds only half of its keys: aws_access_key_id is missing
        zeta: profile "zeta" has a role_arn but neither source_profile nor credential_source: who is to assume it?
        keys: the keys of profile keys
        process: the credential_process of profile process
    "#]],
    );
}
