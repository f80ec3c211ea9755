//! Which accounts there are and whether they can be entered. Every way is tried once, so that a role that may not be
//! assumed is known before any work is handed out.

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

/// Ways that are tried at the same time.
const AT_ONCE: usize = 16;

/// Everything that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    /// Can be entered.
    pub accounts: Vec<Found>,
    /// Cannot.
    pub unreachable: Vec<Unreachable>,
    /// Are not to be entered.
    pub skipped: Vec<SkippedAccount>,
}

/// An account and the way into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// For the scheduler.
    pub account: FoundAccount,
    /// For leases.
    pub route: Route,
}

/// What is known of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundAccount {
    /// 12 digits.
    pub id: String,
    /// Profile, or name in the organization.
    pub name: String,
    /// `aws`, `aws-cn`, `aws-us-gov` …
    pub partition: String,
    /// Region of global services' clients and of region discovery.
    pub home_region: String,
}

/// An account, or a profile, that cannot be entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreachable {
    /// 12 digits, or empty.
    pub id: String,
    /// Profile, or name in the organization.
    pub name: String,
    /// Why.
    pub refusal: Refusal,
}

impl Discovery {
    /// The way into an account.
    ///
    /// # Errors
    /// When it is not among them, or cannot be entered.
    pub fn way_into(&self, account_id: &str) -> Result<Route, Refusal> {
        if let Some(found) = self.accounts.iter().find(|found| found.account.id == account_id) {
            return Ok(found.route.clone());
        }
        let lost = self.unreachable.iter().find(|it| it.id == account_id).map(|it| it.refusal.clone());
        Err(lost.unwrap_or_else(|| unknown(account_id)))
    }

    /// What the bus carries.
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

/// Finds the accounts of a scope and tries the way into each.
///
/// # Errors
/// When not even one account is known: the caller has no credentials, the organization cannot be listed.
pub async fn discover(aws: &Aws, scope: &Scope) -> Result<Discovery, Refusal> {
    match scope {
        Scope::Current { profile, role } => current(aws, profile.as_deref(), role.as_ref()).await,
        Scope::Profiles { named } => by_profile::discover(aws, named).await,
        Scope::Organization(wanted) => organization::discover(aws, wanted).await,
    }
}

/// The way into one account of a scope, without looking for the others. `None`: that needs a permission that the caller
/// lacks.
///
/// # Errors
/// When it is none of them, or cannot be entered.
pub async fn find(aws: &Aws, scope: &Scope, account_id: &str) -> Result<Option<Route>, Refusal> {
    match scope {
        Scope::Organization(wanted) => organization::find(aws, wanted, account_id).await,
        Scope::Profiles { named } => by_profile::find(aws, named, account_id).await.map(Some),
        Scope::Current { .. } => discover(aws, scope).await?.way_into(account_id).map(Some),
    }
}

/// The refusal of an account that is not to be surveyed.
pub fn unknown(account_id: &str) -> Refusal {
    let sentence = format!("account {account_id} is not among those that this broker was told to survey");
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
    // Cartography, too, names the account of the caller after the profile in use.
    let name = profile.or_else(|| aws.environment().profile()).unwrap_or("default").to_owned();
    Ok(Discovery { accounts: vec![try_leasable(aws, name, route).await?], ..Discovery::default() })
}

/// The role of this name in an account, asked for as a route's caller.
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

/// Goes a way with a session that may do nothing, or asks whose the credentials are where no role is assumed.
///
/// # Errors
/// Why it cannot be gone.
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
        // Credentials that were kept are not tried before they are used.
        let ask = || async { aws.identity(profile, enter().await?).await };
        let identity = aws.renewing(Some(&route.source), ask).await?;
        (identity.account_id, identity.partition)
    };
    let home_region = aws.home_region(profile, &partition);
    Ok(Found { account: FoundAccount { id, name, partition, home_region }, route })
}

/// Goes a way, and checks that its sessions may be leased.
///
/// # Errors
/// As [`try_way`] and [`own_identity::check`].
pub async fn try_leasable(aws: &Aws, name: String, route: Route) -> Result<Found, Refusal> {
    let found = try_way(aws, name, route).await?;
    own_identity::check(aws, &found).await?;
    Ok(found)
}

/// Tries many ways, some at a time, and keeps their order.
pub async fn try_all<T, F: Future<Output = T>>(ways: impl IntoIterator<Item = F>) -> Vec<T> {
    stream::iter(ways).buffered(AT_ONCE).collect().await
}
