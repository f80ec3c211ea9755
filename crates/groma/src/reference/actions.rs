//! `crates/broker/src/actions.txt`: actions of each service's collector, for the broker, which does not depend on
//! collectors.

use crate::collectors::COLLECTORS;
use std::fmt::Write;

/// Renders the file. One service per line in alphabetical order: `service action action …`.
pub fn text() -> String {
    let mut out = String::new();
    for collector in COLLECTORS {
        // Writing to a `String` cannot fail.
        let _ = writeln!(out, "{} {}", collector.name, (collector.actions)().join(" "));
    }
    out
}
