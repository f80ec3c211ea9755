//! Hub and spokes by profiles, and the permissions of a lease.

use crate::{
    endpoints::given,
    world::{ALPHA, ALPHA_ROLE, BETA, BETA_EXTERNAL_ID, BETA_ROLE, HUB, NO_DENIALS, SYNC, World},
};
use expect_test::expect;
use serde_json::json;
use std::time::{Duration, SystemTime};

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_and_its_spokes() {
    let mut world = World::new().await;
    world.hub_keys();
    world.config(&format!(
        "[default]\nregion = us-east-1\noutput = json\n[profile hub]\nregion = eu-west-1\n\
         [profile alpha]\nrole_arn = {ALPHA_ROLE}\nsource_profile = hub\nregion = us-east-1\noutput = json\n\
         [profile beta]\nrole_arn = {BETA_ROLE}\nsource_profile = hub\nexternal_id = {BETA_EXTERNAL_ID}\n\
         [profile again]\nrole_arn = {ALPHA_ROLE}\nsource_profile = hub\n[profile only-a-region]\nregion = eu-west-1\n"
    ));
    world.broker(&["--accounts", "profiles"], &[]).await.expect("it starts");
    expect![[r"
        222222222222 alpha aws us-east-1
        333333333333 beta aws us-east-1
        111111111111 hub: no credentials: own identity kept: the keys of profile hub would have to leave the broker for account 111111111111: the user may not call sts:GetFederationToken, which narrows its key to one service; allow the user sts:GetFederationToken, or create a role in account 111111111111 for the broker to assume (--role, or role_arn of a profile), or pass --lease-own-identity; or leave the profile out: name the others with --profile"]]
    .assert_eq(&world.accounts_text().await);
    assert!(world.log().contains("another profile leads into the same account"));

    let lease = world.lease(ALPHA, "iam", &["iam:ListUsers"]).await.expect("a lease");
    let name = format!("assumed-role/cartography-read-only/groma-iam-{SYNC}");
    assert_eq!(world.whose(&lease.credentials).await, format!("arn:aws:sts::{ALPHA}:{name}"));
    assert_eq!(lease.settings.endpoint_url, world.cloud.aws.endpoint());
    let iam = world.iam(&lease.credentials);
    iam.list_users().send().await.expect("what the lease is for");
    let denied = iam.list_roles().send().await.expect_err("it is for nothing else");
    assert!(format!("{denied:?}").contains("no session policy allows"), "{denied:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_profiles_that_are_named() {
    let mut world = World::new().await;
    world.hub_keys();
    world.config(&format!("[profile alpha]\nrole_arn = {ALPHA_ROLE}\nsource_profile = hub\n"));
    world.broker(&["--accounts", "profiles", "--profile", "alpha"], &[]).await.expect("it starts");
    expect!["222222222222 alpha aws us-east-1"].assert_eq(&world.accounts_text().await);
    let refused = world.lease(HUB, "ec2", &["ec2:DescribeVpcs"]).await.expect_err("the hub is not among them");
    assert!(refused.to_string().starts_with("unknown account: "), "{refused}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_of_roles_and_its_hour() {
    let mut world = World::new().await;
    world.hub_keys();
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "AWS": ALPHA_ROLE }, "Action": "sts:AssumeRole" }] });
    let role = json!({ "RoleName": "leaf", "AssumeRolePolicyDocument": trust.to_string() });
    world.cloud.aws.call(BETA, "us-east-1", "iam", "create_role", role).await.expect("a role that trusts alpha's");
    world.config(&format!(
        "[profile alpha]\nrole_arn = {ALPHA_ROLE}\nsource_profile = hub\nduration_seconds = 7200\nrole_session_name = middle\n\
         [profile leaf]\nrole_arn = arn:aws:iam::{BETA}:role/leaf\nsource_profile = alpha\nduration_seconds = 7200\n"
    ));
    world.broker(&["--accounts", "profiles"], &[]).await.expect("it starts");
    expect![[r"
        222222222222 alpha aws us-east-1
        333333333333 leaf aws us-east-1
        111111111111 hub: no credentials: own identity kept: the keys of profile hub would have to leave the broker for account 111111111111: the user may not call sts:GetFederationToken, which narrows its key to one service; allow the user sts:GetFederationToken, or create a role in account 111111111111 for the broker to assume (--role, or role_arn of a profile), or pass --lease-own-identity; or leave the profile out: name the others with --profile"]]
    .assert_eq(&world.accounts_text().await);
    let hours = |lease: &credentials::Lease| {
        let end = lease.credentials.expiry().expect("it ends");
        end.duration_since(SystemTime::now()).expect("it lives").as_secs_f64() / Duration::from_hours(1).as_secs_f64()
    };
    let first = world.lease(ALPHA, "iam", &["iam:ListUsers"]).await.expect("a lease");
    assert!((1.9..=2.0).contains(&hours(&first)), "a user's keys may get what the profile says");
    assert!(world.whose(&first.credentials).await.ends_with("/middle"), "the profile's session name");
    let chained = world.lease(BETA, "iam", &["iam:ListUsers"]).await.expect("a lease");
    assert!((0.9..=1.0).contains(&hours(&chained)), "a role's session at most an hour");
    assert!(world.whose(&chained.credentials).await.contains("assumed-role/leaf/groma-iam-"));
    assert!(world.log().contains("at most an hour"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_were_renewed_are_taken_without_a_restart() {
    let mut world = World::new().await;
    world.config("[profile hub]\nregion = us-east-1\naws_access_key_id = AKIAOLD\naws_secret_access_key = old\n");
    world.broker(&["--accounts", "profiles"], &[]).await.expect("it starts");
    world.accounts().await;
    world.config(&format!("[profile alpha]\nrole_arn = {ALPHA_ROLE}\nsource_profile = hub\n"));
    world.hub_keys();
    expect![[r"
        222222222222 alpha aws us-east-1
        111111111111 hub: no credentials: own identity kept: the keys of profile hub would have to leave the broker for account 111111111111: the user may not call sts:GetFederationToken, which narrows its key to one service; allow the user sts:GetFederationToken, or create a role in account 111111111111 for the broker to assume (--role, or role_arn of a profile), or pass --lease-own-identity; or leave the profile out: name the others with --profile"]]
    .assert_eq(&world.accounts_text().await);
    world.end().await;
}

/// Two profiles lead into alpha: `raw` has a session of the account itself, which would be leased unchanged; `role`
/// assumes the role.
async fn a_role_and_a_raw_session(world: &World) {
    world.hub_keys();
    let session = world.session_of(ALPHA, "cartography-read-only").await;
    let printed = given(&session).replace("\"Token\"", "\"SessionToken\"").replace('{', "{\"Version\":1,");
    let file = world.file("printed.json", &printed);
    world.config(&format!(
        "[profile raw]\ncredential_process = cat {}\n[profile role]\nrole_arn = {ALPHA_ROLE}\nsource_profile = hub\n",
        file.display()
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_says_nothing_of_the_role_leads_to_no_other_profile() {
    let mut world = World::alone().await;
    a_role_and_a_raw_session(&world).await;
    let arguments = ["--accounts", "profiles", "--profile", "raw", "--profile", "role", "--lease-own-identity"];
    world.broker(&arguments, &[("AWS_MAX_ATTEMPTS", "1".to_owned())]).await.expect("it starts");
    for (status, code, words) in NO_DENIALS {
        let fault = json!({ "service": "sts", "action": "AssumeRole", "status": status, "code": code });
        world.cloud.aws.fault(fault).await.expect("a fault");
        // Each is its own sync, so that no cached lease is used. First as a replica without a discovery.
        world.lease_for(code, ALPHA, "ec2", &["ec2:DescribeVpcs"]).await.expect_err("there is no other way");
        let text = world.accounts_text().await;
        assert!(text.starts_with(&format!("{ALPHA} role: {words}")) && text.lines().count() == 1, "{code}: {text}");
        world.lease_for(code, ALPHA, "ec2", &["ec2:DescribeVpcs"]).await.expect_err("none was remembered");
        world.cloud.aws.clear_faults().await.expect("no fault");
    }
    let denied = json!({ "service": "sts", "action": "AssumeRole", "status": 403, "code": "AccessDenied" });
    world.cloud.aws.fault(denied).await.expect("a fault");
    assert_eq!(world.accounts_text().await, format!("{ALPHA} raw aws us-east-1"), "a plain denial leads on");
    let log = world.log();
    let replaced =
        log.lines().find(|line| line.contains("another profile of the same account is used instead of this one"));
    let replaced = replaced.expect("it is said");
    for words in ["role", "raw", ALPHA, "not allowed: cannot assume"] {
        assert!(replaced.contains(words), "{words}: {replaced}");
    }
    world.cloud.aws.clear_faults().await.expect("no fault");
    assert_eq!(world.accounts_text().await, format!("{ALPHA} role aws us-east-1"), "the role goes first");
    let lease = world.lease(ALPHA, "iam", &["iam:ListUsers"]).await.expect("a lease");
    assert!(world.whose(&lease.credentials).await.contains("assumed-role/cartography-read-only/groma-iam-"));
    world.end().await;
}
