//! `crates/scheduler/src/listings.txt`: which labels each listing feeds, for the scheduler, which knows no collector.

use crate::collectors::COLLECTORS;
use std::{collections::BTreeSet, fmt::Write};

/// One listing a line: `service/Listing Label Label …`.
pub fn text() -> String {
    let mut out = String::new();
    for collector in COLLECTORS {
        for listed in (collector.listings)() {
            let labels = |table: &&dyn collector::Table| [vec![table.label()], table.extra_labels()].concat();
            let labels: BTreeSet<_> = listed.feeds.iter().flat_map(labels).collect();
            let labels: Vec<_> = labels.into_iter().collect();
            // A String takes any text.
            let _ = writeln!(out, "{}/{} {}", collector.name, listed.name, labels.join(" "));
        }
    }
    out
}
