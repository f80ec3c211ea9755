//! Session tags and source identity against an STS that refuses them, one call however many ask, and what is cached.

use crate::world::{ALPHA, ALPHA_ROLE, World};
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
    world.lease(ALPHA, "iam", &["iam:ListUsers"]).await.expect("the files were read anew, and the keys hold");
    world.end().await;
}

/// A process that prints credentials without an end: only AWS knows when they have expired.
#[tokio::test(flavor = "multi_thread")]
async fn any_source_is_asked_again_when_aws_says_that_its_credentials_have_expired() {
    let mut world = World::alone().await;
    world.hub_keys();
    let key = world.key_env();
    let printed = json!({ "Version": 1, "AccessKeyId": key[0].1, "SecretAccessKey": key[1].1 });
    let file = world.file("printed.json", &printed.to_string());
    let (asked, file) = (world.home.path().join("asked"), file.display().to_string());
    world.config(&format!(
        "[profile keys]\ncredential_process = sh -c 'echo >> {}; cat {file}'\n\
         [profile alpha]\nrole_arn = {ALPHA_ROLE}\nsource_profile = keys\n",
        asked.display()
    ));
    world.broker(&["--profile", "alpha"], &[]).await.expect("it starts");
    world.accounts().await;
    let times = || std::fs::read_to_string(&asked).unwrap_or_default().lines().count();
    assert_eq!(times(), 1);
    let expired =
        json!({ "service": "sts", "action": "AssumeRole", "times": 1, "status": 403, "code": "ExpiredToken" });
    world.cloud.aws.fault(expired).await.expect("a fault");
    world.lease(ALPHA, "iam", &["iam:ListUsers"]).await.expect("the process was asked again");
    assert_eq!(times(), 2);
    world.lease_for("another", ALPHA, "iam", &["iam:ListUsers"]).await.expect("a lease");
    assert_eq!(times(), 2, "and only then");
    world.end().await;
}
