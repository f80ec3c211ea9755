//! Walks an organization level by level. Reads the content of a few roots and units at the same time, and emits it in
//! the order in which AWS lists the parents.

use crate::{
    account::{ACCOUNT, Member, ROOT_PRINCIPAL},
    inside::{Inside, scoped},
    organizational_unit::{UNIT, UnitItem},
    root::{ROOT, RootItem},
};
use aws_sdk_organizations::{
    Client,
    types::{Account, OrganizationalUnit, Root},
};
use collector::{CollectError, Sink, paged, unless_gone};
use events::FailureClass;
use futures::{StreamExt, TryStreamExt, stream};

/// Largest page of Organizations' lists.
pub(crate) const PAGE: i32 = 20;
/// Number of roots and units whose content is listed at the same time.
const AT_ONCE: usize = 4;
/// Attempts to read the tree while units are deleted.
const WALKS: u32 = 3;

/// A unit with the node id of its parent unit.
type Found = (OrganizationalUnit, Option<String>);

/// Emits a root and everything below it once all of it is read. A unit can only be deleted when it is empty. If one is
/// deleted during the walk, its accounts may have moved to a parent that was already read, so the walk restarts.
///
/// # Errors
/// Fails if a call fails, AWS omits the state of an account, or units are deleted during every walk.
pub(crate) async fn walk(
    organizations: &Client,
    organization: &str,
    root: Root,
    sink: &mut Sink,
) -> Result<(), CollectError> {
    for _ in 0..WALKS {
        if let Some(tree) = read(organizations, organization, root.clone()).await? {
            return tree.emit(sink).await;
        }
    }
    let message = format!("organizational units were deleted during each of {WALKS} walks: accounts may be missing");
    Err(CollectError::new(FailureClass::Service, message))
}

/// A root and everything below it: at most a few thousand units and accounts ("Quotas for AWS Organizations").
struct Tree {
    root: RootItem,
    units: Vec<UnitItem>,
    members: Vec<Member>,
}

impl Tree {
    async fn emit(self, sink: &mut Sink) -> Result<(), CollectError> {
        sink.emit_all(&ACCOUNT, &self.members).await?;
        for member in &self.members {
            if member.is_active() {
                sink.emit(&ROOT_PRINCIPAL, member).await?;
            }
        }
        sink.emit(&ROOT, &self.root).await?;
        sink.emit_all(&UNIT, &self.units).await
    }
}

/// Reads a tree. Returns `None` if a unit was deleted meanwhile.
async fn read(organizations: &Client, organization: &str, root: Root) -> Result<Option<Tree>, CollectError> {
    let root_id = scoped(organization, root.id().unwrap_or_default());
    let Some((units, accounts)) = content(organizations, root.id().unwrap_or_default()).await? else {
        return Ok(None);
    };
    let mut members = Vec::new();
    let (inside, mut level) = received(organization, None, units, accounts, &mut members)?;
    let root = RootItem { organization: organization.to_owned(), root, inside };
    let mut all_units = Vec::new();
    while !level.is_empty() {
        let mut below = Vec::new();
        let contents = level.into_iter().map(|found| with_content(organizations, found)).collect::<Vec<_>>();
        let mut contents = stream::iter(contents).buffered(AT_ONCE);
        while let Some(read) = contents.try_next().await? {
            let Some(((unit, parent_unit), units, accounts)) = read else { return Ok(None) };
            let id = scoped(organization, unit.id().unwrap_or_default());
            let (inside, found) = received(organization, Some(&id), units, accounts, &mut members)?;
            below.extend(found);
            let (organization, root) = (organization.to_owned(), root_id.clone());
            all_units.push(UnitItem { organization, root, parent_unit, unit, inside });
        }
        level = below;
    }
    Ok(Some(Tree { root, units: all_units, members }))
}

/// Adds the accounts of a root or unit. Returns its direct content, and the units of the next level.
fn received(
    organization: &str,
    unit: Option<&str>,
    units: Vec<OrganizationalUnit>,
    accounts: Vec<Account>,
    members: &mut Vec<Member>,
) -> Result<(Inside, Vec<Found>), CollectError> {
    let mut inside = Inside::default();
    for account in accounts {
        let member = Member { organization: organization.to_owned(), account };
        if member.state().is_none() {
            return Err(stateless(member.id()));
        }
        if member.is_active() {
            inside.accounts.push(member.id().to_owned());
        }
        members.push(member);
    }
    inside.units = units.iter().map(|unit| scoped(organization, unit.id().unwrap_or_default())).collect();
    Ok((inside, units.into_iter().map(|found| (found, unit.map(str::to_owned))).collect()))
}

