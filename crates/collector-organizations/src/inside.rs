//! Node ids of roots and units, and of their direct content.

/// Node ids of the direct content of a root or unit; only active accounts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inside {
    /// Units.
    pub(crate) units: Vec<String>,
    /// Accounts.
    pub(crate) accounts: Vec<String>,
}

impl Inside {
    /// Targets of the edges to units.
    pub(crate) fn units(&self) -> impl Iterator<Item = Option<&str>> {
        self.units.iter().map(|id| Some(id.as_str()))
    }

    /// Targets of the edges to accounts.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = Option<&str>> {
        self.accounts.iter().map(|id| Some(id.as_str()))
    }
}

/// Node id `<organization>/<id>`: ids of roots and units are unique only within their organization.
pub(crate) fn scoped(organization: &str, id: &str) -> String {
    format!("{organization}/{id}")
}
