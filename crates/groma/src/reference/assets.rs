//! The table of services and their assets in `README.md`.

use std::fmt::Write;

/// Line before the table.
pub const BEGIN: &str = "| service | assets |\n|---|---|\n";
/// Text after the table.
pub const END: &str = "\n## Reading on";

/// A row for each service, in the order of the alphabet.
pub fn text() -> String {
    let mut services: Vec<_> = catalog::services().iter().collect();
    services.sort_by_key(|service| &service.title);
    services.iter().fold(String::new(), |mut out, service| {
        // A String takes any text.
        let _ = writeln!(out, "| {} | {} |", service.title, service.assets);
        out
    })
}
