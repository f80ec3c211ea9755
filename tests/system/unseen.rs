//! Unseen scopes are named, and their last known graph is kept.

use crate::world::World;
use serde_json::json;
use testkit::Size;

const INSTANCES: &str = "MATCH (i:AWSEC2Instance) RETURN i.id AS n";

#[tokio::test]
async fn a_denied_region_keeps_its_nodes_and_is_named() {
    let world = World::of(Size::Small).await;
    world.sync_completely().await;
    let before = world.texts(INSTANCES).await;
    assert!(!before.is_empty());
    let (account, region) = (world.organization.accounts[1].id.clone(), world.organization.regions[1].clone());

    let rule = json!([{"account": account, "region": region, "service": "ec2", "status": 403,
                       "code": "UnauthorizedOperation", "message": "You are not authorized"}]);
    world.aws.fault(rule).await.expect("moto takes the rule");
    let ran = world.sync(&["--regions", &world.organization.regions.join(",")]).await;

    assert_eq!(ran.status, 3, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(world.texts(INSTANCES).await, before);
    for words in [account.as_str(), &region, "DescribeAddresses and 19 more listings", "access denied"] {
        assert!(ran.stderr.contains(words), "{words} is not in {}", ran.stderr);
    }
    let report = ran.json();
    assert_eq!(report["status"], "incomplete");
    let unseen = report["unseen"].as_array().expect("a list");
    assert!(unseen.iter().all(|scope| scope["account_id"] == account.as_str() && scope["region"] == region.as_str()));
    let listings: Vec<_> = unseen.iter().map(|scope| scope["listing"].as_str().expect("a name")).collect();
    assert!(listings.contains(&"DescribeSubnets"), "{listings:?}");

    // The user accepts the gap, or leaves the region out.
    let file = tempfile::NamedTempFile::new().expect("a file");
    let gap = format!(
        "[[gap]]\naccount = \"{account}\"\nregion = \"{region}\"\nclass = \"access denied\"\n\
         reason = \"SCP\"\nexpires = 2999-12-31\n"
    );
    std::fs::write(file.path(), gap).expect("it can be written");
    let path = file.path().to_str().expect("text");
    let regions = world.organization.regions.join(",");
    let ran = world.sync(&["--regions", &regions, "--accept", path]).await;
    assert_eq!(ran.status, 0, "{}\n{}", ran.stdout, ran.stderr);
    let report = ran.json();
    assert_eq!((&report["accepted_total"], &report["unseen"]), (&unseen.len().into(), &json!([])));
    assert_eq!(report["accepted"][0]["reason"], "SCP");
    assert_eq!(world.texts(INSTANCES).await, before);

    let ran = world.sync(&["--regions", &regions, "--except-regions", &region]).await;
    assert_eq!(ran.status, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(world.texts(INSTANCES).await, before);
}

#[tokio::test]
async fn a_hung_region_keeps_its_nodes_and_holds_nobody_up() {
    let world = World::of(Size::Small).await;
    world.sync_completely().await;
    let before = world.texts(INSTANCES).await;
    let (account, region) = (world.organization.accounts[1].id.clone(), world.organization.regions[1].clone());

    let rule = json!([{"account": account, "region": region, "service": "ec2", "delay_seconds": 600}]);
    world.aws.fault(rule).await.expect("moto takes the rule");
    let regions = world.organization.regions.join(",");
    let ran = world.sync(&["--regions", &regions, "--aws-timeout", "5", "--concurrency", "32"]).await;

    assert_eq!(ran.status, 3, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(world.texts(INSTANCES).await, before);
    let report = ran.json();
    let unseen = report["unseen"].as_array().expect("a list");
    assert!(unseen.iter().all(|scope| scope["account_id"] == account.as_str() && scope["region"] == region.as_str()));
    assert!(unseen.iter().any(|scope| scope["listing"] == "DescribeInstances"), "{unseen:?}");
    let tag = report["update_tag"].as_i64().expect("a tag");
    let elsewhere =
        format!("MATCH (i:AWSEC2Instance) WHERE i.lastupdated <> {tag} AND NOT i.id IN $here RETURN count(i) AS n");
    let here = format!(
        "MATCH (:AWSAccount {{id: '{account}'}})-[:RESOURCE]->(i:AWSEC2Instance {{region: '{region}'}}) RETURN i.id AS n"
    );
    let here: Vec<_> = world.texts(&here).await.iter().map(|id| format!("'{id}'")).collect();
    assert_eq!(world.count(&elsewhere.replace("$here", &format!("[{}]", here.join(",")))).await, 0);
    assert!(!here.is_empty());
}

#[tokio::test]
async fn an_account_whose_role_is_gone_keeps_its_nodes_and_is_named() {
    let world = World::of(Size::Small).await;
    world.sync_completely().await;
    let account = world.organization.accounts[1].clone();
    let of_account = format!("MATCH (:AWSAccount {{id: '{}'}})-[:RESOURCE]->(n) RETURN count(n) AS n", account.id);
    let before = world.count(&of_account).await;
    assert!(before > 0);

    let rule = json!([{"service": "sts", "action": "AssumeRole", "account": world.account("hub"), "status": 403,
                       "code": "AccessDenied", "message": "is not authorized to perform: sts:AssumeRole"}]);
    world.aws.fault(rule).await.expect("moto takes the rule");
    let ran = world.sync(&[]).await;

    assert_eq!(ran.status, 3, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(&account.id) && ran.stderr.contains(&account.name), "{}", ran.stderr);
    assert_eq!(world.count(&of_account).await, before);
}

#[tokio::test]
async fn a_server_error_in_one_listing_leaves_the_others() {
    let world = World::of(Size::Small).await;
    world.sync_completely().await;
    let before = world.count("MATCH (n:AWSEBSVolume) RETURN count(n) AS n").await;
    assert!(before > 0);

    let rule = json!([{"service": "ec2", "action": "DescribeVolumes", "status": 500, "code": "InternalError"}]);
    world.aws.fault(rule).await.expect("moto takes the rule");
    let ran = world.sync(&[]).await;

    assert_eq!(ran.status, 3, "{}\n{}", ran.stdout, ran.stderr);
    let report = ran.json();
    let listings: Vec<_> =
        report["unseen"].as_array().expect("a list").iter().map(|it| it["listing"].clone()).collect();
    // The volumes determine the listed snapshots, so these cannot be known either.
    let expected = |listing: &serde_json::Value| listing == "DescribeVolumes" || listing == "DescribeSnapshots";
    assert!(listings.iter().any(|listing| listing == "DescribeVolumes"), "{listings:?}");
    assert!(listings.iter().all(expected), "{listings:?}");
    assert_eq!(world.count("MATCH (n:AWSEBSVolume) RETURN count(n) AS n").await, before);
}

#[tokio::test]
async fn inspector_that_is_switched_off_has_no_findings_and_is_no_failure() {
    let world = World::of(Size::Small).await;
    world.sync_completely().await;
    let (account, region) = (world.organization.accounts[1].id.clone(), world.organization.regions[1].clone());
    let findings = |condition: &str| {
        format!(
            "MATCH (:AWSAccount {{id: '{account}'}})-[:RESOURCE]->(f:AWSInspectorFinding) \
             WHERE f.region {condition} '{region}' RETURN count(f) AS n"
        )
    };
    let elsewhere = world.count(&findings("<>")).await;
    assert!(world.count(&findings("=")).await > 0 && elsewhere > 0);

    let status = json!({"account": account, "region": region, "status": "DISABLED"});
    world.aws.control("inspector2/status", status).await.expect("it can be switched off");
    let ran = world.sync(&[]).await;

    assert_eq!(ran.status, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!((world.count(&findings("=")).await, world.count(&findings("<>")).await), (0, elsewhere));
    let off = &ran.json()["switched_off"][0];
    assert_eq!((off["service"].as_str(), off["account_id"].as_str()), (Some("inspector2"), Some(account.as_str())));
    assert_eq!(off["regions"], json!([region]));
}

#[tokio::test]
async fn an_expired_page_token_is_a_failure() {
    let world = World::of(Size::Small).await;
    let rule = json!([{"service": "inspector2", "action": "ListFindings", "status": 400,
                       "code": "ValidationException", "message": "The nextToken has expired."}]);
    world.aws.fault(rule).await.expect("moto takes the rule");
    let ran = world.sync(&["--services", "inspector2"]).await;
    assert_eq!(ran.status, 3, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("service error: ValidationException"), "{}", ran.stderr);
}
