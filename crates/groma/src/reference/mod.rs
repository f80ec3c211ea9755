//! Pages and files that are written from the catalog and the command line: what the graph holds, what sessions may do,
//! what can be typed, which assets the README names, and the cargo features of this crate.
//!
//! A test compares them with the files in the tree.

pub mod assets;
pub mod command_line;
pub mod features;
pub mod permissions;
pub mod schema;

/// A file that is written in whole or in part.
#[derive(Clone, Copy)]
pub struct Page {
    /// Path from the top of the tree.
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

/// How to write the pages again; stands at the top of each.
const NOTE: &str =
    "<!-- Written from the code: `GROMA_BLESS=1 cargo test -p groma --test system reference` writes it again. -->\n";

/// `` `a`, `b` ``.
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
