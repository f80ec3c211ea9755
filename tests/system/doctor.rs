//! `groma doctor`: a correct setup, and each possible problem with its fix.

use crate::world::{Run, World, groma, run};
use bus::{Bus, BusConfig, RequestError};
use events::{AccountsAnswer, AccountsRequest, Message, subjects};
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};
use testkit::{Nats, Size};

async fn doctor(world: &World, environment: &[(&str, String)]) -> Run {
    let mut command = world.groma(&["doctor", "--accounts", "profiles", "--json"]);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    run(command).await
}

/// The failed checks of this name.
fn wrong(ran: &Run, name: &str) -> Vec<Value> {
    let checks = ran.json();
    let checks = checks.as_array().expect("a list");
    checks.iter().filter(|check| check["name"] == name && check["status"] != "ok").cloned().collect()
}

#[track_caller]
fn says(check: &Value, field: &str, words: &str) {
    let text = check[field].as_str().unwrap_or_default();
    assert!(text.contains(words), "{words:?} is not in {field}: {check}");
}

#[tokio::test]
async fn what_is_right_is_right_and_what_is_wrong_has_a_fix() {
    let world = World::of(Size::Small).await;
    let right = doctor(&world, &[]).await;
    assert_eq!(right.status, 0, "{}\n{}", right.stdout, right.stderr);
    let checks = right.json();
    let names: Vec<_> =
        checks.as_array().expect("a list").iter().map(|it| it["name"].as_str().expect("a name")).collect();
    for name in [
        "neo4j",
        "neo4j version",
        "neo4j rights",
        "neo4j settings",
        "nats",
        "jetstream",
        "identity",
        "account",
        "regions",
        "permissions",
    ] {
        assert!(names.contains(&name), "{name} was not looked at: {names:?}");
    }
    // Neo4j for tests has one compiler, one collector thread and little memory.
    let slow = wrong(&right, "neo4j settings");
    assert_eq!(slow.len(), 4, "{slow:?}");
    for (check, words) in
        slow.iter().zip(["TieredStopAtLevel=1", "collects garbage with one", "the heap has", "the page cache has"])
    {
        says(check, "found", words);
        assert_eq!(check["status"], "note");
    }
    let left = "SHOW CONSTRAINTS YIELD name WHERE name STARTS WITH 'groma_doctor' RETURN count(*) AS n";
    assert_eq!(world.count(left).await, 0, "the trial was taken away");
    let calls = world.aws.calls().await.expect("moto counts");
    let writing = ["Create", "Delete", "Put", "Attach", "Update", "Run", "Start"];
    let wrote: Vec<_> = calls.iter().filter(|it| writing.iter().any(|verb| it.action.starts_with(verb))).collect();
    assert!(wrote.is_empty(), "{wrote:?}");

    denied_calls(&world).await;
    regions_that_are_not_known(&world).await;
    an_identity_that_aws_does_not_know(&world).await;
    wrong_servers(&world).await;
    a_role_that_is_gone(&world).await;
}

async fn denied_calls(world: &World) {
    let alpha = world.account("alpha");
    world
        .aws
        .fault(json!([
            {"account": alpha, "service": "ec2", "action": "DescribeVolumes", "status": 403,
             "code": "UnauthorizedOperation", "message": "You are not authorized to perform this operation."},
            {"account": alpha, "region": "eu-west-1", "service": "inspector2", "status": 403,
             "code": "AccessDeniedException", "message": "Invoking account is not enabled."},
        ]))
        .await
        .expect("moto takes rules");
    let ran = doctor(world, &[]).await;
    world.aws.clear_faults().await.expect("moto forgets them");
    assert_eq!(ran.status, 3, "{}", ran.stdout);
    let found = wrong(&ran, "permissions");
    let denied = found.iter().find(|it| it["status"] == "incomplete").expect("something is denied");
    says(denied, "of", "ec2 in alpha");
    says(denied, "found", "DescribeVolumes in eu-west-1");
    says(denied, "found", "DescribeVolumes in us-east-1");
    says(denied, "fix", "ec2:DescribeVolumes");
    let disabled = found.iter().find(|it| it["status"] == "note").expect("something is not enabled");
    says(disabled, "of", "inspector2 in alpha");
    says(disabled, "found", "in eu-west-1");
    assert!(!disabled["found"].to_string().contains("us-east-1"), "{disabled}");
}

/// An impossible check counts as failed.
async fn regions_that_are_not_known(world: &World) {
    let alpha = world.account("alpha");
    let rule = json!({"account": alpha, "service": "ec2", "action": "DescribeRegions", "status": 403,
                      "code": "UnauthorizedOperation", "message": "You are not authorized to perform this operation."});
    world.aws.fault(rule).await.expect("moto takes rules");
    let ran = doctor(world, &[]).await;
    world.aws.clear_faults().await.expect("moto forgets them");
    assert_eq!(ran.status, 3, "{}", ran.stdout);
    says(&wrong(&ran, "regions")[0], "fix", "ec2:DescribeRegions");
    let permissions = wrong(&ran, "permissions");
    for service in ["ec2", "inspector2"] {
        let of = format!("{service} in alpha {alpha}");
        let check =
            permissions.iter().find(|it| it["of"] == of).unwrap_or_else(|| panic!("{service}: {permissions:?}"));
        assert_eq!(check["status"], "note", "{check}");
        says(check, "found", "not checked: no region is known");
    }
    let elsewhere = |it: &&Value| it["of"].as_str().is_some_and(|of| !of.contains(alpha) || of.starts_with("iam"));
    assert_eq!(permissions.iter().filter(elsewhere).count(), 0, "{permissions:?}");
}

