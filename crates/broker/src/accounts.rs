//! Discovers the accounts and checks that each can be entered. Every route is tried once, so that a role that cannot be
//! assumed is known before any work is published.

use crate::{
    arn::RoleArn,
    attribution::Purpose,
    aws::{self, Aws},
    by_profile,
    config::{RoleName, Scope},
    organization, own_identity, policy,
    refusal::{Kind, Refusal},
    route::{Role, Route, Source},
};
use events::{Account, AccountsAnswer, SkippedAccount, UnreachableAccount};
use futures::{StreamExt, stream};

/// Number of routes tried at the same time.
const AT_ONCE: usize = 16;

/// Result of the discovery.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    /// Accounts that can be entered.
    pub accounts: Vec<Found>,
    /// Accounts or profiles that cannot be entered.
    pub unreachable: Vec<Unreachable>,
    /// Accounts that are left out because they are not active.
    pub skipped: Vec<SkippedAccount>,
}

/// An account and the route into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Description for the scheduler.
    pub account: FoundAccount,
    /// Route for leases.
    pub route: Route,
}

/// Description of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundAccount {
    /// Account id: 12 digits.
    pub id: String,
    /// Name of the profile, or of the account in the organization.
    pub name: String,
    /// Partition: `aws`, `aws-cn`, `aws-us-gov` …
    pub partition: String,
    /// Region of global services and of region discovery.
    pub home_region: String,
}

/// An account or a profile that cannot be entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreachable {
    /// Account id, or empty if unknown.
    pub id: String,
    /// Name of the profile, or of the account in the organization.
    pub name: String,
    /// Reason.
    pub refusal: Refusal,
}

impl Discovery {
    /// Returns the route into an account.
    ///
    /// # Errors
    /// Fails if the account was not found, or cannot be entered.
    pub fn way_into(&self, account_id: &str) -> Result<Route, Refusal> {
        if let Some(found) = self.accounts.iter().find(|found| found.account.id == account_id) {
            return Ok(found.route.clone());
        }
        let lost = self.unreachable.iter().find(|it| it.id == account_id).map(|it| it.refusal.clone());
        Err(lost.unwrap_or_else(|| unknown(account_id)))
    }

    /// Converts the result to the broker's answer.
    pub fn answer(&self) -> AccountsAnswer {
        let account = |found: &Found| {
            let FoundAccount { id, name, partition, home_region } = found.account.clone();
            Account { id, name, partition, home_region }
        };
        let unreachable = |it: &Unreachable| UnreachableAccount {
            id: it.id.clone(),
            name: it.name.clone(),
            failure: Some(it.refusal.failure()),
        };
        AccountsAnswer {
            accounts: self.accounts.iter().map(account).collect(),
            unreachable: self.unreachable.iter().map(unreachable).collect(),
            failure: None,
            skipped_total: u32::try_from(self.skipped.len()).unwrap_or(u32::MAX),
            skipped: self.skipped.clone(),
        }
    }
}

/// Discovers the accounts of a scope and tries the route into each.
///
/// # Errors
/// Fails if no account is known: for example, the caller has no credentials, or the organization cannot be listed.
pub async fn discover(aws: &Aws, scope: &Scope) -> Result<Discovery, Refusal> {
    match scope {
        Scope::Current { profile, role } => current(aws, profile.as_deref(), role.as_ref()).await,
        Scope::Profiles { named } => by_profile::discover(aws, named).await,
        Scope::Organization(wanted) => organization::discover(aws, wanted).await,
    }
}

/// Finds the route into one account of a scope, without discovering the others. Returns `None` if that needs a
/// permission that the caller lacks.
///
/// # Errors
/// Fails if the account is not in the scope, or cannot be entered.
pub async fn find(aws: &Aws, scope: &Scope, account_id: &str) -> Result<Option<Route>, Refusal> {
    match scope {
        Scope::Organization(wanted) => organization::find(aws, wanted, account_id).await,
        Scope::Profiles { named } => by_profile::find(aws, named, account_id).await.map(Some),
        Scope::Current { .. } => discover(aws, scope).await?.way_into(account_id).map(Some),
    }
}

/// Refusal for an account outside the scope.
pub fn unknown(account_id: &str) -> Refusal {
    let sentence = format!("account {account_id} is not one of the accounts that this broker surveys");
    Refusal::new(Kind::UnknownAccount, sentence)
}

async fn current(aws: &Aws, profile: Option<&str>, role: Option<&RoleName>) -> Result<Discovery, Refusal> {
    let mut route = aws.plan(|planner| planner.caller(profile)).map_err(|error| Refusal::of_plan(&error))?;
    if let Some(role) = role {
        let hub = aws.before(route.profile.as_deref(), &route.source, &route.roles).await?;
        let caller = aws.identity(route.profile.as_deref(), hub).await?;
        let role = in_account(aws, role, &route, &caller.partition, &caller.account_id);
        route = route.then(role);
    }
    // Cartography too names the caller's account after the profile in use.
    let name = profile.or_else(|| aws.environment().profile()).unwrap_or("default").to_owned();
    Ok(Discovery { accounts: vec![try_leasable(aws, name, route).await?], ..Discovery::default() })
}

/// The role of this name in an account, as seen by the caller of a route.
pub fn in_account(aws: &Aws, role: &RoleName, caller: &Route, partition: &str, account_id: &str) -> Role {
    let arn = RoleArn { partition: partition.into(), account_id: account_id.into(), name: role.name.clone() };
    Role {
        region: aws.home_region(caller.profile.as_deref(), partition),
        external_id: role.external_id.clone(),
        session_name: None,
        duration_seconds: None,
        arn,
    }
}

/// Checks a route: assumes its roles with an empty policy, or calls `GetCallerIdentity` if there are none.
///
/// # Errors
/// Fails if the route cannot be entered.
pub async fn try_way(aws: &Aws, name: String, route: Route) -> Result<Found, Refusal> {
    let profile = route.profile.as_deref();
    aws.client_settings(profile, "sts").map_err(|error| Refusal::configuration(&error))?;
    let (purpose, policy) = (Purpose::discovery(), policy::of_nothing());
    let enter = || aws.enter(&route, &purpose, &policy, Some(aws::SHORTEST));
    let role = match (route.roles.last(), &route.source) {
        (Some(role), _) => Some(&role.arn),
        (None, Source::WebIdentity(identity)) => Some(&identity.role),
        (None, _) => None,
    };
    let (id, partition) = if let Some(arn) = role {
        enter().await?;
        (arn.account_id.clone(), arn.partition.clone())
    } else {
        // Cached credentials are not checked before they are used.
        let ask = || async { aws.identity(profile, enter().await?).await };
        let identity = aws.renewing(Some(&route.source), ask).await?;
        (identity.account_id, identity.partition)
    };
    let home_region = aws.home_region(profile, &partition);
    Ok(Found { account: FoundAccount { id, name, partition, home_region }, route })
}

/// Checks a route, and whether its sessions may be leased.
///
/// # Errors
/// Same as [`try_way`] and [`own_identity::check`].
pub async fn try_leasable(aws: &Aws, name: String, route: Route) -> Result<Found, Refusal> {
    let found = try_way(aws, name, route).await?;
    own_identity::check(aws, &found).await?;
    Ok(found)
}

/// Runs futures with limited concurrency. Returns their results in the given order.
pub async fn try_all<T, F: Future<Output = T>>(ways: impl IntoIterator<Item = F>) -> Vec<T> {
    stream::iter(ways).buffered(AT_ONCE).collect().await
}
