//! Pictures of open paths: Mermaid for pages, Graphviz for files. Each asset occurs once.

use super::{SHOWN, reason, title};
use crate::search::Path;
use std::fmt::Write;

/// Assets and arrows of several paths, in the order in which they occur.
#[derive(Default)]
struct Picture {
    /// Keys and texts of the assets.
    assets: Vec<(String, String)>,
    /// Places of two assets, and the text of their arrow.
    arrows: Vec<(usize, usize, String)>,
}

impl Picture {
    fn of(paths: &[Path]) -> Self {
        let mut picture = Self::default();
        for path in paths {
            let mut from = picture.asset(&path.begin.element, title(path.label, &path.begin));
            for (at, step) in path.steps.iter().enumerate() {
                let to = picture.asset(&step.node.element, title(step.label, &step.node));
                let arrow = (from, to, reason(path, at, SHOWN));
                if !picture.arrows.contains(&arrow) {
                    picture.arrows.push(arrow);
                }
                from = to;
            }
        }
        picture
    }

    fn asset(&mut self, key: &str, text: String) -> usize {
        let known = self.assets.iter().position(|(known, _)| known == key);
        known.unwrap_or_else(|| {
            self.assets.push((key.to_owned(), text));
            self.assets.len() - 1
        })
    }
}

pub(super) fn mermaid(paths: &[Path]) -> String {
    let picture = Picture::of(paths);
    let mut out = "flowchart LR\n".to_owned();
    // A `String` takes any text.
    for (at, (_, text)) in picture.assets.iter().enumerate() {
        let _ = writeln!(out, "  n{at}[\"{}\"]", for_mermaid(text));
    }
    for (from, to, text) in &picture.arrows {
        let _ = writeln!(out, "  n{from} -->|\"{}\"| n{to}", for_mermaid(text));
    }
    out
}

/// Text in quotes, with the codes of Mermaid for all characters that have a meaning in it, in HTML or in Markdown.
fn for_mermaid(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in events::printable(text).chars() {
        if c.is_alphanumeric() || " .,:;/()-=+".contains(c) {
            out.push(c);
        } else {
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    out
}

pub(super) fn dot(paths: &[Path]) -> String {
    let picture = Picture::of(paths);
    let mut out = "digraph paths {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
    for (at, (_, text)) in picture.assets.iter().enumerate() {
        let _ = writeln!(out, "  n{at} [label=\"{}\"];", for_dot(text));
    }
    for (from, to, text) in &picture.arrows {
        let _ = writeln!(out, "  n{from} -> n{to} [label=\"{}\"];", for_dot(text));
    }
    out.push_str("}\n");
    out
}

/// Text in quotes.
fn for_dot(text: &str) -> String {
    events::printable(text).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::hostile;

    #[test]
    fn a_name_stays_in_its_box() {
        let paths = hostile().paths;
        let expected = "flowchart LR\n  n0[\"internet\"]\n  \
            n1[\"AWSEC2Instance i#34;#93;; click x#92;n#92;u#123;1b#125;#91;2J#124;#60;b#62;#92; (web #96;x#96;)\"]\n  \
            n0 -->|\"it forwards: may, under conditions #123;#34;a#34;:1#125;\"| n1\n";
        assert_eq!(mermaid(&paths), expected);
        let dot = dot(&paths);
        assert!(
            dot.contains("n1 [label=\"AWSEC2Instance i\\\"]; click x\\\\n\\\\u{1b}[2J|<b>\\\\ (web `x`)\"];\n"),
            "{dot}"
        );
    }

    #[test]
    fn an_asset_of_several_paths_occurs_once() {
        let path = hostile().paths.remove(0);
        let text = dot(&[path.clone(), path]);
        assert_eq!((text.matches("[label=").count(), text.matches("->").count()), (3, 1), "{text}");
    }
}