async fn an_identity_that_aws_does_not_know(world: &World) {
    let nowhere = ("AWS_ENDPOINT_URL", "http://127.0.0.1:1".to_owned());
    let once = ("AWS_MAX_ATTEMPTS", "1".to_owned());
    let ran = doctor(world, &[nowhere, once]).await;
    assert_eq!(ran.status, 1, "{}", ran.stdout);
    assert!(!ran.stdout.contains("AWS accepts"), "{}", ran.stdout);
    says(&wrong(&ran, "account")[0], "fix", "HTTPS_PROXY");

    let fault = json!({"service": "sts", "status": 403, "code": "InvalidClientTokenId"});
    world.aws.fault(fault).await.expect("moto takes rules");
    let ran = doctor(world, &[]).await;
    world.aws.clear_faults().await.expect("moto forgets them");
    assert_eq!(ran.status, 1, "{}", ran.stdout);
    assert!(!ran.stdout.contains("AWS accepts"), "{}", ran.stdout);
    says(&wrong(&ran, "account")[0], "fix", "valid credentials");

    let home = tempfile::tempdir().expect("a home without files");
    let mut command = groma(&["doctor", "--accounts", "current", "--json"]);
    command.envs(world.graph_env()).env("HOME", home.path());
    command.env("AWS_EC2_METADATA_DISABLED", "false").env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1");
    let nothing = run(command).await;
    assert_eq!(nothing.status, 1, "{}", nothing.stdout);
    let identity = &wrong(&nothing, "identity")[0];
    says(identity, "found", "no source credentials: no AWS credentials found: no keys");
    says(identity, "fix", "environment keys, AWS_PROFILE, SSO");
}

async fn wrong_servers(world: &World) {
    let ran = doctor(world, &[("NEO4J_PASSWORD", "not-this-one".to_owned())]).await;
    assert_eq!(ran.status, 1, "{}", ran.stdout);
    says(&wrong(&ran, "neo4j")[0], "fix", "NEO4J_PASSWORD");

    let plain = Nats::configured(|dir, port| {
        let file = dir.join("nats.conf");
        std::fs::write(&file, format!("listen: \"127.0.0.1:{port}\"\n"))?;
        Ok(file)
    });
    let plain = plain.await.expect("nats-server starts");
    let ran = doctor(world, &[("NATS_URL", plain.url())]).await;
    assert_eq!(ran.status, 1, "{}", ran.stdout);
    says(&wrong(&ran, "jetstream")[0], "fix", "jetstream block");
    assert!(wrong(&ran, "permissions").is_empty(), "accounts are looked at all the same: {}", ran.stdout);

    let ran = doctor(world, &[("NATS_URL", "nats://127.0.0.1:1".to_owned())]).await;
    assert_eq!(ran.status, 1, "{}", ran.stdout);
    says(&wrong(&ran, "nats")[0], "fix", "NATS_URL");
}

async fn a_role_that_is_gone(world: &World) {
    let call =
        |operation: &str, parameters: Value| json!([world.account("alpha"), "us-east-1", "iam", operation, parameters]);
    let role = "cartography-read-only";
    let policy = "arn:aws:iam::aws:policy/SecurityAudit";
    let calls = vec![
        call("detach_role_policy", json!({"RoleName": role, "PolicyArn": policy})),
        call("delete_role", json!({"RoleName": role})),
    ];
    world.aws.call_all(calls).await.expect("its owner may");
    let ran = doctor(world, &[]).await;
    assert_eq!(ran.status, 3, "{}", ran.stdout);
    let gone = wrong(&ran, "account");
    assert_eq!(gone.len(), 1, "{gone:?}");
    says(&gone[0], "of", "alpha");
    says(&gone[0], "fix", "spoke.yaml");
}

/// The names of the accounts that a broker on this bus finds.
async fn accounts(bus: &Bus) -> Vec<String> {
    loop {
        let asked = AccountsRequest {}.encode_to_vec();
        match bus.ask(subjects::ACCOUNTS_REQUEST, asked, Duration::from_mins(1)).await {
            Ok(answer) => {
                let answer = AccountsAnswer::decode(answer).expect("it is an answer");
                return answer.accounts.into_iter().map(|account| account.name).collect();
            }
            Err(RequestError::NobodyThere { .. }) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn it_answers_nobody_on_a_nats_that_a_broker_serves() {
    let world = World::of(Size::Small).await;
    let nats = Nats::start().await.expect("nats-server starts");
    let bus = Bus::connect(&BusConfig::new(nats.url(), "test")).await.expect("it is there");
    let mut broker = world.groma(&["broker", "--accounts", "profiles", "--profile", "alpha"]);
    let _broker = broker.env("NATS_URL", nats.url()).spawn().expect("groma starts");
    assert_eq!(accounts(&bus).await, ["alpha"]);

    let asked = AtomicUsize::new(0);
    let looking = async {
        let environment = [("NATS_URL", nats.url()), ("GROMA_LEASE_OWN_IDENTITY", "true".to_owned())];
        while asked.load(SeqCst) < 20 {
            let ran = doctor(&world, &environment).await;
            assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
            let of = |name: &str| ran.stdout.contains(&format!("{name} {}", world.account(name)));
            assert!(of("alpha") && of("beta"), "its own configuration has more accounts: {}", ran.stdout);
        }
    };
    let mut looking = std::pin::pin!(looking);
    loop {
        tokio::select! {
            () = &mut looking => break,
            answer = accounts(&bus) => {
                assert_eq!(answer, ["alpha"]);
                asked.fetch_add(1, SeqCst);
            }
        }
    }
    assert!(asked.load(SeqCst) >= 20);
}
