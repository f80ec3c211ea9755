//! A line for each step, for terminals.

use super::{SHOWN, is_doubtful, reason, title};
use crate::search::{Found, Path};
use std::fmt::Write;

/// Meaning of `may` and of its absence.
const LEGEND: &str =
    "may: the step holds only under its conditions, or if something holds that the graph does not tell.";

pub(super) fn text(found: &Found, from: &str, to: &str) -> String {
    let count = match found.paths.len() {
        0 => format!("no path with at most {} steps", found.limits.hops),
        1 if found.may_have_more => "the first path; there may be more (--paths)".to_owned(),
        more if found.may_have_more => format!("the first {more} paths; there may be more (--paths)"),
        1 => "1 path".to_owned(),
        more => format!("{more} paths"),
    };
    let mut out = events::printable(&format!("{from} to {to}: {count}"));
    out.push('\n');
    for (at, path) in found.paths.iter().enumerate() {
        lines(&mut out, path, &format!("{}.", at + 1));
    }
    for path in &found.blocked {
        let reason = path.blocked.as_deref().unwrap_or_default();
        lines(&mut out, path, &format!("blocked, {reason}:"));
    }
    // A `String` takes any text.
    if found.may_have_more_blocked {
        let _ = writeln!(out, "\nOnly the first {} blocked paths are shown (--paths).", found.blocked.len());
    }
    let mut all = found.paths.iter().chain(&found.blocked).flat_map(|path| &path.steps);
    if all.any(is_doubtful) {
        let _ = writeln!(out, "\n{LEGEND}");
    }
    if !found.not_considered.is_empty() {
        out.push_str("\nNot considered:\n");
    }
    for note in &found.not_considered {
        let _ = writeln!(out, "- {}", events::printable(note));
    }
    out
}

fn lines(out: &mut String, path: &Path, heading: &str) {
    // A `String` takes any text.
    let _ = writeln!(out, "\n{} {}", events::printable(heading), events::printable(&title(path.label, &path.begin)));
    for (at, step) in path.steps.iter().enumerate() {
        let line = format!("   -> {}: {}", title(step.label, &step.node), reason(path, at, SHOWN));
        let _ = writeln!(out, "{}", events::printable(&line));
    }
}

#[cfg(test)]
mod tests {
    use super::{LEGEND, text};
    use crate::{format::testing::hostile, search::Found};

    #[test]
    fn a_path_has_a_line_for_each_step() {
        let text = text(&hostile(), "internet", "i");
        let line = "   -> AWSEC2Instance i\"]; click x\\n\\u{1b}[2J|<b>\\ (web `x`): it forwards: may, under conditions {\"a\":1}";
        let expected = format!(
            "internet to i: 1 path\n\n1. internet\n{line}\n\nblocked, it has no public address: internet\n{line}\n\n\
             {LEGEND}\n\nNot considered:\n- route tables\n"
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn no_path_is_said_with_what_was_not_followed() {
        let none = Found { paths: Vec::new(), blocked: Vec::new(), ..hostile() };
        let expected = "a\\u{1b} to b: no path with at most 16 steps\n\nNot considered:\n- route tables\n";
        assert_eq!(text(&none, "a\u{1b}", "b"), expected);
    }

    #[test]
    fn a_limit_of_paths_is_said() {
        let more = Found { may_have_more: true, may_have_more_blocked: true, ..hostile() };
        let text = text(&more, "a", "b");
        assert!(text.starts_with("a to b: the first path; there may be more (--paths)\n"), "{text}");
        assert!(text.contains("Only the first 1 blocked paths are shown (--paths)."), "{text}");
    }

    #[test]
    fn a_long_condition_is_cut() {
        let mut long = hostile();
        long.paths[0].steps[0].edge.condition = Some("x".repeat(500));
        let text = text(&long, "a", "b");
        assert!(text.contains(&format!("{} ... (all with --format json)\n", "x".repeat(160))), "{text}");
    }
}
