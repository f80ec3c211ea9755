//! The organization's tree in the graph, and how it follows the organization.

use crate::world::World;
use serde_json::{Value, json};
use testkit::Size;

/// `account name: unit, unit, …` from the account up to the root.
const PLACES: &str = "
    MATCH way = (account:AWSAccount)-[:PARENT*1..9]->(:AWSOrganizationRoot)-[:PARENT]->(:AWSOrganization)
    WHERE all(step IN nodes(way)[1..-2] WHERE step:AWSOrganizationalUnit)
    RETURN account.email + ': ' + reduce(text = '', step IN nodes(way)[1..-2] | text + step.name + ' ') AS n";

/// Name and e-mail address of the accounts that are surveyed.
const SAID: &str = "
    MATCH (account:AWSAccount {inscope: true}) RETURN account.name + ': ' + coalesce(account.email, 'not said') AS n";

async fn organizations(world: &World, operation: &str, parameters: Value) -> Value {
    let answer = world.aws.call(world.account("hub"), "us-east-1", "organizations", operation, parameters).await;
    answer.unwrap_or_else(|error| panic!("{operation}: {error:#}"))
}

#[tokio::test]
async fn the_tree_is_the_organizations_and_follows_it() {
    let world = World::of(Size::Small).await;
    world.sync_completely().await;
    let at_first = ["alpha@example.com: Workloads ", "beta@example.com: Data Workloads ", "master@example.com: "];
    assert_eq!(world.texts(PLACES).await, at_first);
    let downwards = "MATCH (:AWSOrganizationRoot)-[:RESOURCE]->(u:AWSOrganizationalUnit) RETURN u.name AS n";
    assert_eq!(world.texts(downwards).await, ["Data", "Workloads"], "the root holds units at any depth");
    let states = "MATCH (a:AWSAccount) WHERE a.org_id IS NOT NULL RETURN a.id + ' ' + a.state AS n";
    assert!(world.texts(states).await.iter().all(|state| state.ends_with(" ACTIVE")));

    change(&world).await;
    world.sync_completely().await;
    assert_eq!(world.texts(PLACES).await, ["alpha@example.com: ", "master@example.com: "]);
    assert_eq!(world.texts(downwards).await, ["Workloads"]);
    let beta = format!("{} SUSPENDED", world.account("beta"));
    assert!(world.texts(states).await.contains(&beta), "an account that is closed stays a member");
    let members = "MATCH (:AWSOrganization)-[:_module_MEMBER]->(a:AWSAccount) RETURN a.email AS n";
    assert_eq!(world.texts(members).await, ["alpha@example.com", "beta@example.com", "master@example.com"]);
}

/// Moves alpha to the root, closes beta and deletes the unit that it was in.
async fn change(world: &World) {
    let roots = organizations(world, "list_roots", json!({})).await;
    let root = &roots["Roots"][0]["Id"];
    let of = async |account: &str| {
        let parents = organizations(world, "list_parents", json!({"ChildId": account})).await;
        parents["Parents"][0]["Id"].clone()
    };
    let (alpha, beta) = (world.account("alpha"), world.account("beta"));
    let (workloads, data) = (of(alpha).await, of(beta).await);
    for (account, from, to) in [(alpha, &workloads, root), (beta, &data, &workloads)] {
        let parameters = json!({"AccountId": account, "SourceParentId": from, "DestinationParentId": to});
        organizations(world, "move_account", parameters).await;
    }
    organizations(world, "delete_organizational_unit", json!({"OrganizationalUnitId": data})).await;
    organizations(world, "close_account", json!({"AccountId": beta})).await;
}

#[tokio::test]
async fn what_the_organization_refuses_keeps_the_tree() {
    let world = World::of(Size::Small).await;
    world.sync_completely().await;
    let before = world.texts(PLACES).await;
    let rule = json!([{"account": world.account("hub"), "service": "organizations", "action": "ListAccountsForParent",
                       "status": 400, "code": "AccessDeniedException", "message": "User: x is not authorized"}]);
    world.aws.fault(rule).await.expect("moto takes the rule");
    let ran = world.sync(&[]).await;
    assert_eq!(ran.status, 3, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("DescribeOrganization"), "{}", ran.stderr);
    assert_eq!(world.texts(PLACES).await, before);
}

#[tokio::test]
async fn an_account_bears_the_organizations_word_for_as_long_as_it_is_a_member() {
    let world = World::of(Size::Small).await;
    world.sync_completely().await;
    let names = ["alpha: alpha@example.com", "beta: beta@example.com", "master: master@example.com"];
    assert_eq!(world.texts(SAID).await, names, "the hub's profile has another name");

    organizations(&world, "close_account", json!({"AccountId": world.account("beta")})).await;
    organizations(&world, "remove_account_from_organization", json!({"AccountId": world.account("alpha")})).await;
    world.sync_completely().await;
    assert_eq!(
        world.texts(SAID).await,
        ["alpha: not said", names[1], names[2]],
        "the closed account is still a member"
    );
}
