//! Accounts of the caller's organization, entered through a role of the same name in each.

use crate::{
    arn::{is_account_id, partition_and_account},
    aws::{Aws, Identity},
    config::Organization,
    discovery::{self, Discovery, Found, Unreachable},
    refusal::{Kind, Refusal},
    route::Route,
    settings::Settings,
    ways,
};
use aws_sdk_organizations::{
    Client,
    operation::describe_account::DescribeAccountError,
    types::{Account, AccountState, AccountStatus},
};
use events::SkippedAccount;
use futures::{StreamExt, TryStreamExt, stream};
use paging::paged;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Number of units whose children are listed at the same time. Organizations publishes no quota, so the limit is low.
const UNITS_AT_ONCE: usize = 4;
/// Levels of units below a root ("Quotas for AWS Organizations").
const DEEPEST: usize = 5;

/// An account of the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    id: String,
    name: String,
    partition: String,
    /// State in lower-case words if the account is not active.
    inactive: Option<String>,
}

/// The caller, with a client for its organization.
struct Hub {
    caller: Route,
    identity: Identity,
    client: Client,
}

impl Hub {
    async fn of(aws: &Aws, wanted: &Organization) -> Result<Self, Refusal> {
        let named = wanted.profile.as_deref();
        let caller = aws.setup().plan(|planner| planner.caller(named)).map_err(|error| Refusal::of_plan(&error))?;
        let profile = caller.profile.as_deref();
        let session = aws.before(profile, &caller.source, &caller.roles).await?;
        let identity = aws.identity(profile, session.clone()).await?;
        let client = {
            let profiles = aws.setup().profiles();
            let settings = Settings::new(aws.setup().environment(), &profiles, profile);
            aws.setup().clients().organizations(settings, settings.region(&identity.partition), session)?
        };
        Ok(Self { caller, identity, client })
    }
}

/// Discovers the selected accounts and tries the route into each.
///
/// # Errors
/// Fails if the organization cannot be listed.
pub async fn discover(aws: &Aws, wanted: &Organization) -> Result<Discovery, Refusal> {
    let hub = Hub::of(aws, wanted).await?;
    let members = members(&hub.client).await?;
    let mut units = HashMap::new();
    for part in wanted.include.iter().chain(&wanted.exclude).filter(|part| !is_account_id(part)) {
        units.insert(part.clone(), accounts_below(&hub.client, part).await?);
    }
    let (members, unknown) = select(members, &units, &wanted.include, &wanted.exclude);
    let (active, inactive): (Vec<_>, Vec<_>) = members.into_iter().partition(|member| member.inactive.is_none());
    say_inactive(aws, &inactive);
    let ways = active.into_iter().map(|member| enter(aws, wanted, &hub, member));
    let skipped = inactive.into_iter().map(|Member { id, name, inactive, .. }| SkippedAccount {
        id,
        name,
        reason: inactive.unwrap_or_default(),
    });
    let mut discovery = Discovery { skipped: skipped.collect(), ..Discovery::default() };
    for tried in ways::try_all(ways).await {
        match tried {
            Ok(found) => discovery.accounts.push(found),
            Err(unreachable) => discovery.unreachable.push(unreachable),
        }
    }
    discovery.unreachable.extend(unknown.into_iter().map(|id| Unreachable {
        refusal: Refusal::new(Kind::UnknownAccount, format!("--include names {id}, which is not in the organization")),
        name: String::new(),
        id,
    }));
    Ok(discovery)
}

/// Finds the route into one account without listing the others, because an organization may have thousands. Returns
/// `None` if the caller may list accounts but not describe one, as hub roles of earlier versions.
///
/// # Errors
/// Fails if the account is not selected, or cannot be entered.
pub async fn find(aws: &Aws, wanted: &Organization, account_id: &str) -> Result<Option<Route>, Refusal> {
    let _turn = aws.organizations_turn().await;
    let hub = Hub::of(aws, wanted).await?;
    let is_wanted = match is_wanted(&hub.client, wanted, account_id).await {
        Err(refusal) if refusal.is_plain_denial() => return Ok(None),
        answer => answer?,
    };
    let Some(member) = is_wanted else { return Err(discovery::unknown(account_id)) };
    let found = enter(aws, wanted, &hub, member).await;
    found.map(|found| Some(found.route)).map_err(|unreachable| unreachable.refusal)
}

