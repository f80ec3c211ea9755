//! Result of the discovery of accounts.

use crate::{
    refusal::{Kind, Refusal},
    route::Route,
};
use events::{Account, AccountsAnswer, SkippedAccount, UnreachableAccount};

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

/// Refusal for an account outside the scope.
pub fn unknown(account_id: &str) -> Refusal {
    let sentence = format!("account {account_id} is not one of the accounts that this broker surveys");
    Refusal::new(Kind::UnknownAccount, sentence)
}
