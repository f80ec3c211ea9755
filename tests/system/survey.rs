//! An organization becomes a graph, and the graph follows it.

use crate::{inventory, world::World};
use serde_json::{Value, json};
use testkit::Size;

#[tokio::test]
async fn every_node_property_and_edge_is_what_aws_holds() {
    let world = World::of(Size::Demo).await;
    let report = world.sync_completely().await;
    assert_eq!(report["accounts"].as_array().expect("a list").len(), world.organization.accounts.len());

    let held = inventory::of_aws(&world).await;
    for (label, nodes) in &held.nodes {
        assert!(!nodes.is_empty(), "the organization has no {label} to compare");
        let properties = inventory::properties_of(label);
        assert_eq!(inventory::nodes_of_graph(&world, label, &properties).await, *nodes, "{label}");
    }
    for (edge, pairs) in &held.edges {
        assert!(!pairs.is_empty(), "the organization has no {edge} to compare");
        assert_eq!(inventory::edges_of_graph(&world, edge).await, *pairs, "{edge}");
    }
    every_node_has_its_tag(&world, &report).await;
}

async fn every_node_has_its_tag(world: &World, report: &Value) {
    let tag = report["update_tag"].as_i64().expect("a tag");
    let untagged = format!(
        "MATCH (n) WHERE NOT any(label IN labels(n) WHERE label STARTS WITH 'Groma')
         AND (n.lastupdated <> {tag} OR n.firstseen IS NULL OR n.id IS NULL) RETURN count(n) AS n"
    );
    assert_eq!(world.count(&untagged).await, 0);
}

#[tokio::test]
async fn a_second_sync_leaves_exactly_the_new_state() {
    let world = World::of(Size::Small).await;
    world.sync_completely().await;
    let spoke = world.organization.accounts[1].id.clone();
    let region = world.organization.regions[0].clone();
    let before = inventory::of_aws(&world).await;

    change(&world, &spoke, &region).await;
    let report = world.sync_completely().await;
    let after = inventory::of_aws(&world).await;
    assert_ne!(before, after);
    for (label, nodes) in &after.nodes {
        let properties = inventory::properties_of(label);
        assert_eq!(inventory::nodes_of_graph(&world, label, &properties).await, *nodes, "{label}");
    }
    for (edge, pairs) in &after.edges {
        assert_eq!(inventory::edges_of_graph(&world, edge).await, *pairs, "{edge}");
    }
    assert!(report["graph"]["nodes_removed"].as_u64().expect("a count") > 0);
    every_node_has_its_tag(&world, &report).await;
}

/// Terminates an instance, deletes a user with its parts, and changes a group's rules, a role's trust and a VPC.
pub(crate) async fn change(world: &World, account: &str, region: &str) {
    let aws = &world.aws;
    let call = async |service: &str, operation: &str, parameters: Value| {
        let answer = aws.call(account, region, service, operation, parameters).await;
        answer.unwrap_or_else(|error| panic!("{operation}: {error:#}"))
    };
    let running = json!({"Filters": [{"Name": "instance-state-name", "Values": ["running"]}]});
    let answer = call("ec2", "describe_instances", running).await;
    let instance = &answer["Reservations"][0]["Instances"][0];
    call("ec2", "terminate_instances", json!({"InstanceIds": [instance["InstanceId"]]})).await;
    let group = &instance["SecurityGroups"][0]["GroupId"];
    let rule =
        json!({"IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443, "IpRanges": [{"CidrIp": "203.0.113.9/32"}]});
    call("ec2", "authorize_security_group_ingress", json!({"GroupId": group, "IpPermissions": [rule]})).await;
    call("ec2", "create_vpc", json!({"CidrBlock": "10.77.0.0/16"})).await;
    call("iam", "create_user", json!({"UserName": "newcomer"})).await;
    call("iam", "create_access_key", json!({"UserName": "newcomer"})).await;
    let trust = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
                       "Principal": {"Service": "lambda.amazonaws.com"}}});
    let trust = json!({"RoleName": "app", "PolicyDocument": trust.to_string()});
    call("iam", "update_assume_role_policy", trust).await;
    let held = json!({"GroupName": "developers", "UserName": "deploy"});
    call("iam", "remove_user_from_group", held).await;
}

#[tokio::test]
async fn only_the_services_and_regions_asked_for_are_called() {
    let world = World::of(Size::Small).await;
    let region = world.organization.regions[1].clone();
    world.aws.clear_calls().await.expect("moto forgets");
    let ran = world.sync(&["--services", "ec2", "--regions", &region]).await;
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let calls = world.aws.calls().await.expect("moto remembers");
    let other: Vec<_> = calls.iter().filter(|call| call.service != "sts" && call.region != region).collect();
    assert!(other.is_empty(), "{other:?}");
    assert!(
        calls.iter().all(|call| ["sts", "ec2", "autoscaling", "elasticloadbalancing"].contains(&call.service.as_str()))
    );
    assert_eq!(world.count("MATCH (n:AWSUser) RETURN count(n) AS n").await, 0);
}

#[tokio::test]
async fn one_account_is_surveyed_with_the_callers_own_identity() {
    let world = World::of(Size::Small).await;
    let mut command = world.groma(&["sync", "--json"]);
    command.env("AWS_PROFILE", "hub");
    let ran = crate::world::run(command).await;
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let hub = world.account("hub").to_owned();
    let surveyed = "MATCH (a:AWSAccount {inscope: true}) RETURN a.id AS n";
    assert_eq!(world.texts(surveyed).await, [hub]);
}
