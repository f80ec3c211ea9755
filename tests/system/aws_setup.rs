//! The roles of the templates and modules in `deploy/aws` suffice for a sync of a simulated AWS.

use crate::world::{groma, run};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use testkit::{Aws, Neo4j};

async fn a_sync_goes_through_what_is_made_with(tool: &str) {
    let aws = Aws::start().await.expect("moto starts");
    let directory = tempfile::tempdir().expect("a directory");
    let folder = directory.path().to_str().expect("a plain path");
    let arguments = ["--with", tool, "--dir", folder, "--external-id", "from-the-hub"];
    let made = aws.script("tests/aws/apply.py", &arguments).await.expect("it can be applied");
    let made: Value = serde_json::from_str(&made).expect("it answers in JSON");
    let environment: BTreeMap<String, String> = serde_json::from_value(made["env"].clone()).expect("an environment");

    let neo4j = Neo4j::shared_with_indexes().await.expect("Neo4j starts");
    let mut command = groma(&["sync", "--accounts", "profiles", "--json"]);
    command.envs(environment).envs([("NEO4J_URI", neo4j.uri()), ("NEO4J_PASSWORD", neo4j.password().to_owned())]);
    let ran = run(command).await;
    assert_eq!(ran.status, 0, "{tool}: {}\n{}", ran.stdout, ran.stderr);
    let ids = |accounts: &Value| -> BTreeSet<String> {
        let accounts = accounts.as_array().into_iter().flatten();
        accounts.filter_map(|account| account["id"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(ids(&ran.json()["accounts"]), ids(&made["accounts"]), "{tool}");
    // The hub has no key. The service account's session enters the spokes in its name.
    let calls = aws.calls().await.expect("moto counts");
    let entered = calls.iter().filter(|call| call.action == "AssumeRole" && call.account == "111111111111");
    assert!(entered.count() >= 2, "{tool}: {calls:?}");
    let rows = neo4j.rows("MATCH (v:AWSVpc) RETURN count(v) AS n").await.expect("the graph can be read");
    assert!(rows[0]["n"].as_i64() >= Some(4), "{tool}: {rows:?}");
}

#[tokio::test]
async fn a_sync_goes_through_the_roles_of_cloudformation() {
    a_sync_goes_through_what_is_made_with("cloudformation").await;
}

#[tokio::test]
async fn a_sync_goes_through_the_roles_of_a_stack_set() {
    a_sync_goes_through_what_is_made_with("stackset").await;
}

#[tokio::test]
async fn a_sync_goes_through_the_roles_of_terraform() {
    a_sync_goes_through_what_is_made_with("terraform").await;
}
