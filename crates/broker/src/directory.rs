//! The ways into accounts that this replica knows. Another replica may have answered the request for accounts, so the way
//! into one that is not known is looked for, alone where that is possible.

use crate::{
    accounts::{self, Discovery},
    aws::Aws,
    config::Scope,
    flight::{self, Flights},
    refusal::Refusal,
    route::Route,
};
use std::{sync::Arc, time::Duration};

/// How long a way holds: accounts leave, roles are created, and the configuration changes.
const HOLDS: Duration = Duration::from_mins(10);
/// How long a search for all accounts counts for those that it did not find.
const SEARCH_HOLDS: Duration = Duration::from_secs(30);

/// Ways into accounts, by id. An account that could not be entered has none: its next lease tries again.
#[derive(Default)]
pub struct Directory {
    ways: Flights<String, Route>,
    searches: Flights<(), Arc<Discovery>>,
}

impl Directory {
    /// Finds all accounts anew.
    ///
    /// # Errors
    /// When none can be known.
    pub async fn discover(&self, aws: &Aws, scope: &Scope) -> Result<Discovery, Refusal> {
        aws.reload().map_err(|error| Refusal::configuration(&error))?;
        let discovery = aws.renewing(None, || accounts::discover(aws, scope)).await?;
        let found = discovery.accounts.iter().map(|found| (found.account.id.clone(), found.route.clone()));
        self.ways.put(found, flight::now() + HOLDS);
        Ok(discovery)
    }

    /// The way into an account.
    ///
    /// # Errors
    /// When it is not one of ours, or cannot be entered.
    pub async fn route(&self, aws: &Aws, scope: &Scope, account_id: &str) -> Result<Route, Refusal> {
        let find = || async {
            aws.reload().map_err(|error| Refusal::configuration(&error))?;
            let route = match aws.renewing(None, || accounts::find(aws, scope, account_id)).await? {
                Some(route) => route,
                None => self.search(aws, scope, account_id).await?,
            };
            Ok((route, Some(flight::now() + HOLDS)))
        };
        self.ways.get(&account_id.to_owned(), find).await
    }

    /// Among all accounts: one search for all that ask.
    async fn search(&self, aws: &Aws, scope: &Scope, account_id: &str) -> Result<Route, Refusal> {
        let search = || async {
            let discovery = aws.renewing(None, || accounts::discover(aws, scope)).await?;
            Ok((Arc::new(discovery), Some(flight::now() + SEARCH_HOLDS)))
        };
        self.searches.get(&(), search).await?.way_into(account_id)
    }
}
