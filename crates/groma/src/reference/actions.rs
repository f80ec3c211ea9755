//! `crates/broker/src/actions.txt`: which actions each service's collector calls, for the broker, which knows no collector.

use crate::collectors::COLLECTORS;
use std::fmt::Write;

/// One service a line: `service action action …`, in the order of the alphabet.
pub fn text() -> String {
    let mut out = String::new();
    for collector in COLLECTORS {
        // A String takes any text.
        let _ = writeln!(out, "{} {}", collector.name, (collector.actions)().join(" "));
    }
    out
}
