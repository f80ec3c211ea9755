//! The accounts that this replica knows. Another replica may have answered the request for accounts, so one that is not known
//! is looked for, alone, before it is refused.

use crate::{
    accounts::{self, Discovery},
    aws::Aws,
    config::Scope,
    flight::{self, Flights},
    refusal::Refusal,
    route::Route,
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long a way that was found for one account alone holds: the accounts to survey may change.
const FINDING_HOLDS: Duration = Duration::from_mins(10);

/// Ways into accounts, by id.
#[derive(Default)]
pub struct Directory {
    /// Also of accounts that could not be entered when it was tried: whoever asks for a lease tries again. Where there is
    /// no way, the reason.
    known: Mutex<HashMap<String, Result<Route, Refusal>>>,
    /// Ways into accounts that another replica's discovery told collectors of.
    finding: Flights<String, Route>,
}

impl Directory {
    /// Finds all accounts anew.
    ///
    /// # Errors
    /// When none can be known.
    pub async fn discover(&self, aws: &Aws, scope: &Scope) -> Result<Discovery, Refusal> {
        aws.reload().map_err(|error| Refusal::configuration(&error))?;
        let discovery = aws.renewing(None, || accounts::discover(aws, scope)).await?;
        let routes = discovery.accounts.iter().map(|found| (found.account.id.clone(), Ok(found.route.clone())));
        let others = discovery.unreachable.iter().map(|it| (it.id.clone(), it.route.clone().ok_or(it.refusal.clone())));
        *self.known() = routes.chain(others).collect();
        Ok(discovery)
    }

    /// The way into an account.
    ///
    /// # Errors
    /// When it is not one of ours, or cannot be entered.
    pub async fn route(&self, aws: &Aws, scope: &Scope, account_id: &str) -> Result<Route, Refusal> {
        if let Some(route) = self.known().get(account_id) {
            return route.clone();
        }
        let find = || async {
            aws.reload().map_err(|error| Refusal::configuration(&error))?;
            let route = aws.renewing(None, || accounts::find(aws, scope, account_id)).await?;
            Ok((route, Some(flight::now() + FINDING_HOLDS)))
        };
        self.finding.get(&account_id.to_owned(), find).await
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Result<Route, Refusal>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
