//! Generated pages and files: the schema and the listings from the collectors' tables, permissions and the broker's
//! actions from the declared actions, and the command line from its help.
//!
//! A test compares them with the generated text.

pub mod assets;
pub mod command_line;
pub mod features;
pub mod permissions;
pub mod schema;

/// A generated page or file.
#[derive(Clone, Copy)]
pub struct Page {
    /// Path from the root of the repository.
    pub path: &'static str,
    /// Makes its new content from the present one.
    pub text: fn(&str) -> String,
}

/// Every file that is written from the code.
pub static PAGES: &[Page] = &[
    Page { path: "docs/schema.md", text: |_| schema::text() },
    Page { path: "docs/permissions.md", text: |_| permissions::text() },
    Page { path: "docs/command-line.md", text: |_| command_line::text() },
    Page { path: "README.md", text: |present| between(present, assets::BEGIN, assets::END, &assets::text()) },
    Page {
        path: "crates/groma/Cargo.toml",
        text: |present| between(present, features::BEGIN, features::END, &features::text()),
    },
];

/// Note at the top of each page, with the command that generates it.
const NOTE: &str =
    "<!-- Written from the code: `GROMA_BLESS=1 cargo test -p groma --test system reference` writes it again. -->\n";

/// Formats names as `` `a`, `b` ``.
fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A text with another part between two marks; unchanged without the marks.
fn between(text: &str, begin: &str, end: &str, part: &str) -> String {
    let parts = text.split_once(begin).and_then(|(head, rest)| Some((head, rest.split_once(end)?.1)));
    parts.map_or(text.to_owned(), |(head, tail)| format!("{head}{begin}{part}{end}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn a_part_between_marks_is_replaced() {
        assert_eq!(between("a<x>old</x>b", "<x>", "</x>", "new"), "a<x>new</x>b");
        assert_eq!(between("without", "<x>", "</x>", "new"), "without");
    }
}
