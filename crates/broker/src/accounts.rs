//! Discovers the accounts of a scope, and the route into each.

use crate::{
    aws::Aws,
    by_profile,
    config::{RoleName, Scope},
    discovery::Discovery,
    organization,
    refusal::Refusal,
    route::Route,
    ways,
};

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

async fn current(aws: &Aws, profile: Option<&str>, role: Option<&RoleName>) -> Result<Discovery, Refusal> {
    let mut route = aws.setup().plan(|planner| planner.caller(profile)).map_err(|error| Refusal::of_plan(&error))?;
    if let Some(role) = role {
        let hub = aws.before(route.profile.as_deref(), &route.source, &route.roles).await?;
        let caller = aws.identity(route.profile.as_deref(), hub).await?;
        let role = ways::in_account(aws, role, &route, &caller.partition, &caller.account_id);
        route = route.then(role);
    }
    // Cartography too names the caller's account after the profile in use.
    let name = profile.or_else(|| aws.setup().environment().profile()).unwrap_or("default").to_owned();
    Ok(Discovery { accounts: vec![ways::try_leasable(aws, name, route).await?], ..Discovery::default() })
}