/// An account without a state must not count as inactive, or it would be removed from the tree.
fn stateless(account: &str) -> CollectError {
    let message = format!("AWS returned no state for account {account}");
    CollectError::new(FailureClass::Service, message)
}

/// A unit with its direct content.
type Content = (Found, Vec<OrganizationalUnit>, Vec<Account>);

/// Returns `None` if the unit was deleted after it was listed.
async fn with_content(organizations: &Client, found: Found) -> Result<Option<Content>, CollectError> {
    let content = content(organizations, found.0.id().unwrap_or_default()).await;
    Ok(content?.map(|(units, accounts)| (found, units, accounts)))
}

/// Lists the units and accounts directly in a root or unit; `None` if it no longer exists.
async fn content(
    organizations: &Client,
    parent: &str,
) -> Result<Option<(Vec<OrganizationalUnit>, Vec<Account>)>, CollectError> {
    let (units, accounts) = futures::try_join!(units(organizations, parent), accounts(organizations, parent))?;
    Ok(units.zip(accounts))
}

async fn units(organizations: &Client, parent: &str) -> Result<Option<Vec<OrganizationalUnit>>, CollectError> {
    let call = organizations.list_organizational_units_for_parent().parent_id(parent).max_results(PAGE);
    let (mut pages, mut units) = (paged!(call, next_token), Vec::new());
    while let Some(page) = pages.next().await {
        let Some(page) = unless_gone(page)? else { return Ok(None) };
        units.extend(page.organizational_units.into_iter().flatten());
    }
    Ok(Some(units))
}

async fn accounts(organizations: &Client, parent: &str) -> Result<Option<Vec<Account>>, CollectError> {
    let call = organizations.list_accounts_for_parent().parent_id(parent).max_results(PAGE);
    let (mut pages, mut accounts) = (paged!(call, next_token), Vec::new());
    while let Some(page) = pages.next().await {
        let Some(page) = unless_gone(page)? else { return Ok(None) };
        accounts.extend(page.accounts.into_iter().flatten());
    }
    Ok(Some(accounts))
}

#[cfg(test)]
mod tests {
    use crate::canned::{self, Answer, Canned, HERE, listed};
    use serde_json::{Value, json};
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

    fn account(number: usize, state: &str) -> Value {
        json!({"Id": format!("{number:012}"), "Name": format!("account {number}"), "State": state})
    }

    fn unit(name: &str) -> Value {
        json!({"Id": format!("ou-{name}"), "Name": name})
    }

    /// A root with a unit in a unit; 23 units and 22 accounts in the outer one, on two pages each.
    fn tree(call: &str, request: &Value) -> Answer {
        let parent = request["ParentId"].as_str().unwrap_or_default();
        let second = !request["NextToken"].is_null();
        let (key, items): (&str, Vec<Value>) = match (call, parent) {
            ("DescribeOrganization", _) => return canned::organization(HERE),
            ("ListRoots", _) => ("Roots", vec![json!({"Id": "r-1", "Name": "Root"})]),
            ("ListOrganizationalUnitsForParent", "r-1") => ("OrganizationalUnits", vec![unit("outer")]),
            ("ListOrganizationalUnitsForParent", "ou-outer") => {
                ("OrganizationalUnits", (0..23).map(|number| unit(&format!("{number:02}"))).collect())
            }
            ("ListAccountsForParent", "r-1") => ("Accounts", vec![account(1, "ACTIVE")]),
            ("ListAccountsForParent", "ou-outer") => (
                "Accounts",
                (10..32).map(|number| account(number, if number == 31 { "CLOSED" } else { "ACTIVE" })).collect(),
            ),
            ("ListOrganizationalUnitsForParent", _) => ("OrganizationalUnits", vec![]),
            _ => ("Accounts", vec![]),
        };
        let (first, rest) = items.split_at(items.len().min(20));
        match (second, rest.is_empty()) {
            (true, _) => Answer::Of(json!({key: rest})),
            (false, true) => Answer::Of(json!({key: first})),
            (false, false) => Answer::Of(json!({key: first, "NextToken": "second"})),
        }
    }

