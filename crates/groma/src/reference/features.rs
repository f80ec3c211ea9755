//! The cargo features in `crates/groma/Cargo.toml`, which passes those of `collectors` on.

use std::fmt::Write;

/// Line before the features.
pub const BEGIN: &str = "default = [\"collectors/default\"]\n";
/// Text after the features.
pub const END: &str = "\n[dependencies]";

/// A feature for each service, except those that no build leaves out.
pub fn text() -> String {
    let mut names: Vec<_> = catalog::selectable().map(|service| &service.name).collect();
    names.sort();
    names.iter().fold(String::new(), |mut out, name| {
        // A String takes any text.
        let _ = writeln!(out, "{name} = [\"collectors/{name}\"]");
        out
    })
}
