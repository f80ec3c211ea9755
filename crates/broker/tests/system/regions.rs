//! Partition and region of the STS endpoint.

use crate::{
    endpoints::Endpoint,
    world::{ALPHA, ALPHA_ROLE, BETA, HUB, World},
};
use expect_test::{Expect, expect};
use serde_json::json;
use std::collections::BTreeSet;

/// Hosts to which a broker connects for a profile with these lines, recorded by a proxy that rejects every connection.
async fn asked(role: &str, lines: &str, expected: Expect) {
    let proxy = Endpoint::start(|_| (502, String::new())).await;
    let mut world = World::new().await;
    world.hub_keys();
    world.config(&format!("[profile spoke]\nrole_arn = {role}\nsource_profile = hub\n{lines}"));
    let env = [
        ("HTTPS_PROXY", proxy.url.clone()),
        ("NO_PROXY", String::new()),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true".to_owned()),
        ("AWS_MAX_ATTEMPTS", "1".to_owned()),
    ];
    world.broker(&["--profile", "spoke"], &env).await.expect("it starts");
    assert!(world.accounts_text().await.contains("AWS unreachable"), "{}", world.accounts_text().await);
    let hosts: BTreeSet<_> =
        proxy.asked().into_iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect();
    expected.assert_eq(&hosts.into_iter().collect::<Vec<_>>().join("\n"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sts_is_asked_in_the_profiles_region_if_every_account_has_it() {
    let role = "arn:aws:iam::222222222222:role/r";
    asked(role, "region = eu-west-1\n", expect!["CONNECT sts.eu-west-1.amazonaws.com:443"]).await;
    // Opt-in regions would reject sessions of the global endpoint.
    let legacy = "region = eu-west-1\nsts_regional_endpoints = legacy\n";
    asked(role, legacy, expect!["CONNECT sts.eu-west-1.amazonaws.com:443"]).await;
    let legacy = "region = eu-south-1\nsts_regional_endpoints = legacy\n";
    asked(role, legacy, expect!["CONNECT sts.us-east-1.amazonaws.com:443"]).await;
    // STS of an opt-in region rejects roles of accounts that have not opted in.
    asked(role, "region = eu-south-1\n", expect!["CONNECT sts.us-east-1.amazonaws.com:443"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_partition_has_endpoints_of_its_own() {
    let role = |partition: &str| format!("arn:{partition}:iam::222222222222:role/r");
    asked(&role("aws-cn"), "", expect!["CONNECT sts.cn-north-1.amazonaws.com.cn:443"]).await;
    asked(&role("aws-us-gov"), "", expect!["CONNECT sts.us-gov-west-1.amazonaws.com:443"]).await;
    asked(&role("aws-eusc"), "", expect!["CONNECT sts.eusc-de-east-1.amazonaws.eu:443"]).await;
    asked(&role("aws-iso-e"), "", expect!["CONNECT sts.eu-isoe-west-1.cloud.adc-e.uk:443"]).await;
    asked(&role("aws-iso-f"), "", expect!["CONNECT sts.us-isof-south-1.csp.hci.ic.gov:443"]).await;
    let china = "region = cn-northwest-1\n";
    asked(&role("aws-cn"), china, expect!["CONNECT sts.cn-northwest-1.amazonaws.com.cn:443"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_in_another_partition() {
    for (partition, region) in [("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")] {
        let mut world = World::new().await;
        let trust = json!({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": HUB}}]});
        let role = json!({"RoleName": "survey", "AssumeRolePolicyDocument": trust.to_string()});
        world.cloud.aws.call(ALPHA, region, "iam", "create_role", role).await.expect("moto makes it");
        world.hub_keys();
        world.config(&format!(
            "[profile far]\nrole_arn = arn:{partition}:iam::{ALPHA}:role/survey\nsource_profile = hub\n"
        ));
        world.broker(&["--profile", "far"], &[]).await.expect("it starts");
        assert_eq!(world.accounts_text().await, format!("{ALPHA} far {partition} {region}"));
        let lease = world.lease(ALPHA, "ec2", &["ec2:DescribeVpcs"]).await.expect("a lease");
        assert!(lease.credentials.session_token().is_some());
        world.end().await;
    }
}

/// For accounts that have deactivated STS in the broker's region, the default region is used.
#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_deactivated_sts_in_the_region_are_entered() {
    let mut world = World::alone().await;
    world.allow_hub_user("sts:GetFederationToken").await;
    let faults = ["AssumeRole", "AssumeRoleWithWebIdentity", "GetFederationToken"].map(|action| {
        json!({ "service": "sts", "action": action, "region": "eu-west-1", "status": 403, "code": "RegionDisabledException" })
    });
    world.cloud.aws.fault(json!(faults)).await.expect("faults");
    world.hub_keys();
    let token = world.file("token", "header.web-identity-secret.signature").display().to_string();
    world.config(&format!(
        "[profile spoke]\nrole_arn = {ALPHA_ROLE}\nsource_profile = hub\nregion = eu-west-1\n\
         [profile hub]\nregion = eu-west-1\n\
         [profile web]\nrole_arn = arn:aws:iam::{BETA}:role/cartography-read-only\nweb_identity_token_file = {token}\n\
         region = eu-west-1\n"
    ));
    world.broker(&["--accounts", "profiles"], &[]).await.expect("it starts");
    expect![[r"
        222222222222 spoke aws eu-west-1
        111111111111 hub aws eu-west-1
        333333333333 web aws eu-west-1"]]
    .assert_eq(&world.accounts_text().await);
    for account in [ALPHA, HUB, BETA] {
        world.lease(account, "ec2", &["ec2:DescribeVpcs"]).await.expect("a lease");
    }
    world.end().await;
}
