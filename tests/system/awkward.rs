//! An awkward organization, as real ones are (`tests/simulated-aws/awkward.py`): the graph has everything visible, and the
//! report names the rest in a few lines.

use crate::world::{World, run};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use testkit::Size;

const FINDINGS: &str = "MATCH (f:AWSInspectorFinding) RETURN DISTINCT f.region AS n";
const SURVEYED: &str = "MATCH (m:ModuleSyncMetadata {syncedtype: 'AWSAccount'}) RETURN m.groupid AS n";

/// Services that are collected in each region.
fn regional() -> BTreeSet<&'static str> {
    catalog::services().iter().filter(|service| !service.global).map(|service| service.name.as_str()).collect()
}

#[tokio::test]
async fn an_awkward_organization_is_seen_as_far_as_it_can_be() {
    let world = World::of(Size::Small).await;
    world.sync_completely().await;
    assert_eq!(world.texts(FINDINGS).await, ["eu-west-1", "us-east-1"]);
    let surveyed = world.texts(SURVEYED).await;
    world.neo4j.rows("MATCH (m:ModuleSyncMetadata) DELETE m").await.expect("the graph can be changed");
    let folder = world.organization.dir.to_str().expect("a plain path").to_owned();
    let awkward =
        world.aws.script("tests/simulated-aws/awkward.py", &["--dir", &folder]).await.expect("it can be made so");
    let awkward: Value = serde_json::from_str(&awkward).expect("it answers in JSON");
    let environment: BTreeMap<String, String> = serde_json::from_value(awkward["env"].clone()).expect("an environment");
    let arguments: Vec<String> = serde_json::from_value(awkward["arguments"].clone()).expect("arguments");
    let without = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag).expect("the flag is there");
        [&arguments[..at], &arguments[at + 2..]].concat()
    };
    let sync = async |arguments: &[String], more: &[&str]| {
        let arguments = ["sync"].into_iter().chain(arguments.iter().map(String::as_str)).chain(more.iter().copied());
        let mut command = world.groma(&arguments.collect::<Vec<_>>());
        command.envs(&environment);
        run(command).await
    };

    let ran = sync(&arguments, &["--json"]).await;
    assert_eq!(ran.status, 3, "{}\n{}", ran.stdout, ran.stderr);
    let report = ran.json();
    let names: BTreeSet<_> =
        report["accounts"].as_array().expect("a list").iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(names, BTreeSet::from(["alpha", "beta", "master"]), "the hub is entered without a role");
    let unseen = report["unseen"].as_array().expect("a list");
    let is_expected = |it: &Value| match it["account_name"].as_str() {
        Some("without-role") => it["reason"] == "no credentials",
        _ => it["region"] == "eu-central-1" && it["reason"] == "access denied",
    };
    let unexpected: Vec<_> = unseen.iter().filter(|it| !is_expected(it)).collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    assert!(unseen.iter().any(|it| it["account_name"] == "without-role"), "{unseen:#?}");
    let denied: BTreeSet<_> =
        unseen.iter().filter(|it| it["region"] == "eu-central-1").filter_map(|it| it["service"].as_str()).collect();
    assert_eq!(denied, regional());
    assert!(ran.stderr.contains("skipping an account that is not active"), "{}", ran.stderr);
    let skipped = &report["skipped"];
    assert_eq!((&skipped[0]["account_id"], &skipped[0]["reason"]), (&"666666666666".into(), &"suspended".into()));
    assert_eq!(report["skipped_total"], 1);

    let off: BTreeSet<_> = report["switched_off"].as_array().expect("a list").iter().map(|it| it.to_string()).collect();
    assert_eq!(off.len(), 3, "{off:?}");
    assert!(off.iter().all(|it| it.contains("[\"eu-west-1\"]")), "{off:?}");
    assert_eq!(world.texts(FINDINGS).await, ["us-east-1"], "findings of a region where Inspector is off are removed");
    // A load balancer that was deleted after it was listed: the call for its listeners failed.
    let balancers = world.texts("MATCH (b:AWSLoadBalancerV2) RETURN b.name AS n").await;
    assert!(balancers.contains(&"front".to_owned()) && !balancers.contains(&"going".to_owned()), "{balancers:?}");
    assert_eq!(world.texts(SURVEYED).await, [""; 0], "a region of each account is denied");
    assert_eq!(
        world.count("MATCH (s:AWSAccount {id: '666666666666', state: 'SUSPENDED'}) RETURN count(s) AS n").await,
        1
    );

    let ran = sync(&arguments, &[]).await;
    assert_eq!(ran.status, 3, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("1 account(s) of the organization are not active"), "{}", ran.stdout);
    let lines: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("  ")).collect();
    let denied = [
        "eu-central-1 ec2 DescribeAddresses and 23 more listings: access denied: UnauthorizedOperation: You are not",
        "eu-central-1 inspector2 ListFindings: access denied: AccessDeniedException: You are not",
    ];
    for denied in denied {
        assert_eq!(lines.iter().filter(|line| line.contains(denied)).count(), 3, "{}", ran.stderr);
    }
    assert!(
        lines.iter().any(|line| line.starts_with("  555555555555 (without-role) * * *: no credentials: ")),
        "{lines:?}"
    );
    for service in regional() {
        let of_service = lines.iter().filter(|line| line.contains(&format!(" eu-central-1 {service} ")));
        assert_eq!(of_service.count(), 3, "{service}: a line for each account that can be entered\n{}", ran.stderr);
    }
    assert_eq!(lines.len(), 3 * regional().len() + 1, "{}", ran.stderr);

    // Without the denied region, all of an account is seen. A switched-off Inspector counts as seen.
    let ran = sync(&without("--regions"), &["--regions", "us-east-1,eu-west-1"]).await;
    assert_eq!(ran.status, 3, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(world.texts(SURVEYED).await, surveyed);
}
