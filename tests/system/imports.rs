//! Modules of a crate do not import each other in a circle.

mod source;

use source::Source;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::Path,
};

/// Modules that each module imports, by path, such as `a::b`.
type Imports = BTreeMap<String, BTreeSet<String>>;

/// Modules of a crate by path. The path of the root is empty.
#[derive(Default)]
struct Modules(BTreeMap<String, Source>);

impl Modules {
    /// Reads a crate from its root file, `lib.rs` or `main.rs`.
    fn read(root: &Path) -> Self {
        let text = std::fs::read_to_string(root).expect("a source file");
        let mut modules = Self::default();
        modules.add("", Source::parse(&text), &|module| {
            let below = root.with_file_name(module.replace("::", "/"));
            let files = [below.with_extension("rs"), below.join("mod.rs")];
            files.iter().find_map(|file| std::fs::read_to_string(file).ok())
        });
        modules
    }

    /// Adds a module and its children. `file` returns the text of a module's file. Generated code is at another path,
    /// and counts as empty.
    fn add(&mut self, module: &str, mut source: Source, file: &dyn Fn(&str) -> Option<String>) {
        for (name, braced) in std::mem::take(&mut source.children) {
            let path = child(module, &name);
            let code = braced.unwrap_or_else(|| Source::parse(&file(&path).unwrap_or_default()));
            self.add(&path, code, file);
        }
        self.0.insert(module.to_owned(), source);
    }

    /// Modules that each module imports, except ancestors and descendants.
    fn imports(&self) -> Imports {
        let targets = |module: &str, source: &Source| {
            let found = source.paths.iter().filter_map(|path| self.definer(module, path, true, &mut BTreeSet::new()));
            found.filter(|other| !is_within(module, other) && !is_within(other, module)).collect()
        };
        self.0.iter().map(|(module, source)| (module.clone(), targets(module, source))).collect()
    }

    /// Returns the module at a path, or the module that defines the item there, or `None` for another crate. The path
    /// is seen from `module`, at its `is_begin` or after its first segments. `passed` has the imports on the way: the
    /// crate `a` in `use a::a` is not the imported name.
    fn definer<'a>(
        &'a self,
        module: &str,
        path: &'a [String],
        is_begin: bool,
        passed: &mut BTreeSet<(String, &'a str)>,
    ) -> Option<String> {
        let Some((name, rest)) = path.split_first() else { return Some(module.to_owned()) };
        let below = child(module, name);
        let next = match name.as_str() {
            "crate" => "",
            "self" => module,
            "super" => parent(module),
            _ if self.0.contains_key(&below) => &below,
            _ => {
                let import = self.0[module].names.get(name).filter(|_| passed.insert((module.to_owned(), name)));
                let Some(import) = import else { return (!is_begin).then(|| module.to_owned()) };
                let found = self.definer(module, import, true, passed)?;
                let is_module = found.rsplit("::").next() == import.last().map(String::as_str);
                return if is_module { self.definer(&found, rest, false, passed) } else { Some(found) };
            }
        };
        self.definer(next, rest, false, passed)
    }
}

fn child(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") }
}

fn parent(module: &str) -> &str {
    module.rsplit_once("::").map_or("", |(parent, _)| parent)
}

