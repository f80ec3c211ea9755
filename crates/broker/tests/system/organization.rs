//! The whole organization through one role name.

use crate::{
    endpoints::Endpoint,
    world::{ALPHA, ALPHA_ROLE, BETA, BETA_EXTERNAL_ID, HUB, NO_DENIALS, World},
};
use expect_test::expect;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// Id of the unit with this name, anywhere in the organization.
async fn unit(world: &World, name: &str) -> String {
    let list = |operation: &'static str, parameters: Value| {
        world.cloud.aws.call(HUB, "us-east-1", "organizations", operation, parameters)
    };
    let roots = list("list_roots", json!({})).await.expect("roots");
    let mut parents = vec![roots["Roots"][0]["Id"].as_str().expect("an id").to_owned()];
    while let Some(parent) = parents.pop() {
        let units = list("list_organizational_units_for_parent", json!({ "ParentId": parent })).await.expect("units");
        for unit in units["OrganizationalUnits"].as_array().expect("a list") {
            let id = unit["Id"].as_str().expect("an id").to_owned();
            if unit["Name"] == name {
                return id;
            }
            parents.push(id);
        }
    }
    panic!("no unit {name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_account_and_the_callers_own_without_the_role() {
    let mut world = World::new().await;
    world.hub_keys();
    let hub = [("AWS_PROFILE", "hub".to_owned())];
    world.broker(&["--accounts", "organization", "--lease-own-identity"], &hub).await.expect("it starts");
    let text = world.accounts_text().await;
    expect![[r"
        111111111111 master aws us-east-1
        222222222222 alpha aws us-east-1
        333333333333 beta: no credentials: not allowed: cannot assume arn:aws:iam::333333333333:role/cartography-read-only: AWS returned AccessDenied (User: arn:aws:iam::111111111111:user/groma is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::333333333333:role/cartography-read-only); the role does not exist, its trust policy does not name the caller, or it requires another external id: AWS does not say which"]].assert_eq(&text);
    let lease = world.lease(ALPHA, "iam", &["iam:ListUsers"]).await.expect("a lease");
    assert!(world.whose(&lease.credentials).await.contains("assumed-role/cartography-read-only/groma-iam-"));
    world.end().await;
}

/// A session of the hub's instance, which may assume the role in every account.
async fn on_an_instance(world: &World) -> Vec<(&'static str, String)> {
    let session = world.session_of(HUB, "cartography-service").await;
    let instance = Endpoint::instance("cartography-service", session).await;
    vec![("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance.url.clone()), ("AWS_EC2_METADATA_DISABLED", "false".to_owned())]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callers_own_session_is_not_leased() {
    let mut world = World::new().await;
    let env = on_an_instance(&world).await;
    world.broker(&["--accounts", "organization", "--include", HUB], &env).await.expect("it starts");
    expect!["111111111111 master: no credentials: own identity kept: the instance's role would have to leave the broker for account 111111111111: AWS cannot narrow an existing role session to one service; create a role in account 111111111111 for the broker to assume (--role, or role_arn of a profile), or pass --lease-own-identity. The role arn:aws:iam::111111111111:role/cartography-read-only cannot be used: cannot assume arn:aws:iam::111111111111:role/cartography-read-only: AWS returned AccessDenied (User: arn:aws:sts::111111111111:assumed-role/cartography-service/i-0abc is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111111111111:role/cartography-read-only); the role does not exist, its trust policy does not name the caller, or it requires another external id: AWS does not say which"].assert_eq(&world.accounts_text().await);
    for (service, action) in [("sts", "sts:GetCallerIdentity"), ("ec2", "ec2:DescribeVpcs"), ("iam", "iam:ListUsers")] {
        let refused = world.lease(HUB, service, &[action]).await.expect_err("it stays in the broker");
        let words = "own identity kept: the instance's role would have to leave the broker for account 111111111111";
        assert!(refused.to_string().starts_with(words), "{refused}");
    }
    world.end().await;
}

/// A lease never leads into another account, even if the operator leases the caller's own session.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_says_nothing_of_the_role_leads_to_no_other_way() {
    let mut world = World::alone().await;
    let env = [on_an_instance(&world).await, vec![("AWS_MAX_ATTEMPTS", "1".to_owned())]].concat();
    let arguments = ["--accounts", "organization", "--include", HUB, "--lease-own-identity"];
    world.broker(&arguments, &env).await.expect("it starts");
    for (status, code, words) in NO_DENIALS {
        let fault = json!({ "service": "sts", "action": "AssumeRole", "status": status, "code": code });
        world.cloud.aws.fault(fault).await.expect("a fault");
        let text = world.accounts_text().await;
        assert!(text.starts_with(&format!("{HUB} master: {words}")), "{code}: {text}");
        world.lease(HUB, "sts", &["sts:GetCallerIdentity"]).await.expect_err("no other way was remembered");
        world.cloud.aws.clear_faults().await.expect("no fault");
    }
    assert_eq!(world.accounts_text().await, format!("{HUB} master aws us-east-1"), "the role is missing");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_assumes_no_role() {
    let mut world = World::new().await;
    world.hub_keys();
    let hub = [("AWS_PROFILE", "hub".to_owned())];
    world.broker(&["--accounts", "organization", "--include", ALPHA], &hub).await.expect("it starts");
    world.accounts().await;
    for (service, action) in [("sts", "sts:GetCallerIdentity"), ("ec2", "ec2:DescribeVpcs"), ("iam", "iam:ListUsers")] {
        let lease = world.lease(ALPHA, service, &[action]).await.expect("a lease");
        let refused = world.assume(&lease.credentials, ALPHA_ROLE).await.expect_err("the session policy allows it not");
        assert!(refused.contains("because no session policy allows it"), "{refused}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_it() {
    let mut world = World::new().await;
    world.hub_keys();
    let (workloads, data) = (unit(&world, "Workloads").await, unit(&world, "Data").await);
    let hub = [("AWS_PROFILE", "hub".to_owned())];
    let external = ["--external-id", BETA_EXTERNAL_ID];
    for (parts, expected) in [
        (vec!["--include", &workloads], vec![ALPHA, BETA]),
        (vec!["--include", &workloads, "--exclude", &data], vec![ALPHA]),
        (vec!["--include", BETA], vec![BETA]),
        (vec!["--exclude", HUB], vec![ALPHA, BETA]),
    ] {
        let mut world = World::new().await;
        world.hub_keys();
        let arguments = [&["--accounts", "organization"] as &[&str], &external, &parts].concat();
        world.broker(&arguments, &hub).await.expect("it starts");
        let answer = world.accounts().await;
        let ids: Vec<_> = answer.accounts.iter().map(|account| account.id.as_str()).collect();
        assert_eq!(ids, expected, "{parts:?}");
        world.end().await;
    }
    world
        .broker(&["--accounts", "organization", "--include", "999999999999", "--include", "ou-none-nowhere"], &hub)
        .await
        .expect("it starts");
    let text = world.accounts_text().await;
    assert!(text.starts_with("failure: no credentials: "), "{text}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_accounts_are_skipped_and_said() {
    let mut world = World::alone().await;
    world.hub_keys();
    let close = json!({ "AccountId": BETA });
    world.cloud.aws.call(HUB, "us-east-1", "organizations", "close_account", close).await.expect("it is closed");
    world.broker(&["--accounts", "organization", "--profile", "hub"], &[]).await.expect("it starts");
    let answer = world.accounts().await;
    assert!(!answer.accounts.iter().any(|account| account.id == BETA));
    assert!(!answer.unreachable.iter().any(|account| account.id == BETA));
    let skipped: Vec<_> = answer.skipped.iter().map(|it| [&*it.id, &*it.name, &*it.reason]).collect();
    assert_eq!((skipped, answer.skipped_total), (vec![[BETA, "beta", "suspended"]], 1));
    assert!(world.log().contains("skipping an account that is not active"));
    let denied = json!({ "service": "organizations", "status": 400, "code": "AccessDeniedException", "message": "no" });
    world.cloud.aws.fault(denied).await.expect("a fault");
    let text = world.accounts_text().await;
    assert!(
        text.starts_with("failure: no credentials: not allowed: cannot list the organization's accounts"),
        "{text}"
    );
    world.end().await;
}

/// Organizations with alpha in a unit. The first page of its parents is empty, as AWS allows; `more`: another page
/// follows.
async fn organization_of_pages(more: bool) -> Endpoint {
    let account = json!({ "Account": { "Id": ALPHA, "Name": "alpha", "Status": "ACTIVE",
        "Arn": format!("arn:aws:organizations::{HUB}:account/o-exampleorgid/{ALPHA}") } });
    let pages = Arc::new(Mutex::new(vec![
        json!({ "Parents": [{ "Id": "r-ab12", "Type": "ROOT" }] }),
        json!({ "Parents": [{ "Id": "ou-ab12-excluded", "Type": "ORGANIZATIONAL_UNIT" }] }),
        json!({ "Parents": [], "NextToken": "more" }),
    ]));
    Endpoint::start(move |asked| match asked.headers.get("x-amz-target").and_then(|it| it.rsplit('.').next()) {
        Some("DescribeAccount") => (200, account.to_string()),
        Some("ListParents") if more => (200, pages.lock().expect("no panic").pop().unwrap_or_default().to_string()),
        Some("ListParents") => (200, json!({ "Parents": [] }).to_string()),
        other => panic!("{other:?} is not asked"),
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_is_excluded_whatever_page_names_it() {
    for (more, words) in
        [(true, "unknown account: "), (false, "refused: cannot list the parents of 222222222222: they end")]
    {
        let organizations = organization_of_pages(more).await;
        let mut world = World::new().await;
        world.hub_keys();
        let env = [("AWS_PROFILE", "hub".to_owned()), ("AWS_ENDPOINT_URL_ORGANIZATIONS", organizations.url.clone())];
        let arguments = ["--accounts", "organization", "--exclude", "ou-ab12-excluded"];
        world.broker(&arguments, &env).await.expect("it starts");
        let refused = world.lease(ALPHA, "iam", &["iam:ListUsers"]).await.expect_err("it is excluded");
        assert!(refused.to_string().starts_with(words), "{refused}");
        world.end().await;
    }
}
