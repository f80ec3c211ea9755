//! The redrive policy of a queue: its dead-letter queue, and after how many receives a message moves there. Pure.

use collector::Value;
use serde_json::Value as Json;

/// Limit of a policy in bytes. AWS's have less than 300.
pub const MOST_BYTES: usize = 1 << 16;

/// A text that is no redrive policy.
#[derive(Debug, thiserror::Error)]
pub enum RedriveError {
    /// Longer than any policy of AWS.
    #[error("the redrive policy has {0} bytes, and at most {MOST_BYTES} are read")]
    TooLong(usize),
    /// Not JSON.
    #[error("the redrive policy is not JSON")]
    Json(#[from] serde_json::Error),
}

/// A redrive policy.
#[derive(Debug, Clone, PartialEq)]
pub struct RedrivePolicy {
    /// ARN of the dead-letter queue.
    pub target: Option<String>,
    /// Number of receives, as the policy has it: SQS keeps a number that was given as text.
    pub receives: Value,
}

impl RedrivePolicy {
    /// The policy of a queue without one.
    pub const NONE: Self = Self { target: None, receives: Value::Null };
}

/// Parses a policy. An empty text is the policy of a queue without one. Takes time and memory in proportion to the
/// text, which may have 64 KiB and 128 levels of nesting.
///
/// # Errors
/// Fails if the text is too long or not JSON.
pub fn parse(text: &str) -> Result<RedrivePolicy, RedriveError> {
    if text.len() > MOST_BYTES {
        return Err(RedriveError::TooLong(text.len()));
    }
    if text.is_empty() {
        return Ok(RedrivePolicy::NONE);
    }
    let policy: Json = serde_json::from_str(text)?;
    let receives = match &policy["maxReceiveCount"] {
        Json::String(text) => text.into(),
        number => number.as_i64().into(),
    };
    Ok(RedrivePolicy { target: policy["deadLetterTargetArn"].as_str().map(str::to_owned), receives })
}

#[cfg(test)]
mod tests {
    use super::{MOST_BYTES, RedrivePolicy, parse};

    #[test]
    fn the_count_has_the_type_that_the_policy_gives_it() {
        let parsed = |receives| parse(&format!(r#"{{"deadLetterTargetArn":"dead","maxReceiveCount":{receives}}}"#));
        for (receives, value) in [("5", 5.into()), (r#""5""#, "5".into())] {
            let policy = RedrivePolicy { target: Some("dead".into()), receives: value };
            assert_eq!(parsed(receives).expect("a policy"), policy);
        }
    }

    #[test]
    fn an_empty_policy_has_no_target() {
        for text in ["", "{}", "[]", "null"] {
            assert_eq!(parse(text).expect("a policy"), RedrivePolicy::NONE, "{text}");
        }
    }

    #[test]
    fn other_texts_are_errors() {
        assert_eq!(parse("no").expect_err("not JSON").to_string(), "the redrive policy is not JSON");
        let long = "9".repeat(MOST_BYTES + 1);
        assert!(parse(&long).expect_err("too long").to_string().starts_with("the redrive policy has 65537 bytes"));
    }
}
