//! `docs/permissions.md`: AWS calls of each service.

use super::{NOTE, quoted};
use crate::collectors::{COLLECTORS, Collector};
use std::fmt::Write;

/// Renders the page.
pub fn text() -> String {
    let mut out = format!("# Permissions\n\n{NOTE}{INTRODUCTION}");
    for collector in COLLECTORS {
        section(&mut out, collector);
    }
    out
}

const INTRODUCTION: &str = "
All AWS calls of Groma. Collectors use sessions that the broker requests for one account and one service. The session policies
below are sent to STS, so a session can do no more than its policy, whatever its role may do. A role needs at least these
actions for a complete survey. The AWS managed policy `SecurityAudit` includes them, and `AmazonInspector2ReadOnlyAccess`
includes those of Inspector. Groma reports each denied scope.
";

/// Writing to a `String` cannot fail, so the results of `write!` are ignored.
fn section(out: &mut String, collector: &Collector) {
    let actions = (collector.actions)();
    let _ = write!(out, "\n## {}\n\n| listing | actions |\n|---|---|\n", collector.name);
    for listed in (collector.listings)() {
        let mut actions = listed.actions.to_vec();
        actions.sort_unstable();
        let _ = writeln!(out, "| `{}` | {} |", listed.name, quoted(actions));
    }
    let elsewhere =
        |action: &&String| !(collector.listings)().iter().any(|listed| listed.actions.contains(&action.as_str()));
    let others: Vec<&String> = actions.iter().filter(elsewhere).collect();
    if !others.is_empty() {
        let _ = writeln!(out, "| enabled regions | {} |", quoted(others.into_iter().map(String::as_str)));
    }
    match broker::policy::document(collector.name, &actions) {
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
