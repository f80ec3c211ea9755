//! The policy of a resource (a key, a bucket, a function): which actions it allows to everyone. Judges as Cartography does,
//! which uses policyuniverse 1.5.1: a statement with `Deny` never closes another one, of several conditions one that is open
//! is enough, and an unknown condition counts as none. So an open policy may be narrower in truth.
//!
//! Reading order: [`anonymous`] is the answer; `principal` and `condition` judge the parts of a statement.

mod condition;
mod principal;

use serde_json::Value;
use std::{collections::BTreeSet, slice};

/// Limit of a document in bytes. The longest of AWS are key policies, 32 KiB ("Resource quotas", AWS KMS developer guide).
pub const MOST_BYTES: usize = 1 << 20;

/// A text that is no policy.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Longer than any policy of AWS.
    #[error("the policy has {0} bytes, and at most {MOST_BYTES} are read")]
    TooLong(usize),
    /// Not JSON.
    #[error("the policy is not JSON")]
    Json(#[from] serde_json::Error),
    /// A part of another kind than AWS documents.
    #[error("{part} of the policy is not {expected}")]
    Part {
        /// The part.
        part: &'static str,
        /// Expected type or value.
        expected: &'static str,
    },
}

/// Actions that everyone may do, as the policy writes them (`s3:Get*` stays), sorted. `None`: no statement is open to
/// everyone. Empty: one is, and it names no actions (`NotAction`). Takes time and memory in proportion to the text, which
/// may have 1 MiB and 128 levels of nesting.
///
/// # Errors
/// The text is no policy.
pub fn anonymous(document: &str) -> Result<Option<Vec<String>>, PolicyError> {
    if document.len() > MOST_BYTES {
        return Err(PolicyError::TooLong(document.len()));
    }
    let document: Value = serde_json::from_str(document)?;
    let statements = document.get("Statement").ok_or(part("Statement", "there"))?;
    let mut open = None;
    for statement in list(statements) {
        if !statement.is_object() {
            return Err(part("Statement", "an object or a list of objects"));
        }
        if is_open(statement)? {
            let actions = statement.get("Action").map(|actions| texts("Action", actions)).transpose()?;
            let all: &mut BTreeSet<String> = open.get_or_insert_default();
            all.extend(actions.unwrap_or_default().into_iter().map(str::to_owned));
        }
    }
    Ok(open.map(|actions| actions.into_iter().collect()))
}

fn is_open(statement: &Value) -> Result<bool, PolicyError> {
    if statement.get("Effect").and_then(Value::as_str) != Some("Allow") {
        return Ok(false);
    }
    let for_everyone = statement.get("NotPrincipal").is_some() || principal::any_is_open(statement.get("Principal"))?;
    Ok(for_everyone && condition::is_open(statement.get("Condition"))?)
}

const fn part(part: &'static str, expected: &'static str) -> PolicyError {
    PolicyError::Part { part, expected }
}

/// The items of a list, or the value itself.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(slice::from_ref(value), Vec::as_slice)
}

fn texts<'a>(name: &'static str, value: &'a Value) -> Result<Vec<&'a str>, PolicyError> {
    let texts: Option<Vec<&str>> = list(value).iter().map(Value::as_str).collect();
    texts.ok_or(part(name, "a text or a list of texts"))
}

#[cfg(test)]
mod tests;
