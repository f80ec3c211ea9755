//! Statements, as far as they concern everyone.

use crate::{PolicyError, condition, condition::Met, part, pattern, principal, texts};
use serde_json::Value;

/// Effect of a statement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Allow,
    Deny,
}

/// A statement.
pub(crate) struct Statement<'a> {
    /// Effect on everyone. `None`: it has none.
    pub(crate) for_everyone: Option<Effect>,
    actions: Patterns<'a>,
    resources: Patterns<'a>,
}

/// Actions or resources of a statement.
#[derive(Default)]
struct Patterns<'a> {
    texts: Vec<&'a str>,
    /// The texts as they are compared: actions in small letters.
    plain: Vec<String>,
    /// Whether the statement concerns all others instead.
    is_all_but: bool,
}

impl<'a> Statement<'a> {
    /// Reads a statement.
    ///
    /// # Errors
    /// Fails if a part is of another kind than AWS documents.
    pub(crate) fn read(statement: &'a Value) -> Result<Self, PolicyError> {
        if !statement.is_object() {
            return Err(part("Statement", "an object or a list of objects"));
        }
        let met = condition::met(statement.get("Condition"))?;
        let principal = statement.get("Principal");
        let is_open = principal::any_is_open(principal)?;
        // `NotPrincipal` with `*` leaves no principal.
        let is_all_but = statement.get("NotPrincipal").is_some_and(|but| !principal::is_everyone(Some(but)));
        let for_everyone = match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow") if (is_all_but || is_open) && met != Met::Never => Some(Effect::Allow),
            Some("Deny") if (is_all_but || principal::is_everyone(principal)) && met == Met::Always => {
                Some(Effect::Deny)
            }
            _ => None,
        };
        let actions = Patterns::read(statement, "Action", "NotAction", str::to_ascii_lowercase)?;
        let resources = Patterns::read(statement, "Resource", "NotResource", str::to_owned)?;
        // Without `Resource`, it applies to the resource that has the policy.
        let resources = resources.unwrap_or(Patterns { is_all_but: true, ..Patterns::default() });
        Ok(Self { for_everyone, actions: actions.unwrap_or_default(), resources })
    }

    /// Actions of this statement that no denial covers; empty for `NotAction`. `None` if every action is denied.
    pub(crate) fn left_by(&self, denials: &[&Self]) -> Option<Vec<&'a str>> {
        let denials: Vec<_> = denials.iter().filter(|denial| denial.resources.cover_all(&self.resources)).collect();
        let is_denied = |action: &str| denials.iter().any(|denial| denial.actions.cover(action));
        let Patterns { texts, plain, is_all_but } = &self.actions;
        if *is_all_but {
            return (!is_denied("*")).then(Vec::new);
        }
        let left = texts.iter().zip(plain).filter(|(_, plain)| !is_denied(plain)).map(|(text, _)| *text);
        let left: Vec<_> = left.collect();
        (!left.is_empty() || texts.is_empty()).then_some(left)
    }
}

impl<'a> Patterns<'a> {
    fn read(
        statement: &'a Value,
        of: &'static str,
        all_but: &'static str,
        plain: fn(&str) -> String,
    ) -> Result<Option<Self>, PolicyError> {
        let (name, is_all_but) = if statement.get(of).is_some() { (of, false) } else { (all_but, true) };
        let Some(patterns) = statement.get(name) else { return Ok(None) };
        let texts = texts(name, patterns)?;
        let plain = texts.iter().map(|text| plain(text)).collect();
        Ok(Some(Self { texts, plain, is_all_but }))
    }

    /// Whether they cover everything that a pattern stands for.
    fn cover(&self, pattern: &str) -> bool {
        let mut patterns = self.plain.iter();
        if self.is_all_but {
            !patterns.any(|it| pattern::may_overlap(it, pattern))
        } else {
            patterns.any(|it| pattern::covers(it, pattern))
        }
    }

    fn cover_all(&self, others: &Self) -> bool {
        if others.is_all_but { self.cover("*") } else { others.plain.iter().all(|it| self.cover(it)) }
    }
}
