//! A sync of one account, one region, one type: it makes only the calls for it, and changes nothing else.

use crate::world::{World, run};
use serde_json::json;
use std::collections::BTreeSet;
use testkit::Size;

async fn make_vpc(world: &World, account: &str, region: &str) -> String {
    let made = world.aws.call(account, region, "ec2", "create_vpc", json!({"CidrBlock": "10.78.0.0/16"})).await;
    made.expect("moto makes it")["Vpc"]["VpcId"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn one_type_in_one_account_and_region_is_all_that_changes() {
    let world = World::of(Size::Small).await;
    let (alpha, beta) = (world.account("alpha").to_owned(), world.account("beta").to_owned());
    let (here, there) = (world.organization.regions[0].clone(), world.organization.regions[1].clone());
    let mut vpcs = Vec::new();
    for (account, region) in [(&alpha, &here), (&alpha, &there), (&beta, &here)] {
        vpcs.push((account, region, make_vpc(&world, account, region).await));
    }
    world.sync_completely().await;
    for (account, region, id) in &vpcs {
        let deleted = world.aws.call(account, region, "ec2", "delete_vpc", json!({"VpcId": id})).await;
        deleted.expect("moto deletes it");
    }
    world.aws.call(&alpha, &here, "iam", "create_user", json!({"UserName": "late"})).await.expect("moto makes it");
    world.aws.clear_calls().await.expect("moto forgets");

    let ran = world.sync(&["--account", &alpha, "--types", "AWSVpc", "--regions", &here]).await;
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let calls = world.aws.calls().await.expect("moto remembers");
    let of_ec2 = calls.iter().filter(|call| call.service == "ec2");
    let of_ec2: BTreeSet<_> =
        of_ec2.map(|call| (call.account.as_str(), call.region.as_str(), call.action.as_str())).collect();
    let expected = ["DescribeVpcPeeringConnections", "DescribeVpcs"].map(|call| (alpha.as_str(), here.as_str(), call));
    assert_eq!(of_ec2, expected.into());
    assert!(calls.iter().all(|call| ["sts", "ec2"].contains(&call.service.as_str())), "{calls:?}");

    let left = "MATCH (v:AWSVpc) WHERE v.id IN $ids RETURN v.id AS n";
    let ids: Vec<_> = vpcs.iter().map(|(_, _, id)| format!("'{id}'")).collect();
    let mut expected = vec![vpcs[1].2.clone(), vpcs[2].2.clone()];
    expected.sort();
    assert_eq!(world.texts(&left.replace("$ids", &format!("[{}]", ids.join(",")))).await, expected);
    assert_eq!(world.count("MATCH (u:AWSUser {name: 'late'}) RETURN count(u) AS n").await, 0);
    let tag = ran.json()["update_tag"].as_i64().expect("a tag");
    let touched = format!("MATCH (n) WHERE n.lastupdated = {tag} UNWIND labels(n) AS l RETURN DISTINCT l AS n");
    let touched = world.texts(&touched).await;
    for label in ["AWSEC2Instance", "AWSEC2Subnet", "AWSUser", "AWSRole", "AWSEC2SecurityGroup"] {
        assert!(!touched.contains(&label.to_owned()), "{label} in {touched:?}");
    }
}

#[tokio::test]
async fn an_account_that_is_not_there_is_wrong_usage_that_names_those_that_are() {
    let world = World::of(Size::Small).await;
    for command in ["sync", "doctor"] {
        let ran = run(world.groma(&[command, "--accounts", "profiles", "--account", "999999999999"])).await;
        let said = format!("{}{}", ran.stdout, ran.stderr);
        for account in &world.organization.accounts {
            assert!(said.contains("999999999999") && said.contains(&account.id), "{command}: {said}");
        }
        assert_eq!(ran.status, if command == "sync" { 2 } else { 1 }, "{command}: {said}");
    }
    let alpha = world.account("alpha");
    let arguments = ["doctor", "--accounts", "profiles", "--account", alpha, "--types", "DescribeVpcs", "--json"];
    let ran = run(world.groma(&arguments)).await;
    assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains(alpha) && ran.stdout.contains("1 listings can be read"), "{}", ran.stdout);
    assert!(!ran.stdout.contains(world.account("beta")), "{}", ran.stdout);
}
