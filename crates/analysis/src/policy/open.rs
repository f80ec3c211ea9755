//! Undecided conditions of a grant.

use super::Conditions;

/// Conditions that depend on the request, which the graph does not know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Open {
    /// Conditions of the principal's own Allow statements, as JSON lists of operator maps; empty if it is allowed
    /// anyway.
    pub allow: Vec<String>,
    /// Conditions of the boundary's Allow statements.
    pub boundary: Vec<String>,
    /// Conditions of the Allow statements of a role's trust policy.
    pub trust: Vec<String>,
    /// Alternative to the first three lists.
    pub or: Option<ByName>,
    /// Conditions that deny it, from all policies.
    pub deny: Vec<String>,
    /// Kinds of policies that the graph lacks.
    pub unread: Vec<&'static str>,
    /// The boundary does not certainly allow it, and AWS does not document whether it must.
    pub is_boundary_disputed: bool,
}

/// Second way to assume a role: the trust policy of a role in the principal's account names the principal, which then
/// needs no policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ByName {
    /// Conditions of the trust policy's statements, as in [`Open`].
    pub trust: Vec<String>,
    /// Conditions of the boundary's statements.
    pub boundary: Vec<String>,
}

impl Open {
    /// Whether it shows the reason why the grant is open.
    #[cfg(test)]
    pub(super) fn says_why(&self) -> bool {
        let lists = [&self.allow, &self.boundary, &self.trust, &self.deny];
        lists.iter().any(|it| !it.is_empty()) || !self.unread.is_empty() || self.is_boundary_disputed
    }

    /// All conditions in Cartography's form. Those that deny are `{"Deny": […]}`.
    pub fn conditions(&self) -> Conditions {
        let allow = self.allow.iter().chain(&self.boundary).chain(&self.trust).map(String::as_str);
        Conditions::join(allow).unless(Conditions::join(self.deny.iter().map(String::as_str)))
    }
}
