//! How scopes and failures read in logs, reports and the graph.

use crate::{Failure, FailureClass, Scope};
use std::fmt;

/// `account/region/service/Listing`: the name of a scope everywhere.
#[derive(Debug)]
pub struct ScopeName<'a>(pub &'a Scope);

impl fmt::Display for ScopeName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Scope { account_id, region, service, listing } = self.0;
        write!(f, "{account_id}/{region}/{service}/{listing}")
    }
}

impl Scope {
    /// `service/Listing`, as feeds name listings.
    pub fn listing_name(&self) -> String {
        format!("{}/{}", self.service, self.listing)
    }

    /// `account/region/service`: who keeps a node or an edge alive, and what cleanup is limited to. With the service,
    /// because a service knows all of its own listings that feed a label, and none of another service's.
    pub fn place(&self) -> String {
        format!("{}/{}/{}", self.account_id, self.region, self.service)
    }
}

impl FailureClass {
    /// Lower-case words for a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::Unspecified => "unknown reason",
            Self::AccessDenied => "access denied",
            Self::NotEnabled => "not enabled",
            Self::Throttled => "throttled",
            Self::Timeout => "timed out",
            Self::Unreachable => "unreachable",
            Self::Credentials => "no credentials",
            Self::Service => "service error",
            Self::Internal => "internal error",
            Self::Lost => "batches lost",
        }
    }
}

impl Failure {
    /// A failure of this class; `error` is one sentence without secrets.
    pub fn new(class: FailureClass, error: impl Into<String>) -> Self {
        Self { class: class.into(), error: error.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class().words(), self.error)
    }
}
