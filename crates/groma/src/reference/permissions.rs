//! `docs/permissions.md`: AWS calls of each service.

use super::{NOTE, quoted};
use catalog::Service;
use std::fmt::Write;

/// Renders the page.
pub fn text() -> String {
    let mut out = format!("# Permissions\n\n{NOTE}{INTRODUCTION}");
    for service in catalog::services() {
        section(&mut out, service);
    }
    out
}

const INTRODUCTION: &str = "
All AWS calls of Groma. Collectors use sessions that the broker requests for one account and one service. The session policies
below are sent to STS, so a session can do no more than its policy, whatever its role may do. A role needs at least these
actions for a complete survey. The AWS managed policy `SecurityAudit` includes them, except `lambda:GetFunction`, which is
called for functions from images alone. `AmazonInspector2ReadOnlyAccess` includes those of Inspector. Groma reports each denied
scope.
";

/// A String takes any text, so the results of `write!` are nothing to look at.
fn section(out: &mut String, service: &Service) {
    let Service { name, actions, listings, .. } = service;
    let _ = write!(out, "\n## {name}\n\n| listing | actions |\n|---|---|\n");
    for listing in listings {
        let _ = writeln!(out, "| `{}` | {} |", listing.name, quoted(listing.actions.iter().map(String::as_str)));
    }
    let elsewhere = |action: &&String| !listings.iter().any(|listing| listing.actions.contains(action));
    let others: Vec<&String> = actions.iter().filter(elsewhere).collect();
    if !others.is_empty() {
        let _ = writeln!(out, "| enabled regions | {} |", quoted(others.into_iter().map(String::as_str)));
    }
    match broker::policy::document(name, actions) {
        Ok(policy) => {
            let _ = write!(out, "\nSession policy:\n\n```json\n{policy}\n```\n");
        }
        Err(error) => {
            let _ = write!(out, "\nThe broker refuses sessions for this service: {error}.\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn the_broker_gives_a_session_for_every_service() {
        let text = text();
        assert!(!text.contains("refuses sessions"), "{text}");
        assert!(text.contains("| `DescribeOrganization` | `organizations:DescribeOrganization`, "), "{text}");
        assert!(text.contains("| enabled regions | `ec2:DescribeRegions` |"), "{text}");
    }
}
