//! Cache of routes into accounts. Another replica may have answered the request for accounts. The route into an unknown
//! account is therefore searched for, if possible without discovering the others.

use crate::{
    accounts,
    aws::Aws,
    config::Scope,
    discovery::Discovery,
    refusal::Refusal,
    route::Route,
    single_flight::{self, SingleFlight},
};
use std::{sync::Arc, time::Duration};

/// Lifetime of a route: accounts leave, roles are created, and the configuration changes.
const HOLDS: Duration = Duration::from_mins(10);
/// Lifetime of a full discovery for accounts that it did not find.
const SEARCH_HOLDS: Duration = Duration::from_secs(30);

/// Routes by account id. Accounts that cannot be entered are not cached: their next lease tries again.
#[derive(Default)]
pub struct Directory {
    ways: SingleFlight<String, Route>,
    searches: SingleFlight<(), Arc<Discovery>>,
}

impl Directory {
    /// Discovers all accounts again.
    ///
    /// # Errors
    /// Fails if no account is known.
    pub async fn discover(&self, aws: &Aws, scope: &Scope) -> Result<Discovery, Refusal> {
        aws.setup().reload().map_err(|error| Refusal::configuration(&error))?;
        let discovery = aws.renewing(None, || accounts::discover(aws, scope)).await?;
        let found = discovery.accounts.iter().map(|found| (found.account.id.clone(), found.route.clone()));
        self.ways.put(found, single_flight::now() + HOLDS);
        Ok(discovery)
    }

    /// Returns the route into an account, from the cache if possible.
    ///
    /// # Errors
    /// Fails if the account is outside the scope, or cannot be entered.
    pub async fn route(&self, aws: &Aws, scope: &Scope, account_id: &str) -> Result<Route, Refusal> {
        let find = || async {
            aws.setup().reload().map_err(|error| Refusal::configuration(&error))?;
            let route = match aws.renewing(None, || accounts::find(aws, scope, account_id)).await? {
                Some(route) => route,
                None => self.search(aws, scope, account_id).await?,
            };
            Ok((route, Some(single_flight::now() + HOLDS)))
        };
        self.ways.get(&account_id.to_owned(), find).await
    }

    /// Searches all accounts. Concurrent searches share one discovery.
    async fn search(&self, aws: &Aws, scope: &Scope, account_id: &str) -> Result<Route, Refusal> {
        let search = || async {
            let discovery = aws.renewing(None, || accounts::discover(aws, scope)).await?;
            Ok((Arc::new(discovery), Some(single_flight::now() + SEARCH_HOLDS)))
        };
        self.searches.get(&(), search).await?.way_into(account_id)
    }
}
