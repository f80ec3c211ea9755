//! A line for each step, for terminals.

use super::{reason, title};
use crate::search::{Found, Way};
use std::fmt::Write;

pub(super) fn text(found: &Found, from: &str, to: &str) -> String {
    let count = match found.ways.len() {
        0 => format!("no way of at most {} steps", found.limits.hops),
        1 => "1 way".to_owned(),
        more if more >= found.limits.ways => format!("the first {more} ways"),
        more => format!("{more} ways"),
    };
    let mut out = events::printable(&format!("{from} to {to}: {count}"));
    out.push('\n');
    for (at, way) in found.ways.iter().enumerate() {
        lines(&mut out, way, &format!("{}.", at + 1));
    }
    for way in &found.blocked {
        let reason = way.blocked.as_deref().unwrap_or_default();
        lines(&mut out, way, &format!("blocked, {reason}:"));
    }
    out
}

fn lines(out: &mut String, way: &Way, heading: &str) {
    // A `String` takes any text.
    let _ = writeln!(out, "\n{} {}", events::printable(heading), events::printable(&title(way.label, &way.begin)));
    for (at, step) in way.steps.iter().enumerate() {
        let line = format!("   -> {}: {}", title(step.label, &step.node), reason(way, at));
        let _ = writeln!(out, "{}", events::printable(&line));
    }
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::{format::testing::hostile, search::Found};

    #[test]
    fn a_way_has_a_line_for_each_step() {
        let text = text(&hostile(), "internet", "i");
        let line =
            "   -> AWSEC2Instance i\"]; click x\\n\\u{1b}[2J|<b>\\ (web `x`): it forwards: under conditions {\"a\":1}";
        let expected = format!(
            "internet to i: 1 way\n\n1. internet\n{line}\n\nblocked, it has no public address: internet\n{line}\n"
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn no_way_is_said() {
        let none = Found { ways: Vec::new(), blocked: Vec::new(), ..hostile() };
        assert_eq!(text(&none, "a\u{1b}", "b"), "a\\u{1b} to b: no way of at most 10 steps\n");
    }
}
