//! The reference pages in `docs/`, written from the code that they describe: what the graph holds from the collectors'
//! tables, what the scheduler knows of these tables, what sessions may do (and the broker grants) from the actions that they
//! declare, what can be typed from the command line's own help.
//!
//! A test compares the pages with what is written here, so that none falls behind.

pub mod actions;
pub mod command_line;
pub mod listings;
pub mod permissions;
pub mod schema;

/// A page.
#[derive(Clone, Copy)]
pub struct Page {
    /// Path from the top of the tree.
    pub path: &'static str,
    /// Writes it.
    pub text: fn() -> String,
}

/// Every page that is written from the code.
pub static PAGES: &[Page] = &[
    Page { path: "docs/schema.md", text: schema::text },
    Page { path: "docs/permissions.md", text: permissions::text },
    Page { path: "crates/scheduler/src/listings.txt", text: listings::text },
    Page { path: "crates/broker/src/actions.txt", text: actions::text },
    Page { path: "docs/command-line.md", text: command_line::text },
];

/// How to write the pages again; stands at the top of each.
const NOTE: &str =
    "<!-- Written from the code: `GROMA_BLESS=1 cargo test -p groma --test system reference` writes it again. -->\n";

/// `` `a`, `b` ``.
fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