/// Whether a module is another one or one of its descendants.
fn is_within(module: &str, other: &str) -> bool {
    other.is_empty() || module.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Shortest way between two modules, with both ends.
fn way<'a>(imports: &'a Imports, from: &'a str, to: &str) -> Option<Vec<&'a str>> {
    let (mut seen, mut ways) = (BTreeSet::from([from]), VecDeque::from([vec![from]]));
    while let Some(way) = ways.pop_front() {
        let last = *way.last()?;
        if last == to {
            return Some(way);
        }
        for next in imports.get(last).into_iter().flatten().map(String::as_str) {
            if seen.insert(next) {
                ways.push_back([way.as_slice(), &[next]].concat());
            }
        }
    }
    None
}

/// Shortest cycle through each import that is part of one, such as `a -> b -> a`. Begins with the first name.
fn cycles(imports: &Imports) -> BTreeSet<String> {
    let all = imports.iter().flat_map(|(from, targets)| targets.iter().map(move |to| (from, to)));
    let cycles = all.filter_map(|(from, to)| way(imports, to, from)).map(|mut cycle| {
        let first = cycle.iter().enumerate().min_by_key(|(_, name)| **name).map_or(0, |(at, _)| at);
        cycle.rotate_left(first);
        cycle.push(cycle[0]);
        cycle.join(" -> ")
    });
    cycles.collect()
}

#[test]
fn modules_do_not_import_each_other_in_a_circle() {
    let crates = std::fs::read_dir(testkit::workspace().join("crates")).expect("crates");
    let (mut found, mut count) = (BTreeSet::new(), 0);
    for folder in crates.map(|entry| entry.expect("an entry").path()) {
        let name = folder.file_name().expect("a name").to_string_lossy();
        let roots = ["src/lib.rs", "src/main.rs"].map(|root| folder.join(root));
        for root in roots.iter().filter(|root| root.exists()) {
            let modules = Modules::read(root);
            count += modules.0.len();
            found.extend(cycles(&modules.imports()).iter().map(|cycle| format!("{name}: {cycle}")));
        }
    }
    assert!(count > 300, "{count} modules");
    assert!(found.is_empty(), "{}", found.into_iter().collect::<Vec<_>>().join("\n"));
}

/// Imports of a crate with these modules, as `a -> b`.
fn imports_of(files: &[(&str, &str)]) -> Vec<String> {
    let text = |module: &str| files.iter().find(|(name, _)| *name == module).map(|(_, text)| (*text).to_owned());
    let mut modules = Modules::default();
    modules.add("", Source::parse(&text("").expect("a root")), &text);
    let imports = modules.imports();
    let all = imports.iter().flat_map(|(from, targets)| targets.iter().map(move |to| format!("{from} -> {to}")));
    all.collect()
}

#[test]
fn paths_lead_to_the_module_that_defines_the_item() {
    let cases: [(&str, &str, &[&str]); 13] = [
        ("", "use crate::b::B;", &["a -> b"]),
        ("", "use super::b::{self, B};", &["a -> b"]),
        ("", "use super::*;", &[]),
        ("", "fn a() { crate::b::B::new(); super::c::d::D::E }", &["a -> b", "a -> c::d"]),
        ("pub use b::B;", "use crate::B;", &["a -> b"]),
        ("use b::B as Other;", "use crate::Other::Variant;", &["a -> b"]),
        ("use c::d;", "use crate::d::D;", &["a -> c::d"]),
        ("", "use crate::c::D;", &["a -> c::d"]),
        ("", "use crate::c::Renamed;", &["a -> c::d"]),
        ("", "use crate::c::C;", &["a -> c"]),
        ("pub use b::b;", "use crate::b;", &["a -> b"]),
        ("pub use x::x; struct Y;", "use crate::{x, Y}; use b::B; use ::c::d;", &[]),
        ("", "use crate::c::Formatter;", &[]),
    ];
    let inner = "pub mod d; pub use d::D; pub use self::d::D as Renamed; use std::fmt::Formatter; struct C;";
    for (root, text, expected) in cases {
        let root = format!("mod a; mod b; mod c; {root}");
        assert_eq!(imports_of(&[("", &root), ("a", text), ("c", inner)]), expected, "{root} {text}");
    }
}

#[test]
fn parents_and_their_children_may_import_each_other() {
    let files = [("", "mod a;"), ("a", "mod b; mod c { use super::A; use super::b::B; } use b::B;")];
    assert_eq!(imports_of(&[files.as_slice(), &[("a::b", "use super::A; use crate::a;")]].concat()), ["a::c -> a::b"]);
}

#[test]
fn every_import_of_a_cycle_is_named() {
    let imports = |text: &str| -> Imports {
        let all = text.split(' ').map(|module| module.split_at(1));
        all.map(|(module, targets)| (module.to_owned(), targets.chars().map(String::from).collect())).collect()
    };
    let cases: [(&str, &[&str]); 4] = [
        ("ab bc c", &[]),
        ("ab bc ca", &["a -> b -> c -> a"]),
        ("ab bac cb", &["a -> b -> a", "b -> c -> b"]),
        ("abc bc cda da", &["a -> b -> c -> a", "a -> c -> a", "a -> c -> d -> a"]),
    ];
    for (text, expected) in cases {
        assert_eq!(cycles(&imports(text)).iter().map(String::as_str).collect::<Vec<_>>(), expected, "{text}");
    }
}