    #[tokio::test]
    async fn the_whole_tree_to_the_last_page() {
        let server = Canned::new(tree);
        let text = listed(&server).await.expect("a tree");
        let count = |what: &str| text.matches(what).count();
        assert_eq!(count("\n(:AWSAccount:Tenant {"), 23);
        assert_eq!(count("\n(:AWSRootPrincipal:AWSPrincipal {"), 22, "the closed account has no root principal");
        assert_eq!(count("\n(:AWSOrganizationalUnit {id: \"o-1/ou-outer\"})-[:RESOURCE]->(:AWSAccount {"), 21);
        assert_eq!(
            count("\n(:AWSOrganizationalUnit {id: \"o-1/ou-outer\"})-[:RESOURCE]->(:AWSOrganizationalUnit {"),
            23
        );
        assert_eq!(count("-[:PARENT]->(:AWSOrganizationalUnit {id: \"o-1/ou-outer\"})"), 23);
        assert_eq!(count("\n  parent_ou_id = \"o-1/ou-outer\""), 23);
        assert_eq!(count("\n  parent_root_id = \"o-1/r-1\""), 1);
        assert_eq!(count("\n  root_id (indexed) = \"o-1/r-1\""), 24, "the root is above all of them");
    }

    #[tokio::test]
    async fn each_page_is_asked_for_once_and_as_large_as_it_may_be() {
        let server = Canned::new(tree);
        listed(&server).await.expect("a tree");
        let calls = server.calls();
        // Calls: the organization, the roots, 25 parents with two lists each, and two second pages.
        assert_eq!(calls.len(), 1 + 1 + 25 * 2 + 2);
        let lists = calls.iter().filter(|(call, _)| call != "DescribeOrganization");
        assert!(lists.clone().all(|(_, request)| request["MaxResults"] == 20), "{calls:?}");
    }

    #[tokio::test]
    async fn the_order_is_always_the_same() {
        let (first, second) = (listed(&Canned::new(tree)).await, listed(&Canned::new(tree)).await);
        assert_eq!(first, second);
    }

    #[tokio::test]
    async fn a_failure_below_is_the_listings_failure() {
        let server = Canned::new(|call, request| match (call, request["ParentId"].as_str()) {
            ("ListAccountsForParent", Some("ou-07")) => Answer::Refused("AccessDeniedException", "not here"),
            _ => tree(call, request),
        });
        assert_eq!(listed(&server).await.expect_err("a failure").message, "AccessDeniedException: not here");
    }

    #[tokio::test]
    async fn a_unit_that_is_deleted_during_the_walk_is_left_out_and_the_tree_read_again() {
        let gone = || Answer::Refused("ParentNotFoundException", "You specified a parent that does not exist.");
        let deleted = AtomicBool::new(false);
        let server = Canned::new(move |call, request| match (call, request["ParentId"].as_str()) {
            ("ListAccountsForParent", Some("ou-07")) => {
                deleted.store(true, SeqCst);
                gone()
            }
            ("ListOrganizationalUnitsForParent", Some("ou-outer")) if deleted.load(SeqCst) => {
                Answer::Of(json!({"OrganizationalUnits": [unit("00"), unit("01")]}))
            }
            ("ListAccountsForParent", Some("r-1")) if deleted.load(SeqCst) => {
                Answer::Of(json!({"Accounts": [account(1, "ACTIVE"), account(77, "ACTIVE")]}))
            }
            _ => tree(call, request),
        });
        let text = listed(&server).await.expect("a tree");
        assert!(text.contains("\n(:AWSAccount:Tenant {id: \"000000000077\"})\n"), "it moved to the root: {text}");
        assert!(!text.contains("o-1/ou-07"), "nothing of the first walk is left: {text}");

        let server = Canned::new(move |call, request| match (call, request["ParentId"].as_str()) {
            ("ListAccountsForParent", Some("ou-07")) => gone(),
            _ => tree(call, request),
        });
        let error = listed(&server).await.expect_err("it is deleted during every walk");
        assert!(error.message.starts_with("organizational units were deleted during each of 3 walks"), "{error}");
    }

    #[tokio::test]
    async fn an_account_without_a_state_is_a_failure() {
        let server = Canned::new(|call, request| match call {
            "ListAccountsForParent" => Answer::Of(json!({"Accounts": [{"Id": "000000000001"}]})),
            _ => tree(call, request),
        });
        let error = listed(&server).await.expect_err("a failure");
        assert_eq!(error.message, "AWS returned no state for account 000000000001");
    }
}
