//! All documented sources of the first credentials.

use crate::{
    endpoints::{Endpoint, given},
    world::{ALPHA, ALPHA_ROLE, HUB, World},
};
use credentials::Lease;
use expect_test::expect;
use serde_json::json;

/// File in which `aws sso login` caches the token of `[sso-session work]`: the SHA-1 of its name.
const SSO_CACHE: &str = ".aws/sso/cache/e274eeff768c6396088ec6eb091f4bf4d47ab1e0.json";
const ALPHA_ONLY: &str = "222222222222 x aws us-east-1";

/// `[profile x]` with alpha's role and this source.
fn x(source: &str) -> String {
    format!(
        "[default]\nregion = us-east-1\noutput = json\n\
         [profile x]\nrole_arn = {ALPHA_ROLE}\nregion = us-east-1\noutput = json\n{source}\n"
    )
}

/// A proxy for everything except the simulated AWS, which is addressed as `localhost`.
async fn proxied(world: &World) -> (Endpoint, Vec<(&'static str, String)>) {
    let proxy = Endpoint::start(|_| (502, String::new())).await;
    let env = vec![
        ("HTTP_PROXY", proxy.url.clone()),
        ("NO_PROXY", "localhost".to_owned()),
        ("AWS_ENDPOINT_URL", world.cloud.aws.endpoint().replace("127.0.0.1", "localhost")),
    ];
    (proxy, env)
}

/// Requests the lease with which every test ends.
async fn lease(world: &World, account: &str) -> Lease {
    let lease = world.lease(account, "iam", &["iam:ListUsers"]).await.expect("a lease");
    world.iam(&lease.credentials).list_users().send().await.expect("it may do what it is for");
    lease
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_in_the_environment_for_a_role_and_alone() {
    let mut world = World::new().await;
    world.config(&x("credential_source = Environment"));
    let env = world.key_env();
    world.broker(&["--accounts", "profiles"], &env).await.expect("it starts");
    assert_eq!(world.accounts_text().await, ALPHA_ONLY);
    lease(&world, ALPHA).await;
    world.end().await;

    let mut world = World::new().await;
    world.broker(&["--lease-own-identity"], &env).await.expect("it starts");
    expect!["111111111111 default aws us-east-1"].assert_eq(&world.accounts_text().await);
    let lease = lease(&world, HUB).await;
    assert!(world.whose(&lease.credentials).await.ends_with("user/groma"), "IAM takes no narrowed session of a user");
    assert!(world.log().contains("leasing the caller's own credentials to collectors, sealed: AWS denies IAM"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_users_key_is_narrowed_where_aws_can() {
    let mut world = World::alone().await;
    world.allow_hub_user("sts:GetFederationToken").await;
    let env = world.key_env();
    world.broker(&[], &env).await.expect("it starts");
    expect!["111111111111 default aws us-east-1"].assert_eq(&world.accounts_text().await);
    for (service, action) in [("ec2", "ec2:DescribeVpcs"), ("sts", "sts:GetCallerIdentity")] {
        let lease = world.lease(HUB, service, &[action]).await.expect("a lease");
        let whose = world.whose(&lease.credentials).await;
        assert!(whose.starts_with(&format!("arn:aws:sts::{HUB}:federated-user/groma-{service}-")), "{whose}");
        world.assume(&lease.credentials, ALPHA_ROLE).await.expect_err("it is narrowed");
    }
    let refused = world.lease(HUB, "iam", &["iam:ListUsers"]).await.expect_err("the key stays in the broker");
    expect!["own identity kept: the environment's keys would have to leave the broker for account 111111111111: AWS denies IAM to every session to which a user's key can be narrowed; create a role in account 111111111111 for the broker to assume (--role, or role_arn of a profile), or pass --lease-own-identity"].assert_eq(&refused.to_string());
    assert_eq!(refused.failure().class(), events::FailureClass::Credentials);
    let throttled = json!({ "service": "sts", "action": "GetFederationToken", "status": 400, "code": "Throttling" });
    world.cloud.aws.fault(throttled).await.expect("a fault");
    let refused = world.lease_for("S2", HUB, "ec2", &["ec2:DescribeVpcs"]).await.expect_err("it is throttled");
    assert!(refused.to_string().starts_with("throttled: cannot narrow a user's key"), "{refused}");
    world.cloud.aws.clear_faults().await.expect("no fault");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_users_key_that_cannot_be_narrowed_stays() {
    let mut world = World::new().await;
    let env = world.key_env();
    world.broker(&[], &env).await.expect("it starts");
    expect!["failure: no credentials: own identity kept: the environment's keys would have to leave the broker for account 111111111111: the user may not call sts:GetFederationToken, which narrows its key to one service; allow the user sts:GetFederationToken, or create a role in account 111111111111 for the broker to assume (--role, or role_arn of a profile), or pass --lease-own-identity"].assert_eq(&world.accounts_text().await);
    let refused = world.lease(HUB, "ec2", &["ec2:DescribeVpcs"]).await.expect_err("no account is known");
    assert!(refused.to_string().starts_with("own identity kept: "), "{refused}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_selected_profile_and_a_role_of_its_account() {
    let mut world = World::new().await;
    world.hub_keys();
    world.config("[profile hub]\nregion = eu-west-1\n");
    let env = [("AWS_PROFILE", "hub".to_owned())];
    world.broker(&["--accounts", "current", "--role", "nobody-trusts-this"], &env).await.expect("it starts");
    let text = world.accounts_text().await;
    assert!(
        text.starts_with("failure: no credentials: not allowed: cannot assume arn:aws:iam::111111111111:role/nobody"),
        "{text}"
    );
    world.end().await;

    let mut world = World::new().await;
    let config = world.file("elsewhere/config", "[profile hub]\nregion = eu-west-1\n");
    let credentials = world.file("elsewhere/credentials", "");
    world.hub_keys();
    std::fs::rename(world.home.path().join(".aws/credentials"), &credentials).expect("it moves");
    let env = [
        ("AWS_CONFIG_FILE", config.display().to_string()),
        ("AWS_SHARED_CREDENTIALS_FILE", credentials.display().to_string()),
        ("AWS_PROFILE", "hub".to_owned()),
    ];
    world.broker(&["--lease-own-identity"], &env).await.expect("it starts");
    expect!["111111111111 hub aws eu-west-1"].assert_eq(&world.accounts_text().await);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instances_role_by_imdsv2() {
    let mut world = World::new().await;
    let session = world.session_of(HUB, "cartography-service").await;
    let instance = Endpoint::instance("cartography-service", session).await;
    let (proxy, mut env) = proxied(&world).await;
    env.extend([
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance.url.clone()),
        ("AWS_EC2_METADATA_DISABLED", "false".to_owned()),
    ]);
    world.config(&x("credential_source = Ec2InstanceMetadata"));
    world.broker(&["--accounts", "profiles"], &env).await.expect("it starts");
    assert_eq!(world.accounts_text().await, ALPHA_ONLY);
    world.lease(ALPHA, "iam", &["iam:ListUsers"]).await.expect("a lease");
    assert!(proxy.asked().is_empty(), "the proxy never sees the instance's session");
    let reads: Vec<_> = instance.asked().into_iter().filter(|asked| asked.method == "GET").collect();
    assert_eq!(reads.len(), 2, "asked for once: {reads:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instances_role_alone() {
    let mut world = World::new().await;
    let session = world.session_of(HUB, "cartography-service").await;
    let instance = Endpoint::instance("cartography-service", session).await;
    let env = [
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance.url.clone()),
        ("AWS_EC2_METADATA_DISABLED", "false".to_owned()),
        ("AWS_REGION", "eu-west-1".to_owned()),
    ];
    world.broker(&["--lease-own-identity"], &env).await.expect("it starts");
    expect!["111111111111 default aws eu-west-1"].assert_eq(&world.accounts_text().await);
    let lease = lease(&world, HUB).await;
    assert!(world.whose(&lease.credentials).await.ends_with("assumed-role/cartography-service/i-0abc"));
    assert!(lease.credentials.expiry().is_some(), "it ends when the instance's session ends");
    assert!(world.log().contains(
        "leasing the caller's own credentials to collectors, sealed: AWS cannot narrow an existing role session"
    ));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_containers_role() {
    let mut world = World::new().await;
    let session = world.session_of(HUB, "cartography-service").await;
    let container = Endpoint::container("Basic container-token", session).await;
    world.config(&x("credential_source = EcsContainer"));
    let (proxy, mut env) = proxied(&world).await;
    env.extend([
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/credentials", container.url)),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic container-token".to_owned()),
    ]);
    world.broker(&["--accounts", "profiles"], &env).await.expect("it starts");
    assert_eq!(world.accounts_text().await, ALPHA_ONLY);
    world.lease(ALPHA, "iam", &["iam:ListUsers"]).await.expect("a lease");
    assert!(proxy.asked().is_empty(), "the proxy never sees the container's token");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eks_pod_identity() {
    let mut world = World::new().await;
    let session = world.session_of(HUB, "cartography-service").await;
    let agent = Endpoint::container("pod-token", session).await;
    let token = world.file("eks-pod-identity-token", "pod-token");
    let env = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/credentials", agent.url)),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.display().to_string()),
    ];
    world.broker(&["--accounts", "current", "--lease-own-identity"], &env).await.expect("it starts");
    expect!["111111111111 default aws us-east-1"].assert_eq(&world.accounts_text().await);
    lease(&world, HUB).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn web_identity_in_a_profile_and_in_the_environment() {
    let mut world = World::new().await;
    let token = world.file("token", "header.web-identity-secret.signature\n").display().to_string();
    world.config(&x(&format!("web_identity_token_file = {token}")));
    world.broker(&["--accounts", "profiles"], &[]).await.expect("it starts");
    assert_eq!(world.accounts_text().await, ALPHA_ONLY);
    let from_profile = lease(&world, ALPHA).await;
    let denied = world.iam(&from_profile.credentials).list_roles().send().await;
    assert!(denied.is_err(), "the session is narrowed at once");
    assert!(world.whose(&from_profile.credentials).await.contains("/groma-iam-"));
    assert!(!world.log().contains("web-identity-secret"), "the token is not logged");
    world.end().await;

    let mut world = World::new().await;
    let role = format!("arn:aws:iam::{HUB}:role/cartography-service");
    let env = [("AWS_WEB_IDENTITY_TOKEN_FILE", token_file(&world)), ("AWS_ROLE_ARN", role)];
    world.config(&format!(
        "[profile alpha]\nrole_arn = {ALPHA_ROLE}\nsource_profile = irsa\n[profile irsa]\n\
        role_arn = arn:aws:iam::{HUB}:role/cartography-service\nweb_identity_token_file = {}\n",
        env[0].1
    ));
    world.broker(&["--accounts", "profiles"], &env).await.expect("it starts");
    expect![[r"
        222222222222 alpha aws us-east-1
        111111111111 irsa aws us-east-1"]]
    .assert_eq(&world.accounts_text().await);
    lease(&world, ALPHA).await;
    world.end().await;

    let mut world = World::new().await;
    let env = [("AWS_WEB_IDENTITY_TOKEN_FILE", token_file(&world)), env[1].clone()];
    world.broker(&[], &env).await.expect("it starts");
    expect!["111111111111 default aws us-east-1"].assert_eq(&world.accounts_text().await);
    lease(&world, HUB).await;
    world.end().await;
}

fn token_file(world: &World) -> String {
    world.file("token", "header.web-identity-secret.signature").display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_prints_credentials() {
    let mut world = World::new().await;
    let session = world.session_of(HUB, "cartography-service").await;
    let printed = given(&session).replace("\"Token\"", "\"SessionToken\"").replace('{', "{\"Version\":1,");
    let file = world.file("printed.json", &printed);
    world.config(&format!(
        "[profile keys]\ncredential_process = sh -c 'cat \"$0\"' {} --password process-password\n\
         [profile alpha]\nrole_arn = {ALPHA_ROLE}\nsource_profile = keys\n",
        file.display()
    ));
    world.broker(&["--accounts", "profiles", "--lease-own-identity"], &[]).await.expect("it starts");
    expect![[r"
        111111111111 keys aws us-east-1
        222222222222 alpha aws us-east-1"]]
    .assert_eq(&world.accounts_text().await);
    lease(&world, ALPHA).await;
    assert!(!world.log().contains("process-password"), "the command is not logged");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cache_of_identity_center() {
    let mut world = World::new().await;
    let session = world.session_of(ALPHA, "cartography-read-only").await;
    let portal = Endpoint::start({
        let session = session.clone();
        move |asked| {
            let token = asked.headers.get("x-amz-sso_bearer_token").map(String::as_str);
            if token != Some("sso-access-token") || !asked.path.starts_with("/federation/credentials?") {
                return (401, r#"{"message":"Session token not found or invalid"}"#.to_owned());
            }
            let credentials = serde_json::json!({ "roleCredentials": {
                "accessKeyId": session.access_key_id(),
                "secretAccessKey": session.secret_access_key(),
                "sessionToken": session.session_token(),
                "expiration": 4_070_908_800_000_u64,
            }});
            (200, credentials.to_string())
        }
    })
    .await;
    let cached = r#"{"accessToken":"sso-access-token","expiresAt":"2099-01-01T00:00:00Z","region":"eu-west-1","startUrl":"https://example.awsapps.com/start"}"#;
    world.file(SSO_CACHE, cached);
    world.config(&format!(
        "[profile audit]\nsso_session = work\nsso_account_id = {ALPHA}\nsso_role_name = Audit\n\
         [sso-session work]\nsso_region = eu-west-1\nsso_start_url = https://example.awsapps.com/start\n"
    ));
    world
        .broker(&["--accounts", "profiles", "--lease-own-identity"], &[("AWS_ENDPOINT_URL_SSO", portal.url.clone())])
        .await
        .expect("it starts");
    expect!["222222222222 audit aws us-east-1"].assert_eq(&world.accounts_text().await);
    lease(&world, ALPHA).await;
    assert!(!world.log().contains("sso-access-token"), "the token is not logged");
    let config = std::fs::read_to_string(world.home.path().join(".aws/config")).expect("it was written");
    world.end().await;

    let mut world = World::new().await;
    world.config(&config);
    world.file(SSO_CACHE, &cached.replace("2099", "2019"));
    world.broker(&["--accounts", "profiles"], &[]).await.expect("it starts");
    let text = world.accounts_text().await;
    assert!(text.starts_with("222222222222 audit: no credentials: source credentials expired: "), "{text}");
    world.end().await;
}
