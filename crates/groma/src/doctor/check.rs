//! The result of one check, and the exit status of all.

use serde::Serialize;

/// Result of a check.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Check {
    /// Name of the check, e.g. `nats` or `permissions`; stable.
    pub name: &'static str,
    /// Checked object: an account, a region, a service, a server.
    pub of: String,
    /// Severity of the result.
    pub status: Status,
    /// Result in one sentence.
    pub found: String,
    /// Advice; empty if there is nothing to fix.
    pub fix: String,
}

/// Severity of a result.
#[derive(Debug, Clone, Copy, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// No problem.
    Ok,
    /// A sync works, but the user should know.
    Note,
    /// A sync would be incomplete.
    Incomplete,
    /// A sync would fail.
    Fatal,
}

impl Check {
    /// A check without a problem.
    pub fn ok(name: &'static str, of: impl Into<String>, found: impl Into<String>) -> Self {
        Self { name, of: of.into(), status: Status::Ok, found: found.into(), fix: String::new() }
    }

    /// A check with a problem or a note.
    pub fn bad(
        status: Status,
        name: &'static str,
        of: impl Into<String>,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { name, of: of.into(), status, found: found.into(), fix: fix.into() }
    }

    fn text(&self) -> String {
        let Self { name, of, status, found, fix } = self;
        let mark = match status {
            Status::Ok => "ok  ",
            Status::Note => "note",
            Status::Incomplete | Status::Fatal => "FAIL",
        };
        let fix = if fix.is_empty() { String::new() } else { format!("\n       fix: {fix}") };
        format!("{mark}  {name} ({of}): {found}{fix}")
    }
}

/// Prints the checks. Returns the exit status that a sync would have.
///
/// # Errors
/// Fails if the checks cannot be written as JSON, which their content never causes.
pub fn report(checks: &[Check], json: bool) -> anyhow::Result<u8> {
    if json {
        println!("{}", serde_json::to_string_pretty(checks)?);
    } else {
        for check in checks {
            println!("{}", check.text());
        }
    }
    Ok(match checks.iter().map(|check| check.status).max() {
        Some(Status::Fatal) => process::exit::NOTHING_DONE,
        Some(Status::Incomplete) => process::exit::INCOMPLETE,
        _ => process::exit::COMPLETE,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_check_decides() {
        let of = |status| Check::bad(status, "x", "y", "z", "w");
        let status = |checks: &[Check]| report(checks, true).expect("it can be written");
        assert_eq!(status(&[]), 0);
        assert_eq!(status(&[Check::ok("x", "y", "z"), of(Status::Note)]), 0);
        assert_eq!(status(&[of(Status::Incomplete), of(Status::Note)]), 3);
        assert_eq!(status(&[of(Status::Fatal), of(Status::Incomplete)]), 1);
    }

    #[test]
    fn a_failure_shows_its_fix() {
        let check = Check::bad(Status::Fatal, "nats", "nats://h:4222", "no server there", "start it");
        assert_eq!(check.text(), "FAIL  nats (nats://h:4222): no server there\n       fix: start it");
    }
}
