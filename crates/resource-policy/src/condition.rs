//! Conditions. The entries of known keys are joined by *or*; everything else counts as no condition.

use crate::{PolicyError, list, part, principal, texts};
use serde_json::Value;

/// Beginnings of the operators that count, in lower case; further words, such as `IfExists`, may follow.
const OPERATORS: [&str; 5] = ["arnequals", "arnlike", "stringequals", "stringlike", "ipaddress"];
/// Prefixes of operators, in lower case.
const SETS: [&str; 2] = ["forallvalues:", "foranyvalue:"];

/// Type of the value of a key.
#[derive(Clone, Copy)]
enum Kind {
    Arn,
    Organization,
    UserId,
    Cidr,
    /// An account, a network or an audience.
    Name,
}

/// Whether the conditions let everyone pass: there is none that counts, or one is open.
pub(crate) fn is_open(condition: Option<&Value>) -> Result<bool, PolicyError> {
    let Some(condition) = condition else { return Ok(true) };
    let operators = condition.as_object().ok_or(part("Condition", "an object"))?;
    let (mut entries, mut open) = (0_usize, false);
    for (operator, keys) in operators {
        if !counts(operator) {
            continue;
        }
        for (key, values) in keys.as_object().ok_or(part("Condition", "an object of objects"))? {
            if let Some(kind) = kind(key) {
                entries += list(values).len();
                open |= texts("Condition", values)?.into_iter().any(|value| lets_pass(kind, value));
            }
        }
    }
    Ok(entries == 0 || open)
}

fn counts(operator: &str) -> bool {
    let operator = operator.to_ascii_lowercase();
    let plain = SETS.iter().find_map(|set| operator.strip_prefix(set)).unwrap_or(&operator);
    OPERATORS.iter().any(|known| plain.starts_with(known))
}

fn kind(key: &str) -> Option<Kind> {
    match key.to_ascii_lowercase().as_str() {
        "aws:sourcearn" | "aws:principalarn" => Some(Kind::Arn),
        "aws:principalorgid" | "aws:principalorgpaths" => Some(Kind::Organization),
        "aws:userid" => Some(Kind::UserId),
        "aws:sourceip" => Some(Kind::Cidr),
        "aws:sourceowner"
        | "aws:sourceaccount"
        | "aws:principalaccount"
        | "kms:calleraccount"
        | "aws:sourcevpc"
        | "aws:sourcevpce"
        | "saml:aud" => Some(Kind::Name),
        _ => None,
    }
}

fn lets_pass(kind: Kind, value: &str) -> bool {
    match kind {
        Kind::Arn => principal::is_open(value),
        Kind::Organization => is_any_organization(value),
        // `AROA…:*` is one role's sessions. An id without `*` counts as open, as in Cartography.
        Kind::UserId => !value.is_empty() && value.find('*').is_none_or(|at| at + 1 != value.len()),
        Kind::Cidr => value.ends_with("/0"),
        Kind::Name => value.contains('*'),
    }
}

/// `o-*`, alone or before a path; anywhere in a text that is no path of an organization.
fn is_any_organization(value: &str) -> bool {
    let mut parts = value.split('/');
    let organization = parts.next().unwrap_or_default();
    let root = parts.next();
    let units: Vec<&str> = parts.collect();
    let is_path = (organization == "*" || organization.starts_with("o-"))
        && root.is_none_or(|root| root == "*" || root.starts_with("r-"))
        && units.iter().enumerate().all(|(at, unit)| {
            let is_last = at + 1 == units.len();
            unit.starts_with("ou-") || is_last && ["", "*"].contains(unit)
        });
    if is_path { organization == "o-*" } else { value.contains("o-*") }
}
