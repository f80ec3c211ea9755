//! The style of comments, messages and pages (CONTRIBUTING.md, "Style"), as far as a list of phrases can keep it.

use crate::tokens::{Kind, is_of_word, tokens};
use std::{path::Path, process::Command};

/// Phrases that take effort to understand, each with its replacement. Lower case; words are separated by one space.
const PHRASES: &[(&str, &str)] = &[
    ("again and again", "repeatedly"),
    ("anew", "again"),
    ("anybody", "any client, any caller, …"),
    ("as it stands", "as in …"),
    ("asked anew", "asked again"),
    ("at once", "`immediately`, or `at the same time`"),
    ("be had", "`is not available`, `obtain`"),
    ("but for", "except"),
    ("by and by", "gradually"),
    ("came of", "result of"),
    ("can be gone", "can be entered, works"),
    ("comes of", "result of"),
    ("for ever", "forever"),
    ("go on", "continue"),
    ("goes on", "continues"),
    ("had of", "obtained from"),
    ("has to be", "must be"),
    ("has to do", "must do"),
    ("have to be", "must be"),
    ("hears of", "receives"),
    ("in hand", "current, unfinished"),
    ("is none of", "is not one of"),
    ("is said", "is logged, is reported"),
    ("lets go of", "drops"),
    ("lets in", "allows"),
    ("looked at", "checked, read"),
    ("looked into", "read"),
    ("may be gone", "may not exist"),
    ("no word", "no message"),
    ("nobody", "no client, no process, …"),
    ("none for no", "empty for no"),
    ("none when", "`None` if, or `empty` if"),
    ("none where", "`None` if, or `empty` if"),
    ("not believed", "rejected"),
    ("nothing but", "only"),
    ("nothing when", "`None` if, or `empty` if"),
    ("of one's own", "a custom …"),
    ("of which there is", "name it"),
    ("on its way to", "before it reaches"),
    ("says so", "logs it, reports it"),
    ("so many", "the number, or `this many`"),
    ("so much", "the number, or `this much`"),
    ("somebody", "a user, a client, …"),
    ("stand in", "are in"),
    ("stands in", "is in"),
    ("stands there", "is there"),
    ("taken away", "removed"),
    ("taken for", "treated as"),
    ("takes away", "removes"),
    ("takes notice", "responds"),
    ("the one that", "name it"),
    ("was said", "was logged, was reported"),
    ("what became of", "result of"),
    ("what becomes of", "result of"),
    ("what came of", "result of"),
    ("what comes of", "result of"),
    ("what is wrong", "the problem"),
    ("what it says", "its content"),
    ("what they say", "their content"),
    ("when there is none", "`None` if, or `empty` if"),
    ("where there is none", "`None` if, or `empty` if"),
    ("which is no", "which is not a"),
    ("whoever", "name the client or process"),
    ("whom", "which …"),
    ("whose it is", "its owner"),
    ("without a word", "without a message"),
    ("would be said", "would be reported"),
];
/// Words that begin a clause instead of a verb or a noun.
const CLAUSES: &[&str] =
    &["what", "whatever", "who", "whoever", "whose", "whom", "why", "how", "where", "which", "when"];

/// Consecutive lines of a comment, or one string literal.
#[derive(Debug, PartialEq, Eq)]
struct Passage {
    kind: Kind,
    /// First and last line, from 1.
    lines: (usize, usize),
    text: String,
}

/// Comments and string literals of a source file.
fn passages(source: &str) -> Vec<Passage> {
    let (mut passages, mut line): (Vec<Passage>, _) = (Vec::new(), 1);
    for (token, found) in tokens(source) {
        let end = line + token.matches('\n').count();
        match (found, passages.last_mut()) {
            (Some((kind, text)), Some(last))
                if kind != Kind::Literal && last.kind == kind && last.lines.1 + 1 == line =>
            {
                last.text = format!("{}\n{text}", last.text);
                last.lines.1 = line;
            }
            (Some((kind, text)), _) => passages.push(Passage { kind, lines: (line, end), text: text.to_owned() }),
            (None, _) => {}
        }
        line = end;
    }
    passages
}

/// Words in lower case with their lines. `None` stands for punctuation, and for code in backticks.
fn words(passage: &Passage) -> Vec<(Option<String>, usize)> {
    let (mut words, mut word, mut line, mut is_code) = (Vec::new(), String::new(), passage.lines.0, false);
    for char in passage.text.chars().chain([' ']) {
        if is_of_word(char) && !is_code {
            word.extend(char.to_lowercase());
            continue;
        }
        if !word.is_empty() {
            words.push((Some(std::mem::take(&mut word)), line));
        }
        is_code ^= char == '`';
        line += usize::from(char == '\n');
        // A backslash at the end of a line continues a string literal.
        if !char.is_whitespace() && char != '\\' {
            words.push((None, line));
        }
    }
    words
}