/// Returns the account with this id if it is active and selected.
async fn is_wanted(client: &Client, wanted: &Organization, account_id: &str) -> Result<Option<Member>, Refusal> {
    let asked = client.describe_account().account_id(account_id).send().await;
    let account = match asked {
        Err(error) if error.as_service_error().is_some_and(DescribeAccountError::is_account_not_found_exception) => {
            None
        }
        asked => {
            asked.map_err(|error| Refusal::of_call(&error, &format!("describe the account {account_id}")))?.account
        }
    };
    let Some(account) = account else { return Ok(None) };
    let mut parts = vec![account_id.to_owned()];
    if wanted.include.iter().chain(&wanted.exclude).any(|part| !is_account_id(part)) {
        parts.extend(parents(client, account_id).await?);
    }
    let is_in = |listed: &[String]| parts.iter().any(|part| listed.contains(part));
    let is_chosen = (wanted.include.is_empty() || is_in(&wanted.include)) && !is_in(&wanted.exclude);
    Ok(member(account).filter(|member| is_chosen && member.inactive.is_none()))
}

/// Lists the units and the root above an account, from the bottom up. Each of them may be excluded.
async fn parents(client: &Client, account_id: &str) -> Result<Vec<String>, Refusal> {
    let mut above: Vec<String> = Vec::new();
    let mut child = account_id.to_owned();
    while above.len() <= DEEPEST {
        let pages = paged!(client.list_parents().child_id(&child), next_token).all().await;
        let pages = pages.map_err(|error| Refusal::of_call(&error, &format!("list the parents of {child}")))?;
        let mut parents = pages.into_iter().flat_map(|page| page.parents.unwrap_or_default());
        let Some(id) = parents.find_map(|parent| parent.id) else { break };
        above.push(id.clone());
        if id.starts_with("r-") {
            return Ok(above);
        }
        child = id;
    }
    let sentence = format!("cannot list the parents of {account_id}: they end at {child}, which is not a root");
    Err(Refusal::new(Kind::Other, sentence))
}

/// Enters an account through the role. If the role is missing or denied in the caller's own account, enters that
/// account directly, because StackSets skip the management account.
async fn enter(
    aws: &Aws,
    wanted: &Organization,
    Hub { caller, identity, .. }: &Hub,
    member: Member,
) -> Result<Found, Unreachable> {
    let Member { id, name, partition, .. } = member;
    let role = ways::in_account(aws, &wanted.role, caller, &partition, &id);
    let arn = role.arn.to_string();
    let through_role = caller.clone().then(role);
    let refusal = match ways::try_way(aws, name.clone(), through_role).await {
        Ok(found) => return Ok(found),
        Err(refusal) if id == identity.account_id && refusal.is_plain_denial() => {
            match ways::try_leasable(aws, name.clone(), caller.clone()).await {
                Ok(found) => {
                    tracing::info!(account = id, %refusal, "entering the caller's own account without the role");
                    return Ok(found);
                }
                Err(own) if own.kind == Kind::OwnIdentity => own_account(&arn, &refusal, &own),
                Err(own) => own,
            }
        }
        Err(refusal) => refusal,
    };
    Err(Unreachable { id, name, refusal })
}

/// Explains that the caller's own session does not replace the role.
fn own_account(arn: &str, refusal: &Refusal, own: &Refusal) -> Refusal {
    let sentence = format!("{}. The role {arn} cannot be used: {}", own.sentence, refusal.sentence);
    Refusal::new(own.kind, sentence)
}

fn say_inactive(aws: &Aws, inactive: &[Member]) {
    for Member { id, name, inactive, .. } in inactive {
        let state = inactive.as_deref().unwrap_or_default();
        if aws.first_time(format!("{id} is {state}")) {
            tracing::warn!(account = id, name, state, "skipping an account that is not active");
        }
    }
}

async fn members(client: &Client) -> Result<Vec<Member>, Refusal> {
    let mut pages = paged!(client.list_accounts(), next_token);
    let mut members = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| Refusal::of_call(&error, "list the organization's accounts"))?;
        members.extend(page.accounts.unwrap_or_default().into_iter().filter_map(member));
    }
    Ok(members)
}

fn member(account: Account) -> Option<Member> {
    let arn = account.arn.as_deref().unwrap_or_default();
    let partition = partition_and_account(arn).map_or("aws", |(partition, _)| partition).to_owned();
    let inactive = inactive(&account);
    let id = account.id?;
    Some(Member {
        name: account.name.filter(|name| !name.is_empty()).unwrap_or_else(|| id.clone()),
        id,
        partition,
        inactive,
    })
}

