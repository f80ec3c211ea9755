//! Who may assume a role.
//!
//! Every `AssumeRole` needs the consent of the role's trust policy (IAM user guide, "Policy evaluation logic"; STS API
//! reference, `AssumeRole`). A principal of the role's own account needs no other policy if the trust policy names it. If
//! the trust policy names its account, or it belongs to another account, it needs a policy of its own. A permissions
//! boundary limits a named role. AWS's pages disagree on named users: "Policy evaluation logic" says that the boundary
//! does not limit them, "Update a role trust policy" that it does.

use super::{Caller, Covers, Grant, Holder, Open, Permissions, question::Question, reach::Reach};

/// What a role's trust policy says of a principal. Denied in one way, it is denied in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trust {
    /// It lets in the principal by name, or everyone.
    pub by_name: Covers,
    /// It lets in the principal's account as a whole.
    pub by_account: Covers,
}

impl Trust {
    /// From the edges of the graph: of the one to the principal (none when the policy does not name it), and of the one to
    /// its account.
    pub fn new(named: Option<Covers>, account: Covers) -> Self {
        match (named, account) {
            (None, account) => Self { by_name: Covers::No, by_account: account },
            (Some(named), Covers::No) => Self { by_name: named, by_account: Covers::No },
            // The edge says whether the principal is let in, but not by which of its names.
            (Some(named), _) => Self { by_name: named.min(Covers::Maybe), by_account: named },
        }
    }
}

impl Holder<'_> {
    /// Whether the principal may assume a role that says this of it; `asked` is that action.
    pub fn assume(&self, asked: Permissions, role: &str, trust: Trust) -> Option<Grant> {
        let is_local = self.caller.as_ref().is_some_and(|caller| caller.is_of_account_of(role));
        let by_name = if is_local { trust.by_name } else { Covers::No };
        let by_policies = if is_local { trust.by_account } else { trust.by_name.max(trust.by_account) };
        let question = Question::new(self, asked, role);
        let (own, bounded) = (question.allowed(self.statements()), question.bounded());
        let is_user = self.caller.as_ref().is_some_and(Caller::is_user);
        let limit = if is_user { bounded | Reach::all(Covers::Maybe) } else { bounded };
        let by_policies = own & bounded & Reach::all(by_policies);
        let by_name = Reach::of(asked, by_name) & limit;
        let granted = (by_policies | by_name) & !question.denied();
        if granted.possible.is_empty() {
            return None;
        }
        let needs_own = by_name.certain.is_empty() && !by_policies.possible.is_empty();
        let open = granted.certain.is_empty().then(|| Open {
            allow: if needs_own { question.open_allows(self.statements(), asked) } else { Vec::new() },
            is_boundary_disputed: self.boundary.is_some()
                && is_user
                && !by_name.possible.is_empty()
                && (bounded.certain & asked).is_empty(),
            ..question.open(asked)
        });
        Some(Grant { conditions: open.as_ref().map(Open::conditions), open })
    }
}
