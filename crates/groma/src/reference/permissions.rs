//! `docs/permissions.md`: what Groma calls, service by service.

use super::{NOTE, quoted};
use catalog::Service;
use std::fmt::Write;

/// The page.
pub fn text() -> String {
    let mut out = format!("# Permissions\n\n{NOTE}{INTRODUCTION}");
    for service in catalog::services() {
        section(&mut out, service);
    }
    out
}

const INTRODUCTION: &str = "
Everything that Groma asks AWS. Collectors work with sessions that the broker makes for one account and one service; the
session policy below is what it sends to STS, so a session can do no more than that, whatever its role may do. A role needs at
least these actions for a complete survey: the AWS managed policy `SecurityAudit` has them, and
`AmazonInspector2ReadOnlyAccess` those of Inspector. What a role may not do is reported, scope by scope.
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
        let _ = writeln!(out, "| which regions are enabled | {} |", quoted(others.into_iter().map(String::as_str)));
    }
    match broker::policy::document(name, actions) {
        Ok(policy) => {
            let _ = write!(out, "\nSession policy:\n\n```json\n{policy}\n```\n");
        }
        Err(error) => {
            let _ = write!(out, "\nThe broker gives no session for this service: {error}.\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn the_broker_gives_a_session_for_every_service() {
        let text = text();
        assert!(!text.contains("gives no session"), "{text}");
        assert!(text.contains("| `DescribeOrganization` | `organizations:DescribeOrganization`, "), "{text}");
        assert!(text.contains("| which regions are enabled | `ec2:DescribeRegions` |"), "{text}");
    }
}
