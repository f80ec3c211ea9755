//! Bad input: one clear message, the right exit status, no loss.

use crate::world::{Run, World, groma, run};
use testkit::Size;

async fn without_servers(arguments: &[&str], environment: &[(&str, &str)]) -> Run {
    let mut command = groma(arguments);
    command.envs(environment.iter().copied());
    run(command).await
}

#[track_caller]
fn check(ran: &Run, status: i32, says: &[&str]) {
    assert_eq!(ran.status, status, "{}\n{}", ran.stdout, ran.stderr);
    for words in says {
        assert!(ran.stderr.contains(words), "{words:?} is not in: {}", ran.stderr);
    }
}

#[tokio::test]
async fn an_unknown_flag_is_a_usage_error() {
    check(&without_servers(&["sync", "--regoins", "eu-west-1"], &[]).await, 2, &["--regoins", "--regions"]);
}

#[tokio::test]
async fn an_unknown_service_is_a_usage_error_that_names_the_known_ones() {
    check(&without_servers(&["sync", "--services", "ec2,s4"], &[]).await, 2, &["s4", "inspector2"]);
}

#[tokio::test]
async fn an_unknown_type_is_a_usage_error_that_names_the_nearest() {
    for command in ["sync", "doctor", "scheduler"] {
        let ran = without_servers(&[command, "--types", "AWSVpx,AWSUser", "--account", "payments"], &[]).await;
        check(&ran, 2, &["AWSVpx", "did you mean AWSVpc", "payments"]);
    }
}

#[tokio::test]
async fn a_time_that_never_comes_is_a_usage_error() {
    check(&without_servers(&["scheduler", "--cron", "0 0 30 2 *"], &[]).await, 2, &["--cron", "no time"]);
    check(&without_servers(&["scheduler", "--every", "0s"], &[]).await, 2, &["--every", "1s"]);
    let both = ["scheduler", "--every", "6h", "--cron", "0 6 * * *"];
    check(&without_servers(&both, &[]).await, 2, &["cannot be used with"]);
}

#[tokio::test]
async fn a_file_of_accepted_gaps_that_cannot_be_used_is_a_usage_error() {
    check(&without_servers(&["sync", "--accept", "/nonexistent/gaps.toml"], &[]).await, 2, &["--accept", "gaps.toml"]);
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "[[gap]]\naccount = \"22\"\n").expect("it can be written");
    let path = file.path().to_str().expect("text");
    check(&without_servers(&["scheduler", "--accept", path], &[]).await, 2, &[path, "missing field `class`"]);
}

#[tokio::test]
async fn a_monitor_on_a_port_in_use_is_a_usage_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    for role in [&["scheduler"][..], &["collector", "sts"], &["broker", "--accounts", "profiles"]] {
        let arguments = [role, &["--monitor", &address]].concat();
        check(&without_servers(&arguments, &[]).await, 2, &["cannot listen on --monitor", &address]);
    }
    check(&without_servers(&["scheduler", "--monitor", "9464"], &[]).await, 2, &["--monitor"]);
}

#[tokio::test]
async fn a_survey_of_nothing_is_a_usage_error() {
    let ran = without_servers(&["sync", "--services", "iam", "--except-services", "iam"], &[]).await;
    check(&ran, 2, &["--except-services leaves no service"]);
}

#[tokio::test]
async fn every_bad_value_is_said_at_once() {
    let ran = without_servers(&["sync", "--regions", "Ireland"], &[("NEO4J_URI", "http://localhost:7474")]).await;
    check(&ran, 2, &["Ireland", "http://localhost:7474", "NEO4J_PASSWORD"]);
}

#[tokio::test]
async fn a_graph_that_is_not_there_is_one_sentence() {
    let environment = [("NEO4J_URI", "bolt://127.0.0.1:1"), ("NEO4J_PASSWORD", "x")];
    let ran = without_servers(&["findings"], &environment).await;
    check(&ran, 1, &["Neo4j at bolt://127.0.0.1:1 is not available"]);
}

#[tokio::test]
async fn what_the_world_refuses_is_one_sentence_each() {
    let world = World::of(Size::Small).await;
    let with = |name: &'static str, value: &str| {
        let mut command = world.groma(&["sync", "--accounts", "profiles"]);
        command.env(name, value);
        run(command)
    };

    let ran = with("NEO4J_PASSWORD", "wrong").await;
    check(&ran, 1, &["refuses user neo4j", "NEO4J_PASSWORD"]);
    assert!(!ran.stderr.contains("wrong"), "a password was printed: {}", ran.stderr);

    check(&with("AWS_CONFIG_FILE", "/nowhere/config").await, 1, &["/nowhere/config"]);
    check(&with("NATS_URL", "nats://127.0.0.1:1").await, 1, &["cannot connect to NATS at nats://127.0.0.1:1"]);
    check(&with("GROMA_NATS_SERVER", "/nowhere/nats-server").await, 1, &["/nowhere/nats-server"]);
    assert_eq!(world.count("MATCH (n) RETURN count(n) AS n").await, 0, "nothing was written");
}

#[tokio::test]
async fn a_second_broker_on_one_nats_is_refused() {
    let world = World::of(Size::Small).await;
    let nats = testkit::Nats::start().await.expect("nats-server starts");
    let mut broker = world.groma(&["broker", "--accounts", "profiles", "--lease-own-identity"]);
    let mut broker = broker.env("NATS_URL", nats.url()).spawn().expect("groma starts");
    let refused = loop {
        let mut sync = world.groma(&["sync", "--accounts", "profiles", "--lease-own-identity"]);
        sync.env("NATS_URL", nats.url());
        let ran = run(sync).await;
        if ran.status != 0 {
            break ran;
        }
    };
    check(&refused, 1, &["a broker already serves this NATS", "groma scheduler"]);
    broker.kill().await.expect("the broker can be ended");
}
