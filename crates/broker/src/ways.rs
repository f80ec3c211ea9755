//! Tries routes into accounts, so that a role that cannot be assumed is known before any work is published.

use crate::{
    arn::RoleArn,
    attribution::Purpose,
    aws::{self, Aws},
    config::RoleName,
    discovery::{Found, FoundAccount},
    own_identity, policy,
    refusal::Refusal,
    route::{Role, Route, Source},
};
use futures::{StreamExt, stream};

/// Number of routes tried at the same time.
const AT_ONCE: usize = 16;

/// The role of this name in an account, as seen by the caller of a route.
pub fn in_account(aws: &Aws, role: &RoleName, caller: &Route, partition: &str, account_id: &str) -> Role {
    let arn = RoleArn { partition: partition.into(), account_id: account_id.into(), name: role.name.clone() };
    Role {
        region: aws.setup().home_region(caller.profile.as_deref(), partition),
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
    let home_region = aws.setup().home_region(profile, &partition);
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
