//! One thing that was looked at, and what the list of them comes to.

use serde::Serialize;

/// What was found.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, e.g. `nats` or `permissions`; stable.
    pub name: &'static str,
    /// Of what: an account, a region, a service, a server.
    pub of: String,
    /// How it is.
    pub status: Status,
    /// What was found, in one sentence.
    pub found: String,
    /// What to do about it; empty where there is nothing.
    pub fix: String,
}

/// How it is.
#[derive(Debug, Clone, Copy, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// A sync can live with it, and its user should know.
    Note,
    /// A sync would not see everything.
    Incomplete,
    /// A sync could not be carried out.
    Fatal,
}

impl Check {
    /// As it should be.
    pub fn ok(name: &'static str, of: impl Into<String>, found: impl Into<String>) -> Self {
        Self { name, of: of.into(), status: Status::Ok, found: found.into(), fix: String::new() }
    }

    /// Not as it should be.
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

/// Prints the checks and answers with the exit status: that of the sync that would follow.
///
/// # Errors
/// When they cannot be written as JSON, which no content of them causes.
pub fn report(checks: &[Check], json: bool) -> anyhow::Result<u8> {
    if json {
        println!("{}", serde_json::to_string_pretty(checks)?);
    } else {
        for check in checks {
            println!("{}", check.text());
        }
    }
    Ok(match checks.iter().map(|check| check.status).max() {
        Some(Status::Fatal) => role::exit::NOTHING_DONE,
        Some(Status::Incomplete) => role::exit::INCOMPLETE,
        _ => role::exit::COMPLETE,
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
        let check = Check::bad(Status::Fatal, "nats", "nats://h:4222", "nobody is there", "start it");
        assert_eq!(check.text(), "FAIL  nats (nats://h:4222): nobody is there\n       fix: start it");
    }
}
