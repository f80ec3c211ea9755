//! The parts of a source file that say which modules it uses: `mod` items, `use` items and paths in the code.

use crate::tokens::code;
use std::collections::{BTreeMap, BTreeSet};

/// Segments of a path as written, such as `["crate", "a", "B"]`. A path of the extern prelude begins with `"::"`.
pub(crate) type Path = Vec<String>;

/// A module without its tests.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Source {
    /// Names that `use` items bring into scope, with the path of each.
    pub(crate) names: BTreeMap<String, Path>,
    /// Paths of the `use` items, and paths in the code that begin with `crate`, `self` or `super`.
    pub(crate) paths: BTreeSet<Path>,
    /// Child modules: `None` for a child in a separate file.
    pub(crate) children: Vec<(String, Option<Source>)>,
}

impl Source {
    /// Parses the text of a file.
    pub(crate) fn parse(text: &str) -> Self {
        let code = code(text);
        let mut tokens = Tokens { code: &code };
        tokens.module()
    }
}

/// Rest of a file: words, `::` and single characters.
struct Tokens<'a> {
    code: &'a str,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let (token, rest) = self.split();
        self.code = rest;
        (!token.is_empty()).then_some(token)
    }
}

impl<'a> Tokens<'a> {
    /// Splits the next token from the rest. It is empty at the end.
    fn split(&self) -> (&'a str, &'a str) {
        let code = self.code.trim_start();
        let word = code.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(code.len());
        let length = if code.starts_with("::") { 2 } else { code.chars().next().map_or(0, char::len_utf8) };
        code.split_at(word.max(length))
    }

