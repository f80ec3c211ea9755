//! Leases that are refused, with the message. The others still work.

use crate::world::{ALPHA, ALPHA_ROLE, BETA_ROLE, HUB, World};
use expect_test::expect;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn each_in_its_own_words_and_the_others_go_on() {
    let mut world = World::new().await;
    world.hub_keys();
    world.config(&format!(
        "[profile alpha]\nrole_arn = {ALPHA_ROLE}\nsource_profile = hub\n\
         [profile beta]\nrole_arn = {BETA_ROLE}\nsource_profile = hub\nexternal_id = wrong\n\
         [profile gone]\nrole_arn = arn:aws:iam::444444444444:role/none\nsource_profile = hub\n\
         [profile mfa]\nrole_arn = arn:aws:iam::555555555555:role/r\nsource_profile = hub\nmfa_serial = arn:aws:iam::1:mfa/me\n\
         [profile env]\nrole_arn = arn:aws:iam::666666666666:role/r\ncredential_source = Environment\n\
         [profile odd]\nrole_arn = arn:aws:iam::777777777777:role/r\nsource_profile = hub\nretry_mode = often\n\
         [profile process]\ncredential_process = sh -c 'exit 7'\n"
    ));
    world.broker(&["--accounts", "profiles"], &[]).await.expect("it starts");
    expect![[r#"
        222222222222 alpha aws us-east-1
        333333333333 beta: no credentials: not allowed: cannot assume arn:aws:iam::333333333333:role/cartography-read-only: AWS returned AccessDenied (User: arn:aws:iam::111111111111:user/groma is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::333333333333:role/cartography-read-only); the role does not exist, its trust policy does not name the caller, or it requires another external id: AWS does not say which
        444444444444 gone: no credentials: not allowed: cannot assume arn:aws:iam::444444444444:role/none: AWS returned AccessDenied (User: arn:aws:iam::111111111111:user/groma is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444444444444:role/none); the role does not exist, its trust policy does not name the caller, or it requires another external id: AWS does not say which
        555555555555 mfa: no credentials: asks for a code: profile "mfa" has an mfa_serial, but no person can enter a code: remove it, or use a credential_process (such as aws configure export-credentials --profile mfa)
        666666666666 env: no credentials: no source credentials: the environment's keys are missing
        777777777777 odd: no credentials: configuration: retry_mode of profile odd is "often": it must be standard, adaptive or legacy
         process: no credentials: no source credentials: the credential_process of profile process are not available: an error occurred while loading credentials: the command ended with exit status: 7
        111111111111 hub: no credentials: own identity kept: the keys of profile hub would have to leave the broker for account 111111111111: the user may not call sts:GetFederationToken, which narrows its key to one service; allow the user sts:GetFederationToken, or create a role in account 111111111111 for the broker to assume (--role, or role_arn of a profile), or pass --lease-own-identity; or leave the profile out: name the others with --profile"#]].assert_eq(&world.accounts_text().await);
    world.lease(ALPHA, "iam", &["iam:ListUsers"]).await.expect("alpha can be leased all the same");
    let refused = world.lease("333333333333", "iam", &["iam:ListUsers"]).await.expect_err("beta cannot");
    assert!(refused.to_string().starts_with("not allowed: cannot assume"), "{refused}");
    assert_eq!(refused.failure().class(), events::FailureClass::Credentials);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_reading_is_leased() {
    let mut world = World::new().await;
    world.hub_keys();
    world.config(&format!("[profile alpha]\nrole_arn = {ALPHA_ROLE}\nsource_profile = hub\n"));
    world.broker(&["--accounts", "profiles"], &[]).await.expect("it starts");
    for actions in [
        &["iam:CreateUser"] as &[&str],
        &["iam:*"],
        &["*"],
        &[],
        &["iam:ListUsers", "sts:AssumeRole"],
        &["ec2:DescribeVpcs"],
    ] {
        let refused = world.lease(ALPHA, "iam", actions).await.expect_err("never");
        assert!(refused.to_string().starts_with("not given: "), "{refused}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sts_that_cannot_be_reached_throttles_or_has_expired_keys() {
    let mut world = World::alone().await;
    world.hub_keys();
    world.config(&format!("[profile alpha]\nrole_arn = {ALPHA_ROLE}\nsource_profile = hub\n"));
    let attempts = [("AWS_MAX_ATTEMPTS", "2".to_owned())];
    world.broker(&["--accounts", "profiles", "--profile", "alpha"], &attempts).await.expect("it starts");
    for (status, code, words) in [
        (400, "Throttling", "throttled: throttled: cannot assume"),
        (403, "ExpiredToken", "no credentials: source credentials expired: cannot assume"),
        (403, "InvalidClientTokenId", "no credentials: no source credentials: cannot assume"),
        (404, "NoSuchEntity", "no credentials: no such role: cannot assume"),
        (503, "ServiceUnavailable", "no credentials: AWS unreachable: cannot assume"),
    ] {
        let fault = json!({ "service": "sts", "action": "AssumeRole", "status": status, "code": code });
        world.cloud.aws.fault(fault).await.expect("a fault");
        let text = world.accounts_text().await;
        assert!(text.starts_with(&format!("{ALPHA} alpha: {words}")), "{code}: {text}");
        world.cloud.aws.clear_faults().await.expect("no fault");
    }
    assert_eq!(world.accounts_text().await, format!("{ALPHA} alpha aws us-east-1"));
    world.end().await;

    let mut world = World::new().await;
    world.hub_keys();
    let nobody = [("AWS_ENDPOINT_URL", "http://127.0.0.1:9".to_owned()), ("AWS_PROFILE", "hub".to_owned())];
    world.broker(&[], &nobody).await.expect("it starts without asking AWS");
    let text = world.accounts_text().await;
    assert!(text.starts_with("failure: no credentials: AWS unreachable: cannot look up the identity"), "{text}");
    let refused = world.lease(HUB, "ec2", &["ec2:DescribeVpcs"]).await.expect_err("nobody is there");
    assert!(refused.to_string().starts_with("AWS unreachable: "), "{refused}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_begin_with() {
    let mut world = World::new().await;
    let (status, said) = world.broker(&[], &[]).await.expect_err("it ends");
    assert_eq!(status, 1);
    assert!(said.lines().last().is_some_and(|line| line.starts_with("error: no AWS credentials found")), "{said}");
    world.config("[profile a]\nregion = eu-west-1\n");
    for (arguments, words) in [
        (
            &["--accounts", "profiles", "--profile", "b"] as &[&str],
            r#"error: there is no AWS profile "b"; there are: a"#,
        ),
        (&["--accounts", "current", "--profile", "a"], r#"error: profile "a" has no credentials"#),
    ] {
        let (status, said) = world.broker(arguments, &[]).await.expect_err("it ends");
        assert_eq!((status, said.lines().last()), (1, Some(words)));
    }
    let large = world.home.path().join("large");
    std::fs::File::create(&large).and_then(|file| file.set_len(5 << 20)).expect("it can be made");
    let unreadable = [("AWS_CONFIG_FILE", large.display().to_string())];
    let (status, said) = world.broker(&["--accounts", "profiles"], &unreadable).await.expect_err("it ends");
    assert_eq!(status, 1);
    assert!(said.contains("error: cannot read the AWS file") && said.contains("(AWS_CONFIG_FILE): "), "{said}");
    let (status, said) = world.broker(&["--accounts", "current", "--include", "x"], &[]).await.expect_err("it ends");
    assert_eq!((status, said.lines().count()), (2, 2), "{said}");
    world.end().await;
}
