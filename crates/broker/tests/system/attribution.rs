//! Session tags and source identity against an STS that denies them, concurrent requests that share one call, and
//! caching.

use crate::world::{ALPHA, ALPHA_ROLE, HUB, World};
use serde_json::json;

async fn alone() -> World {
    let mut world = World::alone().await;
    world.hub_keys();
    world.config(&format!("[profile alpha]\nrole_arn = {ALPHA_ROLE}\nsource_profile = hub\n"));
    world.broker(&["--profile", "alpha"], &[]).await.expect("it starts");
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_role_does_not_allow_is_left_out_once_and_for_all() {
    let world = alone().await;
    let denied = |action: &str| {
        json!({ "service": "sts", "action": "AssumeRole", "times": 1, "status": 403, "code": "AccessDenied",
            "message": format!("User: arn:aws:iam::111111111111:user/groma is not authorized to perform: {action} on resource: {ALPHA_ROLE}") })
    };
    world.cloud.aws.fault(json!([denied("sts:TagSession"), denied("sts:SetSourceIdentity")])).await.expect("faults");
    assert_eq!(world.accounts_text().await, format!("{ALPHA} alpha aws us-east-1"));
    assert_eq!(world.count("AssumeRole").await, 3, "with both, without tags, with neither");
    for sync in ["S1", "S2"] {
        world.lease_for(sync, ALPHA, "iam", &["iam:ListUsers"]).await.expect("a lease");
    }
    assert_eq!(world.count("AssumeRole").await, 5, "it is remembered");
    let said = world.log().matches("does not allow full attribution").count();
    assert_eq!(said, 1, "and said once");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_leaves_no_room_for_tags_says_nothing_of_the_role() {
    let world = alone().await;
    world.accounts().await;
    let too_large =
        json!({ "service": "sts", "action": "AssumeRole", "times": 1, "status": 400, "code": "PackedPolicyTooLarge" });
    world.cloud.aws.fault(too_large.clone()).await.expect("a fault");
    let mut calls = world.count("AssumeRole").await;
    for (sync, service, action, expected) in
        [("S1", "iam", "iam:ListUsers", 2), ("S2", "iam", "iam:ListUsers", 1), ("S1", "ec2", "ec2:DescribeVpcs", 1)]
    {
        world.lease_for(sync, ALPHA, service, &[action]).await.expect("a lease");
        let now = world.count("AssumeRole").await;
        assert_eq!(now - calls, expected, "{sync} {service}");
        calls = now;
    }
    assert!(!world.log().contains("does not allow full attribution"), "the role allows it");
    // Without tags, and without room for them, nothing is omitted that would widen the session.
    world.cloud.aws.fault(too_large).await.expect("a fault");
    let refused = world.lease_for("S3", ALPHA, "iam", &["iam:ListUsers"]).await.expect_err("it is still too large");
    assert!(refused.to_string().contains("PackedPolicyTooLarge"), "{refused}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_without_a_reason_leaves_everything_out() {
    for message in ["", "Access denied"] {
        let world = alone().await;
        let denied = json!({ "service": "sts", "action": "AssumeRole", "times": 1, "status": 403, "code": "AccessDenied",
            "message": message });
        world.cloud.aws.fault(denied).await.expect("a fault");
        assert_eq!(world.accounts_text().await, format!("{ALPHA} alpha aws us-east-1"), "{message:?}");
        assert_eq!(world.count("AssumeRole").await, 2, "with both, with neither");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_however_many_ask() {
    let world = alone().await;
    world.accounts().await;
    let before = world.count("AssumeRole").await;
    let asked = futures::future::join_all((0..20).map(|_| world.lease(ALPHA, "iam", &["iam:ListUsers"]))).await;
    let first = asked[0].as_ref().expect("a lease").credentials.clone();
    assert!(asked.iter().all(|lease| lease.as_ref().is_ok_and(|lease| lease.credentials == first)));
    assert_eq!(world.count("AssumeRole").await, before + 1);
    world.lease(ALPHA, "iam", &["iam:ListAccessKeys"]).await.expect("other actions");
    world.lease(ALPHA, "ec2", &["ec2:DescribeVpcs"]).await.expect("another service");
    world.lease_for("another sync", ALPHA, "iam", &["iam:ListUsers"]).await.expect("another sync");
    assert_eq!(world.count("AssumeRole").await, before + 4);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_expire_in_mid_sync_are_read_anew() {
    let world = alone().await;
    world.accounts().await;
    let expired =
        json!({ "service": "sts", "action": "AssumeRole", "times": 1, "status": 403, "code": "ExpiredToken" });
    world.cloud.aws.fault(expired).await.expect("a fault");
    world.lease(ALPHA, "iam", &["iam:ListUsers"]).await.expect("the files were read again, and the keys are valid");
    world.end().await;
}

/// A process that prints the hub's key without an expiration: only AWS knows when it expires. Returns the command and a
/// counter of its runs.
fn endless(world: &World) -> (String, impl Fn() -> usize + use<>) {
    let key = world.key_env();
    let printed = json!({ "Version": 1, "AccessKeyId": key[0].1, "SecretAccessKey": key[1].1 });
    let file = world.file("printed.json", &printed.to_string()).display().to_string();
    let asked = world.home.path().join("asked");
    let command = format!("sh -c 'echo >> {}; cat {file}'", asked.display());
    (command, move || std::fs::read_to_string(&asked).unwrap_or_default().lines().count())
}

/// Makes AWS reject one call because of expired credentials.
async fn expired(world: &World, action: &str) {
    let fault = json!({ "service": "sts", "action": action, "times": 1, "status": 403, "code": "ExpiredToken" });
    world.cloud.aws.fault(fault).await.expect("a fault");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_source_is_asked_again_when_aws_says_that_its_credentials_have_expired() {
    let mut world = World::alone().await;
    let (command, times) = endless(&world);
    world.config(&format!(
        "[profile keys]\ncredential_process = {command}\n\
         [profile alpha]\nrole_arn = {ALPHA_ROLE}\nsource_profile = keys\n"
    ));
    world.broker(&["--profile", "alpha"], &[]).await.expect("it starts");
    world.accounts().await;
    assert_eq!(times(), 1);
    expired(&world, "AssumeRole").await;
    world.lease(ALPHA, "iam", &["iam:ListUsers"]).await.expect("the process was asked again");
    assert_eq!(times(), 2);
    world.lease_for("another", ALPHA, "iam", &["iam:ListUsers"]).await.expect("a lease");
    assert_eq!(times(), 2, "and only then");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_without_a_role_is_asked_again_too() {
    let mut world = World::alone().await;
    let (command, times) = endless(&world);
    world.config(&format!("[profile keys]\ncredential_process = {command}\n"));
    world.broker(&["--accounts", "profiles", "--lease-own-identity"], &[]).await.expect("it starts");
    let hub = format!("{HUB} keys aws us-east-1");
    assert_eq!((world.accounts_text().await, times()), (hub.clone(), 1));
    expired(&world, "GetCallerIdentity").await;
    assert_eq!((world.accounts_text().await, times()), (hub.clone(), 2));
    assert_eq!((world.accounts_text().await, times()), (hub, 2), "and only then");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_users_key_is_asked_for_again_when_it_expires_while_it_is_narrowed() {
    let mut world = World::alone().await;
    world.allow_hub_user("sts:GetFederationToken").await;
    let (command, times) = endless(&world);
    world.config(&format!("[profile keys]\ncredential_process = {command}\n"));
    world.broker(&["--accounts", "profiles"], &[]).await.expect("it starts");
    expired(&world, "GetFederationToken").await;
    assert_eq!((world.accounts_text().await, times()), (format!("{HUB} keys aws us-east-1"), 2));
    expired(&world, "GetFederationToken").await;
    world.lease(HUB, "ec2", &["ec2:DescribeVpcs"]).await.expect("a lease");
    assert_eq!(times(), 3);
    world.end().await;
}
