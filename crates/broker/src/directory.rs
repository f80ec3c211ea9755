//! The accounts that this replica knows. Another replica may have answered the request for accounts, so one that is not known
//! is looked for before it is refused.

use crate::{
    accounts::{self, Discovery},
    aws::Aws,
    config::Scope,
    plan::Route,
    refusal::{Kind, Refusal},
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long a search counts: an account that it did not find is not there.
const SEARCH_COUNTS: Duration = Duration::from_secs(30);

/// Ways into accounts, by id.
#[derive(Default)]
pub struct Directory {
    known: Mutex<Known>,
    searching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    routes: HashMap<String, Route>,
    searched: Option<Instant>,
}

impl Directory {
    /// Finds all accounts anew.
    ///
    /// # Errors
    /// When none can be known.
    pub async fn discover(&self, aws: &Aws, scope: &Scope) -> Result<Discovery, Refusal> {
        aws.reload().await.map_err(|error| Refusal::configuration(&error))?;
        let discovery = accounts::discover(aws, scope).await?;
        let routes = discovery.accounts.iter().map(|found| (found.account.id.clone(), found.route.clone()));
        *self.known() = Known { routes: routes.collect(), searched: Some(Instant::now()) };
        Ok(discovery)
    }

    /// The way into an account.
    ///
    /// # Errors
    /// When it is not one of ours, or cannot be entered.
    pub async fn route(&self, aws: &Aws, scope: &Scope, account_id: &str) -> Result<Route, Refusal> {
        if let Some(route) = self.known().routes.get(account_id) {
            return Ok(route.clone());
        }
        let _turn = self.searching.lock().await;
        let unknown = || {
            let sentence = format!("account {account_id} is not among those that this broker was told to survey");
            Refusal::new(Kind::UnknownAccount, sentence)
        };
        let (route, searched) = {
            let known = self.known();
            (known.routes.get(account_id).cloned(), known.searched)
        };
        if let Some(route) = route {
            return Ok(route);
        }
        if searched.is_some_and(|at| at.elapsed() < SEARCH_COUNTS) {
            return Err(unknown());
        }
        let discovery = self.discover(aws, scope).await?;
        let found = discovery.accounts.into_iter().find(|found| found.account.id == account_id);
        let refused = discovery.unreachable.into_iter().find(|it| it.id == account_id).map(|it| it.refusal);
        found.map(|found| found.route).ok_or_else(|| refused.unwrap_or_else(unknown))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
