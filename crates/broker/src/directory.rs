//! The accounts that this replica knows. Another replica may have answered the request for accounts, so one that is not known
//! is looked for before it is refused.

use crate::{
    accounts::{self, Discovery},
    aws::Aws,
    config::Scope,
    refusal::{Kind, Refusal},
    route::Route,
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
    /// Also of accounts that could not be entered when it was tried: whoever asks for a lease tries again. Where there is
    /// no way, the reason.
    routes: HashMap<String, Result<Route, Refusal>>,
    searched: Option<Instant>,
}

impl Directory {
    /// Finds all accounts anew.
    ///
    /// # Errors
    /// When none can be known.
    pub async fn discover(&self, aws: &Aws, scope: &Scope) -> Result<Discovery, Refusal> {
        aws.reload().map_err(|error| Refusal::configuration(&error))?;
        let discovery = accounts::discover(aws, scope).await?;
        let routes = discovery.accounts.iter().map(|found| (found.account.id.clone(), Ok(found.route.clone())));
        let others = discovery.unreachable.iter().map(|it| (it.id.clone(), it.route.clone().ok_or(it.refusal.clone())));
        *self.known() = Known { routes: routes.chain(others).collect(), searched: Some(Instant::now()) };
        Ok(discovery)
    }

    /// The way into an account.
    ///
    /// # Errors
    /// When it is not one of ours, or cannot be entered.
    pub async fn route(&self, aws: &Aws, scope: &Scope, account_id: &str) -> Result<Route, Refusal> {
        if let Some(route) = self.known().routes.get(account_id) {
            return route.clone();
        }
        let _turn = self.searching.lock().await;
        // Another request may have searched while this one waited.
        if self.known().searched.is_none_or(|at| at.elapsed() >= SEARCH_COUNTS) {
            self.discover(aws, scope).await?;
        }
        let route = self.known().routes.get(account_id).cloned();
        route.unwrap_or_else(|| {
            let sentence = format!("account {account_id} is not among those that this broker was told to survey");
            Err(Refusal::new(Kind::UnknownAccount, sentence))
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