/// Lines with a phrase of the list, and the advice for each.
fn phrases(passage: &Passage) -> Vec<(usize, String)> {
    let words = words(passage);
    let mut found = Vec::new();
    for (at, (_, line)) in words.iter().enumerate() {
        for (phrase, instead) in PHRASES {
            let mut rest = words[at..].iter().map(|(word, _)| word.as_deref());
            if phrase.split(' ').all(|word| rest.next() == Some(Some(word))) {
                found.push((*line, format!("`{phrase}`; instead: {instead}")));
            }
        }
    }
    found
}

/// Lines of a doc comment that begin with a clause: its first one, and those after `# Errors` and `# Panics`.
fn clauses(passage: &Passage) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut is_begin = passage.kind == Kind::Doc;
    for (line, text) in (passage.lines.0..).zip(passage.text.lines()) {
        let first = text.trim().split(|char: char| !is_of_word(char)).next().unwrap_or_default();
        if is_begin && CLAUSES.contains(&first.to_lowercase().as_str()) {
            let instead = "a verb (`Returns …`, `Fails if …`) or a noun";
            found.push((line, format!("begins with `{first}`; instead: {instead}")));
        }
        is_begin = passage.kind == Kind::Doc && ["# Errors", "# Panics"].contains(&text.trim());
    }
    found
}

/// Whether a passage is for readers: strings of tests are not.
fn is_read(file: &str, source: &str, passage: &Passage) -> bool {
    let tests = source.find("#[cfg(test)]\nmod ").map_or(usize::MAX, |at| source[..at].matches('\n').count());
    passage.kind != Kind::Literal || (file.contains("/src/") && !file.ends_with("tests.rs") && passage.lines.0 < tests)
}

/// A page without its blocks of code, as one passage.
fn page(text: &str) -> Passage {
    let mut is_code = false;
    let prose = text.lines().map(|line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        if is_code || is_fence { "" } else { line }
    });
    let text = prose.collect::<Vec<_>>().join("\n");
    Passage { kind: Kind::Comment, lines: (1, text.lines().count()), text }
}

/// Findings in a file: `file:line: problem; instead: advice`.
fn findings(file: &str, source: &str) -> Vec<String> {
    let passages =
        if Path::new(file).extension().is_some_and(|it| it == "md") { vec![page(source)] } else { passages(source) };
    let read = passages.iter().filter(|passage| is_read(file, source, passage));
    let found = read.flat_map(|passage| [phrases(passage), clauses(passage)].concat());
    found.map(|(line, problem)| format!("{file}:{line}: {problem}")).collect()
}

#[test]
fn comments_messages_and_pages_are_plain_english() {
    let root = testkit::workspace();
    let listed = Command::new("git").args(["ls-files", "*.rs", "*.proto", "*.md"]).current_dir(root).output();
    let files = String::from_utf8(listed.expect("git runs").stdout).expect("names");
    assert!(files.lines().count() > 300);
    let mut all = Vec::new();
    for file in files.lines().filter(|file| !file.contains("/generated")) {
        // A file that is deleted but not yet committed.
        let Ok(source) = std::fs::read_to_string(root.join(file)) else { continue };
        all.extend(findings(file, &source));
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn phrases_are_found_in_comments_and_messages_only() {
    let nobody = "crates/x/src/a.rs:1: `nobody`; instead: no client, no process, …";
    let cases: [(&str, &str, &[&str]); 9] = [
        ("/// Nobody answers.", "crates/x/src/a.rs", &[nobody]),
        ("let x = \"nobody\"; // fine", "crates/x/src/a.rs", &[nobody]),
        ("let x = r#\"\"nobody\"\"#;", "crates/x/src/a.rs", &[nobody]),
        ("let x = \"nobody\";", "crates/x/tests/a.rs", &[]),
        ("#[cfg(test)]\nmod tests { const A: &str = \"nobody\"; }", "crates/x/src/a.rs", &[]),
        ("fn nobody(x: char) { x == '\"' } // `nobody` is code", "crates/x/src/a.rs", &[]),
        ("// It is none. When it is.", "crates/x/src/a.rs", &[]),
        (
            "fn a() {}\n// x\n// none\n//   when",
            "a.proto",
            &["a.proto:3: `none when`; instead: `None` if, or `empty` if"],
        ),
        ("A page.\n```\nnobody\n```\nNobody", "a.md", &["a.md:5: `nobody`; instead: no client, no process, …"]),
    ];
    for (source, file, expected) in cases {
        assert_eq!(findings(file, source), expected, "{source}");
    }
}

#[test]
fn doc_comments_begin_with_a_verb_or_a_noun() {
    let source = "//! What it is.\n\n/// Reads it.\n///\n/// # Errors\n/// When it fails.\nfn a() {}\n// Why not.\n";
    let instead = "instead: a verb (`Returns …`, `Fails if …`) or a noun";
    assert_eq!(
        findings("a.rs", source),
        [format!("a.rs:1: begins with `What`; {instead}"), format!("a.rs:6: begins with `When`; {instead}")]
    );
}
