//! An awkward organization, as real ones are (`deploy/local/awkward.py`): everything that can be seen is in the graph, and the
//! report names the rest in a few lines.

use crate::world::{World, run};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use testkit::Size;

#[tokio::test]
async fn an_awkward_organization_is_seen_as_far_as_it_can_be() {
    let world = World::of(Size::Small).await;
    let folder = world.organization.dir.to_str().expect("a plain path").to_owned();
    let awkward = world.aws.script("deploy/local/awkward.py", &["--dir", &folder]).await.expect("it can be made so");
    let awkward: Value = serde_json::from_str(&awkward).expect("it answers in JSON");
    let environment: BTreeMap<String, String> = serde_json::from_value(awkward["env"].clone()).expect("an environment");
    let arguments: Vec<String> = serde_json::from_value(awkward["arguments"].clone()).expect("arguments");
    let sync = async |more: &[&str]| {
        let arguments = ["sync"].into_iter().chain(arguments.iter().map(String::as_str)).chain(more.iter().copied());
        let mut command = world.groma(&arguments.collect::<Vec<_>>());
        command.envs(&environment);
        run(command).await
    };

    let ran = sync(&["--json"]).await;
    assert_eq!(ran.status, 3, "{}\n{}", ran.stdout, ran.stderr);
    let report = ran.json();
    let names: BTreeSet<_> =
        report["accounts"].as_array().expect("a list").iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(names, BTreeSet::from(["alpha", "beta", "master"]), "the hub is entered without a role");
    let unseen = report["unseen"].as_array().expect("a list");
    let is_expected = |it: &Value| match it["account_name"].as_str() {
        Some("without-role") => it["reason"] == "no credentials",
        _ => it["region"] == "eu-central-1" && it["service"] == "ec2" && it["reason"] == "access denied",
    };
    let unexpected: Vec<_> = unseen.iter().filter(|it| !is_expected(it)).collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    assert!(unseen.iter().any(|it| it["account_name"] == "without-role"), "{unseen:#?}");
    assert!(ran.stderr.contains("an account that is not active is skipped"), "{}", ran.stderr);

    let off: BTreeSet<_> = report["switched_off"].as_array().expect("a list").iter().map(|it| it.to_string()).collect();
    assert_eq!(off.len(), 3, "{off:?}");
    assert!(off.iter().all(|it| it.contains("eu-west-1") && !it.contains("us-east-1")), "{off:?}");
    assert!(world.count("MATCH (f:AWSInspectorFinding) RETURN count(f) AS n").await > 0);
    assert!(world.count("MATCH (b:AWSLoadBalancerV2) RETURN count(b) AS n").await > 0);
    assert_eq!(
        world.count("MATCH (s:AWSAccount {id: '666666666666', state: 'SUSPENDED'}) RETURN count(s) AS n").await,
        1
    );

    let ran = sync(&[]).await;
    assert_eq!(ran.status, 3, "{}\n{}", ran.stdout, ran.stderr);
    let lines: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("  ")).collect();
    let denied =
        "eu-central-1 ec2 DescribeAddresses and 23 more listings: access denied: UnauthorizedOperation: You are not";
    assert_eq!(lines.iter().filter(|line| line.contains(denied)).count(), 3, "{}", ran.stderr);
    assert!(
        lines.iter().any(|line| line.starts_with("  555555555555 (without-role) * * *: no credentials: ")),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 4, "{}", ran.stderr);
}
