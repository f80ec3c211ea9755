//! Comments and literals in Rust and protobuf source.

/// Kind of a comment or literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A doc comment.
    Doc,
    /// Any other comment, or text of a page.
    Comment,
    /// A string literal.
    Literal,
}

/// Splits source into tokens, with the kind and text of each comment and string literal. Other tokens are a character
/// literal or a single character.
pub(crate) fn tokens(source: &str) -> impl Iterator<Item = (&str, Option<(Kind, &str)>)> {
    let (mut rest, mut before) = (source, '\n');
    std::iter::from_fn(move || {
        let (length, found) = first(rest, before);
        let (token, behind) = rest.split_at(length);
        before = token.chars().next_back()?;
        rest = behind;
        Some((token, found))
    })
}

/// Source without comments and literals: a space replaces each of them.
pub(crate) fn code(source: &str) -> String {
    let is_code = |token: &str, found: Option<_>| found.is_none() && token.chars().count() == 1;
    tokens(source).map(|(token, found)| if is_code(token, found) { token } else { " " }).collect()
}

/// Length of the first token in bytes, and its text if it is a comment or a string literal.
fn first(rest: &str, before: char) -> (usize, Option<(Kind, &str)>) {
    if let Some(comment) = rest.strip_prefix("//") {
        let length = rest.find('\n').unwrap_or(rest.len());
        let is_doc = comment.starts_with('!') || (comment.starts_with('/') && !comment.starts_with("//"));
        let kind = if is_doc { Kind::Doc } else { Kind::Comment };
        return (length, Some((kind, rest[..length].trim_start_matches(['/', '!']))));
    }
    let hashes = rest.strip_prefix('r').map(|raw| raw.len() - raw.trim_start_matches('#').len());
    if let Some(hashes) = hashes.filter(|hashes| rest[1 + hashes..].starts_with('"') && !is_of_word(before)) {
        let (begin, close) = (hashes + 2, format!("\"{}", "#".repeat(hashes)));
        let end = rest[begin..].find(&close).map_or(rest.len(), |at| begin + at);
        return ((end + close.len()).min(rest.len()), Some((Kind::Literal, &rest[begin..end])));
    }
    if let Some(literal) = rest.strip_prefix('"') {
        let end = unescaped(literal, '"').map_or(rest.len(), |at| 1 + at);
        return ((end + 1).min(rest.len()), Some((Kind::Literal, &rest[1..end])));
    }
    let mut chars = rest.chars();
    let length = match (chars.next(), chars.next(), chars.next()) {
        (Some('\''), Some('\\'), _) => unescaped(&rest[1..], '\'').map_or(1, |at| at + 2),
        (Some('\''), Some(char), Some('\'')) => char.len_utf8() + 2,
        (first, ..) => first.map_or(0, char::len_utf8),
    };
    (length, None)
}

/// Position of the first quote that is not escaped.
fn unescaped(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    text.char_indices().find_map(|(at, char)| {
        let found = char == quote && !is_escaped;
        is_escaped = char == '\\' && !is_escaped;
        found.then_some(at)
    })
}

/// Whether a character can be part of a word.
pub(crate) fn is_of_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_' || char == '\''
}

#[test]
fn code_has_no_comments_and_literals() {
    let source = "let a = r#\"{\"#; // {\n/// {\nfn b<'a>(c: &'a str) { ['{', '\\'', '\u{e9}', \"\\\"{\"] }";
    assert_eq!(code(source), "let a =  ;  \n \nfn b<'a>(c: &'a str) { [ ,  ,  ,  ] }");
}
