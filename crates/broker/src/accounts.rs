//! Which accounts there are and whether they can be entered. Every way is tried once, so that a role that may not be
//! assumed is known before any work is handed out.

use crate::{
    arn::RoleArn,
    attribution::Purpose,
    aws::{self, Aws},
    config::{RoleName, Scope},
    organization, own_identity,
    plan::PlanError,
    policy,
    refusal::{Kind, Refusal},
    route::{Role, Route, Source},
};
use events::{Account, AccountsAnswer, UnreachableAccount};
use futures::{StreamExt, stream};
use std::collections::HashSet;

/// Ways that are tried at the same time.
const AT_ONCE: usize = 16;

/// Everything that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    /// Can be entered.
    pub accounts: Vec<Found>,
    /// Cannot.
    pub unreachable: Vec<Unreachable>,
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
        Scope::Profiles { named } => profiles(aws, named).await,
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
        Scope::Profiles { named } => by_profile(aws, named, account_id).await.map(Some),
        Scope::Current { .. } => discover(aws, scope).await?.way_into(account_id).map(Some),
    }
}

/// The refusal of an account that is not to be surveyed.
pub fn unknown(account_id: &str) -> Refusal {
    let sentence = format!("account {account_id} is not among those that this broker was told to survey");
    Refusal::new(Kind::UnknownAccount, sentence)
}

/// The first way that can be gone among the profiles that lead into the account: those whose role names it, then those
/// without a role. As in [`discover`], but without trying those of other accounts.
async fn by_profile(aws: &Aws, named: &[String], account_id: &str) -> Result<Route, Refusal> {
    let planned = aws.plan(|planner| planner.all(named)).map_err(|error| Refusal::configuration(&error))?;
    let (mut naming, mut others) = (Vec::new(), Vec::new());
    for (name, planned) in planned {
        let id = match &planned {
            Ok(route) => route.account_id().map(str::to_owned),
            Err(_) => account_named_by(aws, &name),
        };
        match id {
            Some(id) if id == account_id => naming.push((name, planned)),
            Some(_) => {}
            None => others.push((name, planned)),
        }
    }
    let mut refusals = Vec::new();
    for (name, planned) in naming {
        match through_profile(aws, name, planned).await {
            Ok(found) => return Ok(found.route),
            Err(unreachable) => refusals.push(unreachable.refusal),
        }
    }
    let others = others.into_iter().map(|(name, planned)| through_profile(aws, name, planned));
    let (discovery, _) = one_way_each(try_all(others).await);
    match discovery.way_into(account_id) {
        // One that could not be asked may lead there.
        Err(Refusal { kind: Kind::UnknownAccount, .. }) => {
            refusals.extend(discovery.unreachable.into_iter().filter(|it| it.id.is_empty()).map(|it| it.refusal));
            Err(refusals.into_iter().next().unwrap_or_else(|| unknown(account_id)))
        }
        way => way,
    }
}

async fn current(aws: &Aws, profile: Option<&str>, role: Option<&RoleName>) -> Result<Discovery, Refusal> {
    let mut route = aws.plan(|planner| planner.caller(profile)).map_err(|error| Refusal::configuration(&error))?;
    if let Some(role) = role {
        let hub = aws.before(route.profile.as_deref(), &route.source, &route.roles).await?;
        let caller = aws.identity(route.profile.as_deref(), hub).await?;
        let role = in_account(aws, role, &route, &caller.partition, &caller.account_id);
        route = route.then(role);
    }
    // Cartography, too, names the account of the caller after the profile in use.
    let name = profile.or_else(|| aws.environment().profile()).unwrap_or("default").to_owned();
    Ok(Discovery { accounts: vec![try_leasable(aws, name, route).await?], unreachable: Vec::new() })
}

async fn profiles(aws: &Aws, named: &[String]) -> Result<Discovery, Refusal> {
    let planned = aws.plan(|planner| planner.all(named)).map_err(|error| Refusal::configuration(&error))?;
    if planned.is_empty() {
        let sentence = "there is no AWS profile with a role or credentials besides `default`, which is not surveyed";
        return Err(Refusal::new(Kind::Configuration, sentence));
    }
    let ways = planned.into_iter().map(|(name, planned)| through_profile(aws, name, planned));
    let (discovery, doubled) = one_way_each(try_all(ways).await);
    for (name, id) in doubled {
        if aws.first_time(format!("doubled {name}")) {
            tracing::warn!(
                profile = name,
                account = id,
                "another profile leads into the same account: this one is not used"
            );
        }
    }
    Ok(discovery)
}