/// State of an account that is not active, from the newer field if AWS fills it, else from the older one.
fn inactive(account: &Account) -> Option<String> {
    let words = |text: &str| text.to_ascii_lowercase().replace('_', " ");
    match (&account.state, &account.status) {
        (Some(AccountState::Active), _) | (None, Some(AccountStatus::Active) | None) => None,
        (Some(state), _) => Some(words(state.as_str())),
        (None, Some(status)) => Some(words(status.as_str())),
    }
}

/// Lists the accounts in a unit or a root, and in all units below it.
async fn accounts_below(client: &Client, parent: &str) -> Result<HashSet<String>, Refusal> {
    let mut accounts = HashSet::new();
    let mut level = vec![parent.to_owned()];
    while !level.is_empty() {
        let listed: Vec<(Vec<String>, Vec<String>)> = stream::iter(std::mem::take(&mut level))
            .map(|unit| children(client, unit))
            .buffer_unordered(UNITS_AT_ONCE)
            .try_collect()
            .await?;
        for (of_unit, units) in listed {
            accounts.extend(of_unit);
            level.extend(units);
        }
    }
    Ok(accounts)
}

async fn children(client: &Client, parent: String) -> Result<(Vec<String>, Vec<String>), Refusal> {
    let mut accounts = Vec::new();
    let mut pages = paged!(client.list_accounts_for_parent().parent_id(&parent), next_token);
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| Refusal::of_call(&error, &format!("list the accounts of {parent}")))?;
        accounts.extend(page.accounts.unwrap_or_default().into_iter().filter_map(|account| account.id));
    }
    let mut units = Vec::new();
    let mut pages = paged!(client.list_organizational_units_for_parent().parent_id(&parent), next_token);
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| Refusal::of_call(&error, &format!("list the units of {parent}")))?;
        units.extend(page.organizational_units.unwrap_or_default().into_iter().filter_map(|unit| unit.id));
    }
    Ok((accounts, units))
}

/// Splits off the members that are included and not excluded. Also returns included account ids that are not in the
/// organization.
fn select(
    members: Vec<Member>,
    units: &HashMap<String, HashSet<String>>,
    include: &[String],
    exclude: &[String],
) -> (Vec<Member>, Vec<String>) {
    let in_parts = |parts: &[String], id: &str| {
        parts.iter().any(|part| part == id || units.get(part).is_some_and(|accounts| accounts.contains(id)))
    };
    let members: BTreeMap<String, Member> = members.into_iter().map(|member| (member.id.clone(), member)).collect();
    let unknown = include.iter().filter(|part| is_account_id(part) && !members.contains_key(*part)).cloned().collect();
    let chosen = |id: &str| (include.is_empty() || in_parts(include, id)) && !in_parts(exclude, id);
    (members.into_values().filter(|member| chosen(&member.id)).collect(), unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(include: &[&str], exclude: &[&str], expected: &str) {
        let members = ["1", "2", "3"].map(|n| Member {
            id: n.repeat(12),
            name: format!("m{n}"),
            partition: "aws".into(),
            inactive: None,
        });
        let below = |ids: &[&str]| ids.iter().map(|n| n.repeat(12)).collect();
        let units = [("r-ab12".to_owned(), below(&["1", "2", "3"])), ("ou-a".to_owned(), below(&["2"]))].into();
        let owned = |parts: &[&str]| {
            let id = |part: &&str| if part.len() == 1 { part.repeat(12) } else { (*part).to_owned() };
            parts.iter().map(id).collect::<Vec<_>>()
        };
        let (members, unknown) = select(members.into(), &units, &owned(include), &owned(exclude));
        let names: Vec<_> = members.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(format!("{} {}", names.join(","), unknown.join(",")), expected);
    }

    #[test]
    fn parts_of_an_organization() {
        check(&[], &[], "m1,m2,m3 ");
        check(&["ou-a", "3"], &[], "m2,m3 ");
        check(&["r-ab12"], &["ou-a"], "m1,m3 ");
        check(&[], &["1"], "m2,m3 ");
        check(&["1", "9"], &[], "m1 999999999999");
        check(&["ou-empty"], &[], " ");
    }

    #[test]
    fn only_active_accounts_are_active() {
        let account = |state, status| {
            let (state, status): (Option<AccountState>, Option<AccountStatus>) = (state, status);
            inactive(&Account::builder().set_state(state).set_status(status).build())
        };
        assert_eq!(account(None, Some(AccountStatus::Active)), None);
        assert_eq!(account(Some(AccountState::Active), Some(AccountStatus::Active)), None);
        assert_eq!(account(None, Some(AccountStatus::Suspended)).as_deref(), Some("suspended"));
        assert_eq!(account(Some(AccountState::PendingClosure), None).as_deref(), Some("pending closure"));
    }
}
