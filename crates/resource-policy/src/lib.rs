//! The policy of a resource (a key, a bucket, a function): which actions it allows to everyone.
//!
//! Everyone is a stranger: a caller of no account, organization or network that the policy could name, who chooses everything
//! else about the request, its time too. An `Allow` is open if the stranger can meet all its conditions. A `Deny` counts if the stranger
//! cannot avoid it. Cartography ignores `Deny`, and takes one met condition for enough.
//!
//! Reading order: [`anonymous`] is the answer; `statement` reads the parts of a statement; `principal`, `condition` and
//! `pattern` judge them.

mod condition;
mod pattern;
mod principal;
mod statement;

use serde_json::Value;
use statement::{Effect, Statement};
use std::{borrow::Cow, collections::BTreeSet, slice};

/// Limit of a document in bytes. The longest policies of keys, buckets, functions, queues, topics and secrets are those of
/// keys, 32 KiB ("Resource quotas", AWS KMS developer guide).
pub const MOST_BYTES: usize = 64 << 10;

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

/// Returns the actions that everyone may do, as the policy writes them (`s3:Get*` stays), sorted. `None`: no statement is
/// open to everyone. Empty: one is, and it names no actions (`NotAction`). An action stays if a `Deny` covers only a part of
/// it or of its resources. Takes memory in proportion to the text, and time to its square. The text may have 64 KiB and 128
/// levels of nesting.
///
/// # Errors
/// Fails if the text is no policy.
pub fn anonymous(document: &str) -> Result<Option<Vec<String>>, PolicyError> {
    if document.len() > MOST_BYTES {
        return Err(PolicyError::TooLong(document.len()));
    }
    let document: Value = serde_json::from_str(document)?;
    let statements = list(document.get("Statement").ok_or(part("Statement", "there"))?);
    let statements = statements.iter().map(Statement::read).collect::<Result<Vec<_>, _>>()?;
    let of = |effect| statements.iter().filter(move |statement| statement.for_everyone == Some(effect));
    let denials: Vec<_> = of(Effect::Deny).collect();
    let mut open: Option<BTreeSet<&str>> = None;
    for actions in of(Effect::Allow).filter_map(|allow| allow.left_by(&denials)) {
        open.get_or_insert_default().extend(actions);
    }
    Ok(open.map(|actions| actions.into_iter().map(str::to_owned).collect()))
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

/// Like [`texts`], with numbers and truth values as their text: IAM accepts `111111111111` and `true` without quotes.
fn values_as_texts<'a>(name: &'static str, value: &'a Value) -> Result<Vec<Cow<'a, str>>, PolicyError> {
    let text = |value: &'a Value| match value {
        Value::String(text) => Some(Cow::Borrowed(text.as_str())),
        Value::Number(_) | Value::Bool(_) => Some(Cow::Owned(value.to_string())),
        _ => None,
    };
    let texts: Option<Vec<_>> = list(value).iter().map(text).collect();
    texts.ok_or(part(name, "a text or a list of texts"))
}

#[cfg(test)]
mod tests;