async fn through_profile(aws: &Aws, name: String, planned: Result<Route, PlanError>) -> Result<Found, Unreachable> {
    let route = planned.map_err(|error| Unreachable {
        id: account_named_by(aws, &name).unwrap_or_default(),
        name: name.clone(),
        refusal: Refusal::configuration(&error),
    })?;
    let id = route.account_id().unwrap_or_default().to_owned();
    let lost = |id, refusal| Unreachable { id, name: name.clone(), refusal };
    let found = try_way(aws, name.clone(), route.clone()).await.map_err(|refusal| lost(id, refusal))?;
    match own_identity::check(aws, &found).await {
        Ok(()) => Ok(found),
        Err(mut refusal) => {
            if refusal.kind == Kind::OwnIdentity {
                refusal.sentence += "; or leave the profile out: name the others with --profile";
            }
            Err(lost(found.account.id, refusal))
        }
    }
}

/// The account in a profile's `role_arn`, though the profile leads nowhere.
fn account_named_by(aws: &Aws, profile: &str) -> Option<String> {
    let profiles = aws.profiles();
    let arn: RoleArn = profiles.get(profile, "role_arn")?.parse().ok()?;
    Some(arn.account_id)
}

/// The first way into each account that can be gone; also the profiles that are not needed.
fn one_way_each(tried: Vec<Result<Found, Unreachable>>) -> (Discovery, Vec<(String, String)>) {
    let (mut discovery, mut doubled) = (Discovery::default(), Vec::new());
    let reached: HashSet<String> = tried.iter().flatten().map(|found| found.account.id.clone()).collect();
    let mut seen = HashSet::new();
    for tried in tried {
        let (name, id) = match &tried {
            Ok(found) => (found.account.name.clone(), found.account.id.clone()),
            Err(unreachable) => (unreachable.name.clone(), unreachable.id.clone()),
        };
        match tried {
            Ok(found) if seen.insert(id.clone()) => discovery.accounts.push(found),
            Err(unreachable) if !reached.contains(&id) && (id.is_empty() || seen.insert(id.clone())) => {
                discovery.unreachable.push(unreachable);
            }
            _ => doubled.push((name, id)),
        }
    }
    (discovery, doubled)
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
    let session = aws.enter(&route, &Purpose::discovery(), &policy::of_nothing(), Some(aws::SHORTEST)).await?;
    let (id, partition) = match (route.roles.last(), &route.source) {
        (Some(role), _) => (role.arn.account_id.clone(), role.arn.partition.clone()),
        (None, Source::WebIdentity(identity)) => (identity.role.account_id.clone(), identity.role.partition.clone()),
        (None, _) => {
            let identity = aws.identity(profile, session).await?;
            (identity.account_id, identity.partition)
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, id: &str) -> Found {
        let account =
            FoundAccount { id: id.into(), name: name.into(), partition: "aws".into(), home_region: "us-east-1".into() };
        Found { account, route: Route { profile: None, source: Source::Environment, roles: Vec::new() } }
    }

    fn lost(name: &str, id: &str) -> Unreachable {
        Unreachable { id: id.into(), name: name.into(), refusal: Refusal::new(Kind::NotAllowed, "no") }
    }

    #[test]
    fn the_first_way_that_can_be_gone_is_taken() {
        let tried = vec![
            Ok(found("a", "1")),
            Ok(found("again", "1")),
            Err(lost("blocked", "2")),
            Ok(found("open", "2")),
            Err(lost("c", "3")),
            Err(lost("c-again", "3")),
            Err(lost("x", "")),
            Err(lost("y", "")),
        ];
        let (discovery, doubled) = one_way_each(tried);
        let names = |names: Vec<&String>| names.into_iter().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(names(discovery.accounts.iter().map(|found| &found.account.name).collect()), "a open");
        assert_eq!(names(discovery.unreachable.iter().map(|it| &it.name).collect()), "c x y");
        assert_eq!(names(doubled.iter().map(|(name, _)| name).collect()), "again blocked c-again");
    }
}
