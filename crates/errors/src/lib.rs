//! Errors as text for logs, reports and the terminal.

/// Formats an error with all its causes on one line: `publish failed: timed out`.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.ends_with(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::chain;
    use std::io::{Error, ErrorKind};

    #[derive(Debug, thiserror::Error)]
    #[error("publish failed")]
    struct Outer(#[source] Error);

    #[derive(Debug, thiserror::Error)]
    #[error("publish failed: {0}")]
    struct Repeating(#[source] Error);

    fn inner() -> Error {
        Error::new(ErrorKind::TimedOut, "timed out")
    }

    #[test]
    fn causes_follow_their_error() {
        assert_eq!(chain(&Outer(inner())), "publish failed: timed out");
    }

    #[test]
    fn a_cause_that_the_error_already_names_is_not_repeated() {
        assert_eq!(chain(&Repeating(inner())), "publish failed: timed out");
    }
}
