//! Generated pages and files: the schema and the listings from the collectors' tables, permissions and the broker's
//! actions from the declared actions, and the command line from its help.
//!
//! A test compares them with the generated text.

pub mod actions;
pub mod command_line;
pub mod listings;
pub mod permissions;
pub mod schema;

/// A generated page or file.
#[derive(Clone, Copy)]
pub struct Page {
    /// Path from the root of the repository.
    pub path: &'static str,
    /// Renders the text.
    pub text: fn() -> String,
}

/// All generated pages and files.
pub static PAGES: &[Page] = &[
    Page { path: "docs/schema.md", text: schema::text },
    Page { path: "docs/permissions.md", text: permissions::text },
    Page { path: "crates/scheduler/src/listings.txt", text: listings::text },
    Page { path: "crates/broker/src/actions.txt", text: actions::text },
    Page { path: "docs/command-line.md", text: command_line::text },
];

/// Note at the top of each page, with the command that generates it.
const NOTE: &str =
    "<!-- Written from the code: `GROMA_BLESS=1 cargo test -p groma --test system reference` writes it again. -->\n";

/// Formats names as `` `a`, `b` ``.
fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
