//! Settings that would make the SDK panic or that it would ignore, and the settings sent to collectors.

use crate::world::{ALPHA, ALPHA_ROLE, BETA_EXTERNAL_ID, BETA_ROLE, World};
use events::RetryMode;
use expect_test::expect;

async fn started(config: &str, env: &[(&str, &str)]) -> Result<World, (i32, String)> {
    let mut world = World::new().await;
    world.hub_keys();
    world.config(&format!("[profile alpha]\nrole_arn = {ALPHA_ROLE}\nsource_profile = hub\n{config}"));
    let env: Vec<_> = env.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let env: Vec<(&str, String)> = env.iter().map(|(name, value)| (*name, value.clone())).collect();
    world.broker(&["--profile", "alpha"], &env).await?;
    Ok(world)
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_settings_reach_the_collectors() {
    for (config, env, mode, attempts, said) in [
        ("", &[("AWS_RETRY_MODE", "legacy"), ("AWS_MAX_ATTEMPTS", "9")] as &[_], RetryMode::Standard, 9, true),
        ("retry_mode = adaptive\nmax_attempts = 4\n", &[], RetryMode::Adaptive, 4, false),
        ("retry_mode = legacy\n", &[("AWS_RETRY_MODE", "standard")], RetryMode::Standard, 0, false),
        ("", &[], RetryMode::Unspecified, 0, false),
    ] {
        let world = started(config, env).await.expect("it starts");
        let lease = world.lease(ALPHA, "ec2", &["ec2:DescribeVpcs"]).await.expect("a lease");
        assert_eq!((lease.settings.retry_mode(), lease.settings.max_attempts), (mode, attempts), "{config}{env:?}");
        assert_eq!(world.log().contains("is treated as `standard`"), said, "{config}{env:?}");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_service_has_its_endpoint() {
    let world = started("", &[("AWS_ENDPOINT_URL_EC2", "http://ec2.example")]).await.expect("it starts");
    let ec2 = world.lease(ALPHA, "ec2", &["ec2:DescribeVpcs"]).await.expect("a lease");
    assert_eq!(ec2.settings.endpoint_url, "http://ec2.example");
    let iam = world.lease(ALPHA, "iam", &["iam:ListUsers"]).await.expect("a lease");
    assert_eq!(iam.settings.endpoint_url, world.cloud.aws.endpoint());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_are_none_end_it_at_once() {
    for (name, value, words) in [
        ("AWS_MAX_ATTEMPTS", "0", r#"error: AWS_MAX_ATTEMPTS is "0": it must be a number of at least 1"#),
        ("AWS_RETRY_MODE", "often", r#"error: AWS_RETRY_MODE is "often": it must be standard, adaptive or legacy"#),
        (
            "AWS_STS_REGIONAL_ENDPOINTS",
            "x",
            r#"error: AWS_STS_REGIONAL_ENDPOINTS is "x": it must be regional or legacy"#,
        ),
    ] {
        let (status, said) = started("", &[(name, value)]).await.err().expect("it ends");
        assert_eq!((status, said.lines().last()), (1, Some(words)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_but_true_means_no() {
    let env = [("AWS_USE_DUALSTACK_ENDPOINT", "0"), ("AWS_USE_FIPS_ENDPOINT", "no")];
    let world = started("", &env).await.expect("it starts");
    let lease = world.lease(ALPHA, "ec2", &["ec2:DescribeVpcs"]).await.expect("a lease");
    assert_eq!((lease.settings.use_dual_stack, lease.settings.use_fips), (false, false));
    assert!(world.log().contains(r#"AWS_USE_FIPS_ENDPOINT is "no": only `true` counts as true"#), "{}", world.log());
    world.end().await;
}

/// The environment of the other tests names the endpoint, so the section is not read.
#[tokio::test(flavor = "multi_thread")]
async fn a_services_section_that_is_not_there_costs_its_profile_alone() {
    let more = format!(
        "region = us-east-1\n[profile beta]\nrole_arn = {BETA_ROLE}\nsource_profile = hub\nservices = typo\n\
         external_id = {BETA_EXTERNAL_ID}\nregion = us-east-1\n"
    );
    let mut world = World::new().await;
    world.hub_keys();
    let endpoint = world.cloud.aws.endpoint();
    world.config(&format!(
        "[profile alpha]\nrole_arn = {ALPHA_ROLE}\nsource_profile = hub\nservices = local\n{more}\
         [services local]\nsts =\n  endpoint_url = {endpoint}\n"
    ));
    let env = [("AWS_ENDPOINT_URL", String::new())];
    world.broker(&["--profile", "alpha", "--profile", "beta"], &env).await.expect("it starts");
    expect![[r#"
        222222222222 alpha aws us-east-1
        333333333333 beta: no credentials: configuration: services of profile beta is "typo": [services typo] is missing or empty"#]].assert_eq(&world.accounts_text().await);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_selected_profiles_are_said() {
    for (other, said) in [("alpha", true), ("hub", false)] {
        let mut world = World::new().await;
        world.hub_keys();
        world.config("[profile alpha]\nregion = us-east-1\n");
        let env = [("AWS_DEFAULT_PROFILE", "hub".to_owned()), ("AWS_PROFILE", other.to_owned())];
        world.broker(&["--lease-own-identity"], &env).await.expect("it starts");
        assert_eq!(world.accounts_text().await, "111111111111 hub aws us-east-1");
        assert_eq!(world.log().contains("AWS_DEFAULT_PROFILE and AWS_PROFILE name different profiles"), said);
        world.end().await;
    }
}
