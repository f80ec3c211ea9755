//! Principals of a trust policy's statement.

use super::{Caller, Covers, Effect};
use serde_json::{Value, json};

/// `Principal`, or `NotPrincipal` for everyone except these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Principals {
    /// Values of the kind `AWS`: ARNs, account ids, `*`.
    values: Vec<String>,
    is_negated: bool,
}

/// Ways in which a statement names a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named {
    /// By the caller's ARN, or everyone.
    pub(super) name: Covers,
    /// By the ARN of one session of the caller, a role. Only that session is meant.
    pub(super) session: Covers,
    /// By the caller's account.
    pub(super) account: Covers,
}

impl Named {
    /// In any of these ways.
    pub(super) fn any(self) -> Covers {
        self.by_name_or_session().max(self.account)
    }

    pub(super) fn by_name_or_session(self) -> Covers {
        self.name.max(self.session)
    }
}

impl Principals {
    /// Parses lists of pairs of kind and value. Returns `None` for anything else.
    pub(super) fn new(only: &Value, except: &Value) -> Option<Self> {
        let is_negated = !except.is_null();
        let mut values = Vec::new();
        for pair in (if is_negated { except } else { only }).as_array()? {
            let (kind, value) = (pair.get(0)?.as_str()?, pair.get(1)?.as_str()?);
            if kind == "AWS" {
                values.push(value.to_owned());
            }
        }
        Some(Self { values, is_negated })
    }

    /// Ways in which a statement with this effect names the caller.
    pub(super) fn named(&self, caller: &Caller, effect: Effect, is_bounded: bool) -> Named {
        if self.is_negated {
            let name = self.excludes(caller, effect, is_bounded);
            return Named { name, session: Covers::No, account: Covers::No };
        }
        let if_any = |is: bool, covers| if is { covers } else { Covers::No };
        Named {
            name: if_any(self.has("*") || self.has(caller.arn()), Covers::Yes),
            session: if_any(self.sessions(caller).next().is_some(), Covers::Maybe),
            account: if_any(self.has_account(caller), Covers::Yes),
        }
    }

    /// Whether the caller is outside the list. `NotPrincipal` exempts a principal that is listed together with its
    /// account. AWS does not document a principal without its account, or a role with a listed session. With `Deny`, a
    /// principal with a permissions boundary is never exempt. AWS does not support `NotPrincipal` with `Allow` (IAM
    /// user guide, "IAM JSON policy elements: NotPrincipal").
    fn excludes(&self, caller: &Caller, effect: Effect, is_bounded: bool) -> Covers {
        let listed = if self.has("*") {
            Covers::Yes
        } else if self.has(caller.arn()) {
            if self.has_account(caller) { Covers::Yes } else { Covers::Maybe }
        } else if self.sessions(caller).next().is_some() {
            Covers::Maybe
        } else {
            Covers::No
        };
        match effect {
            Effect::Deny if is_bounded => Covers::Yes,
            Effect::Deny => !listed,
            Effect::Allow => (!listed).min(Covers::Maybe),
        }
    }

    fn has(&self, value: &str) -> bool {
        self.values.iter().any(|it| it == value)
    }

    fn has_account(&self, caller: &Caller) -> bool {
        self.has(&caller.root_arn()) || caller.account().is_some_and(|account| self.has(account))
    }

    /// Values that are sessions of the caller.
    fn sessions(&self, caller: &Caller) -> impl Iterator<Item = &str> {
        let beginning = caller.sessions();
        let is_one = move |value: &&str| beginning.as_deref().is_some_and(|it| value.starts_with(it));
        self.values.iter().map(String::as_str).filter(is_one)
    }

    /// JSON of the undecided principals: the named sessions, or the whole `NotPrincipal`.
    pub(super) fn open(&self, caller: &Caller) -> Value {
        if self.is_negated {
            return json!({ "NotPrincipal": { "AWS": self.values } });
        }
        json!({ "Principal": { "AWS": self.sessions(caller).collect::<Vec<_>>() } })
    }
}
