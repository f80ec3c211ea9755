//! Places of work items.

use events::{Scope, WorkItem, scopes::Reported};
use std::fmt;

/// Account, region and service of a work item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Account id: 12 digits.
    pub account_id: String,
    /// Region or `global`.
    pub region: String,
    /// Name of the service.
    pub service: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.account_id, self.region, self.service)
    }
}

impl Place {
    pub(crate) fn new(account_id: &str, region: &str, service: &str) -> Self {
        Self { account_id: account_id.to_owned(), region: region.to_owned(), service: service.to_owned() }
    }

    pub(crate) fn of_report(report: &Reported<'_>) -> Self {
        Self::new(report.account_id, report.region, report.service)
    }

    /// The place of a work item.
    pub fn of_item(item: &WorkItem) -> Self {
        Self::new(&item.account_id, &item.region, &item.service)
    }

    pub(crate) fn of(scope: &Scope) -> Self {
        Self::new(&scope.account_id, &scope.region, &scope.service)
    }
}