    fn peek(&self) -> &'a str {
        self.split().0
    }

    /// Takes the next token if it is this one.
    fn take(&mut self, token: &str) -> bool {
        let is_next = self.peek() == token;
        if is_next {
            self.next();
        }
        is_next
    }

    /// Takes a module up to the brace that closes it, or to the end of the file.
    fn module(&mut self) -> Source {
        let (mut source, mut depth) = (Source::default(), 0_usize);
        while let Some(token) = self.next() {
            match token {
                "#" if self.attribute() => self.skip_item(),
                "mod" => {
                    let name = self.next().unwrap_or_default().to_owned();
                    let code = self.take("{").then(|| self.module());
                    source.children.push((name, code));
                }
                // `use<'a>` is a bound.
                "use" if self.peek() != "<" => {
                    for (name, path) in self.imports(&Path::new()) {
                        source.names.insert(name, path.clone());
                        source.paths.insert(path);
                    }
                }
                "crate" | "self" | "super" if self.peek() == "::" => {
                    source.paths.insert(self.path(token));
                }
                "{" => depth += 1,
                "}" if depth == 0 => break,
                "}" => depth -= 1,
                _ => {}
            }
        }
        source
    }

    /// Takes an attribute after its `#`. Returns whether it is `#[cfg(test)]`.
    fn attribute(&mut self) -> bool {
        self.take("!");
        let rest = self.code;
        self.skip_group();
        let text: String = rest[..rest.len() - self.code.len()].split_whitespace().collect();
        text == "[cfg(test)]"
    }

    /// Takes an item after its first attribute: up to the semicolon or the braces at its end.
    fn skip_item(&mut self) {
        let is_import = |tokens: &Self| tokens.peek() == "use";
        let mut ends_with_semicolon = is_import(self);
        loop {
            match self.peek() {
                ";" | "" => break,
                "{" if !ends_with_semicolon => return self.skip_group(),
                "(" | "[" | "{" => self.skip_group(),
                _ => _ = self.next(),
            }
            ends_with_semicolon |= is_import(self);
        }
        self.next();
    }

    /// Takes a group in parentheses, brackets or braces.
    fn skip_group(&mut self) {
        let mut depth = 0_usize;
        for token in self {
            match token {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }

    /// Takes a path after its first segment.
    fn path(&mut self, first: &str) -> Path {
        let mut path = vec![first.to_owned()];
        while self.take("::") {
            // Generic arguments, or a macro's group.
            if !self.peek().starts_with(|char: char| char.is_alphabetic() || char == '_') {
                break;
            }
            path.extend(self.next().map(str::to_owned));
        }
        path
    }

    /// Takes the tree of a `use` item, or a branch of it below `prefix`. Returns names in scope with their paths. The
    /// name of a glob is `*`, and its path is that of the module.
    fn imports(&mut self, prefix: &Path) -> Vec<(String, Path)> {
        let mut path = prefix.clone();
        if path.is_empty() && self.take("::") {
            path.push("::".to_owned());
        }
        loop {
            if self.take("{") {
                let mut found = Vec::new();
                while !self.take("}") && !self.peek().is_empty() {
                    found.extend(self.imports(&path));
                    self.take(",");
                }
                return found;
            }
            let Some(token) = self.next() else { return Vec::new() };
            if token == "*" {
                return vec![(token.to_owned(), path)];
            }
            if token != "self" || path.is_empty() {
                path.push(token.to_owned());
            }
            if !self.take("::") {
                break;
            }
        }
        let name = if self.take("as") { self.next().map(str::to_owned) } else { path.last().cloned() };
        name.map(|name| (name, path)).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Source;

    /// Paths of a module, each joined, and names that differ from the end of their path as `name = path`.
    fn paths(source: &Source) -> Vec<String> {
        let renamed = source.names.iter().filter(|(name, path)| path.last() != Some(name));
        let renamed = renamed.map(|(name, path)| format!("{name} = {}", path.join("::")));
        source.paths.iter().map(|path| path.join("::")).chain(renamed).collect()
    }

    #[test]
    fn imports_are_found() {
        let cases: [(&str, &[&str]); 9] = [
            ("use crate::a::B;", &["crate::a::B"]),
            (
                "use crate::{a::{B, c::{self, D}, e}, F,};",
                &["crate::F", "crate::a::B", "crate::a::c", "crate::a::c::D", "crate::a::e"],
            ),
            ("use super::{self as above, super::a};", &["super", "super::super::a", "above = super"]),
            ("use self::a::B; pub(crate) use b::C;", &["b::C", "self::a::B"]),
            ("use crate::a::B as C; use a as _;", &["a", "crate::a::B", "C = crate::a::B", "_ = a"]),
            ("pub use crate::a::*;", &["crate::a", "* = crate::a"]),
            ("use ::a::B;", &["::::a::B"]),
            ("fn a() -> impl B + use<'a> { use super::c; }", &["super::c"]),
            ("// use crate::a;\nconst A: &str = \"use crate::b;\"; /// [`crate::c`]\nfn d() {}", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(paths(&Source::parse(text)), expected, "{text}");
        }
    }

    #[test]
    fn paths_in_the_code_are_found() {
        let text = "pub(crate) fn a(self: crate::b::C<super::d::E>) { self.x; crate::f::g::<H>(); $crate::i!(); }";
        let expected = ["crate::b::C", "crate::f::g", "crate::i", "super::d::E"];
        assert_eq!(paths(&Source::parse(text)), expected);
    }

    #[test]
    fn children_are_found() {
        let source = Source::parse("mod a; pub(crate) mod b { use super::c; mod d {} fn e() {} } use f;");
        let [(a, None), (b, Some(inner))] = source.children.as_slice() else { panic!("{source:?}") };
        assert_eq!((a.as_str(), b.as_str()), ("a", "b"));
        assert_eq!((paths(inner), inner.children.len()), (vec!["super::c".to_owned()], 1));
        assert_eq!(paths(&source), ["f"]);
    }

    #[test]
    fn tests_are_left_out() {
        for item in [
            "mod tests;",
            "mod tests { use crate::a; fn b() {} }",
            "pub(crate) use crate::a::{B, C};",
            "#[allow(dead_code)] fn a(_: [u8; 3]) { crate::b::c(); }",
            "const A: [u8; 3] = [crate::a::B; 3];",
            "impl crate::a::B { fn c() {} }",
        ] {
            let source = Source::parse(&format!("use a; #[cfg(test)] {item} use b; #[cfg(unix)] mod c;"));
            assert_eq!((paths(&source), source.children.len()), (vec!["a".to_owned(), "b".to_owned()], 1), "{item}");
        }
    }
}
