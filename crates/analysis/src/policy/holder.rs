//! The policies of a principal, and selections of their statements.

use super::{Caller, Permissions, Statement};

/// Statements of a policy about the requested actions.
pub type Policy = Vec<Statement>;

/// The policies of a principal.
#[derive(Debug, Default)]
pub struct Holder<'a> {
    /// The principal; `None` for any principal.
    pub caller: Option<Caller>,
    /// Its identity policies.
    pub policies: Vec<&'a Policy>,
    /// Its permissions boundary, if it has one.
    pub boundary: Option<&'a Policy>,
    /// The graph lacks its boundary, so nothing is certain.
    pub is_boundary_unread: bool,
    /// The graph lacks one of its policies, which may deny anything, so nothing is certain.
    pub is_policy_unread: bool,
}

impl<'a> Holder<'a> {
    /// Statements that allow any of `asked` on some resource.
    pub fn allowing(&self, asked: Permissions) -> impl Iterator<Item = &'a Statement> {
        self.statements().filter(move |it| it.allows(asked))
    }

    /// Kinds of policies that the graph lacks.
    pub(super) fn unread(&self) -> Vec<&'static str> {
        let kinds = [(self.is_boundary_unread, "permissions boundary"), (self.is_policy_unread, "policy")];
        kinds.into_iter().filter_map(|(is_unread, kind)| is_unread.then_some(kind)).collect()
    }

    pub(super) fn statements(&self) -> impl Iterator<Item = &'a Statement> + Clone + use<'a, '_> {
        self.policies.iter().copied().flatten()
    }

    pub(super) fn bounding(&self) -> impl Iterator<Item = &'a Statement> + Clone + use<'a> {
        self.boundary.into_iter().flatten()
    }
}
