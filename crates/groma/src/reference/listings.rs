//! `crates/scheduler/src/listings.txt`: labels that each listing feeds, for the scheduler, which does not depend on
//! collectors.

use crate::collectors::COLLECTORS;
use std::{collections::BTreeSet, fmt::Write};

/// Renders the file. One listing per line: `service/Listing Label Label …`.
pub fn text() -> String {
    let mut out = String::new();
    for collector in COLLECTORS {
        for listed in (collector.listings)() {
            let labels = |table: &&dyn collector::Table| [vec![table.label()], table.extra_labels()].concat();
            let labels: BTreeSet<_> = listed.feeds.iter().flat_map(labels).collect();
            let labels: Vec<_> = labels.into_iter().collect();
            // Writing to a `String` cannot fail.
            let _ = writeln!(out, "{}/{} {}", collector.name, listed.name, labels.join(" "));
        }
    }
    out
}
