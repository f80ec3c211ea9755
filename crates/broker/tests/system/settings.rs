//! Settings that the SDK would panic on or pass over, and what collectors are told.

use crate::world::{ALPHA, ALPHA_ROLE, World};
use events::RetryMode;

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
        assert_eq!(world.log().contains("is read as `standard`"), said, "{config}{env:?}");
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
        ("AWS_MAX_ATTEMPTS", "0", r#"error: AWS_MAX_ATTEMPTS is "0": it has to be a number from 1 on"#),
        ("AWS_RETRY_MODE", "often", r#"error: AWS_RETRY_MODE is "often": it may be standard, adaptive or legacy"#),
        (
            "AWS_STS_REGIONAL_ENDPOINTS",
            "x",
            r#"error: AWS_STS_REGIONAL_ENDPOINTS is "x": it may be regional or legacy"#,
        ),
    ] {
        let (status, said) = started("", &[(name, value)]).await.err().expect("it ends");
        assert_eq!((status, said.lines().last()), (1, Some(words)));
    }
}
