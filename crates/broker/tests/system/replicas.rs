//! Several brokers side by side.

use crate::world::{ALPHA, ALPHA_ROLE, BETA_EXTERNAL_ID, BETA_ROLE, HUB, World};
use futures::StreamExt;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn one_may_die_and_none_needs_what_another_knows() {
    let mut world = World::new().await;
    world.hub_keys();
    world.config(&format!("[profile alpha]\nrole_arn = {ALPHA_ROLE}\nsource_profile = hub\n"));
    for _ in 0..3 {
        world.broker(&["--accounts", "profiles"], &[]).await.expect("it starts");
    }
    world.accounts().await;
    let mut heard = Box::pin(world.bus.serve(events::subjects::BROKER_PRESENT, "counter").await.expect("a listener"));
    let mut announcements = 0;
    let counting = async {
        while heard.next().await.is_some() {
            announcements += 1;
        }
    };
    tokio::time::timeout(Duration::from_secs(3), counting).await.ok();
    assert!(announcements <= 6, "{announcements} in three seconds: brokers that serve do not answer each other");
    let lease = async |nth: usize| {
        let sync = format!("S{nth}");
        world.lease_for(&sync, ALPHA, "iam", &["iam:ListUsers"]).await.expect("a lease");
    };
    for nth in 0..12 {
        lease(nth).await;
    }
    world.kill(0).await;
    world.kill(2).await;
    for nth in 12..20 {
        world.lease_for(&format!("S{nth}"), ALPHA, "iam", &["iam:ListUsers"]).await.expect("a lease");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_waits_for_a_broker_that_is_restarted() {
    let mut world = World::new().await;
    world.hub_keys();
    world.config(&format!("[profile alpha]\nrole_arn = {ALPHA_ROLE}\nsource_profile = hub\n"));
    world.broker(&["--accounts", "profiles"], &[]).await.expect("it starts");
    world.kill(0).await;
    let requester = credentials::LeaseRequester::new(world.bus.clone());
    let actions = ["iam:ListUsers".to_owned()];
    let (lease, started) = tokio::join!(requester.lease("S", ALPHA, "iam", &actions, false), async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        world.broker(&["--accounts", "profiles"], &[]).await
    });
    started.expect("it starts");
    world.keep_secret(&lease.expect("a lease").credentials);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_with_another_configuration_does_not_serve_beside_the_first() {
    let mut world = World::new().await;
    world.hub_keys();
    let alpha = format!("[profile alpha]\nrole_arn = {ALPHA_ROLE}\nsource_profile = hub\n");
    world.config(&alpha);
    world.broker(&["--accounts", "profiles"], &[]).await.expect("it starts");
    let other = world.file(
        "other/config",
        &format!(
            "{alpha}[profile beta]\nrole_arn = {BETA_ROLE}\nsource_profile = hub\nexternal_id = {BETA_EXTERNAL_ID}\n"
        ),
    );
    let env = [("AWS_CONFIG_FILE", other.display().to_string())];
    let waits = world.waiting_broker(&["--accounts", "profiles"], &env);
    waits.until("has a different AWS configuration: give both the same flags").await;
    for nth in 0..8 {
        assert!(!world.accounts_text().await.contains("beta"), "answer {nth} is the first broker's");
    }
    world.kill(0).await;
    waits.until("the broker is ready").await;
    assert!(world.accounts_text().await.contains("333333333333 beta aws"));
    world.end().await;
}

/// The same flags and files, but keys of another account.
#[tokio::test(flavor = "multi_thread")]
async fn one_with_another_caller_does_not_serve_beside_the_first() {
    let mut world = World::new().await;
    world.broker(&["--lease-own-identity"], &world.key_env()).await.expect("it starts");
    world.accounts().await;
    let session = world.session_of(ALPHA, "cartography-read-only").await;
    let env = [
        ("AWS_ACCESS_KEY_ID", session.access_key_id().to_owned()),
        ("AWS_SECRET_ACCESS_KEY", session.secret_access_key().to_owned()),
        ("AWS_SESSION_TOKEN", session.session_token().expect("it has one").to_owned()),
    ];
    let other = world.waiting_broker(&["--lease-own-identity"], &env);
    other.until("has a different AWS configuration").await;
    for nth in 0..8 {
        assert!(world.accounts_text().await.starts_with(HUB), "answer {nth} is the first broker's");
    }
    world.end().await;
}

/// Any client of an open bus can send such messages.
#[tokio::test(flavor = "multi_thread")]
async fn what_no_broker_says_ends_none() {
    let mut world = World::new().await;
    world.hub_keys();
    world.config(&format!("[profile alpha]\nrole_arn = {ALPHA_ROLE}\nsource_profile = hub\n"));
    let strange = events::BrokerPresent { broker_id: "0".repeat(26), serving: true, ..Default::default() };
    for payload in [Vec::new(), b"\xff".to_vec(), events::Message::encode_to_vec(&strange)] {
        world.bus.tell(events::subjects::BROKER_PRESENT, payload).await.expect("NATS takes it");
    }
    world.broker(&["--accounts", "profiles", "--profile", "alpha"], &[]).await.expect("it starts");
    assert_eq!(world.accounts_text().await, format!("{ALPHA} alpha aws us-east-1"));
    world.end().await;
}

/// The second broker never listed the organization. It needs only a few calls for a lease.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_finds_one_account_without_the_others() {
    let mut world = World::alone().await;
    world.hub_keys();
    let hub = [("AWS_PROFILE", "hub".to_owned())];
    world.broker(&["--accounts", "organization"], &hub).await.expect("it starts");
    world.lease(ALPHA, "iam", &["iam:ListUsers"]).await.expect("a lease");
    let calls = world.cloud.aws.calls().await.expect("the cloud answers");
    let called = |action: &str| calls.iter().filter(|call| call.action == action).count();
    assert_eq!((called("DescribeAccount"), called("ListAccounts")), (1, 0));
    let refused = world.lease("999999999999", "iam", &["iam:ListUsers"]).await.expect_err("it is in no organization");
    assert!(refused.to_string().starts_with("unknown account: "), "{refused}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_finds_no_account_that_is_left_out() {
    let mut world = World::new().await;
    world.hub_keys();
    let hub = [("AWS_PROFILE", "hub".to_owned())];
    let roots = serde_json::json!({});
    let roots = world.cloud.aws.call(HUB, "us-east-1", "organizations", "list_roots", roots).await.expect("roots");
    let root = roots["Roots"][0]["Id"].as_str().expect("an id").to_owned();
    for (parts, is_found) in [
        (["--include", ALPHA], true),
        (["--include", HUB], false),
        (["--exclude", ALPHA], false),
        (["--include", &root], true),
        (["--exclude", &root], false),
    ] {
        world.broker(&[&["--accounts", "organization"], &parts[..]].concat(), &hub).await.expect("it starts");
        let lease = world.lease_for(parts[1], ALPHA, "iam", &["iam:ListUsers"]).await;
        assert_eq!(lease.is_ok(), is_found, "{parts:?}: {:?}", lease.err());
        world.kill_all().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    world.end().await;
}
