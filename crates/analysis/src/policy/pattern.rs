//! Wildcard patterns of IAM.

use super::{Covers, Known, Request};
use std::borrow::Cow;

/// An object key that no pattern names. A pattern that matches it matches any key, for all practical purposes.
const ANY_KEY: &str = "\u{e000}\u{e001}\u{e002}\u{e003}\u{e004}\u{e005}\u{e006}\u{e007}\u{e008}\u{e009}";

/// A pattern: `*` matches any text, including the empty text, and `?` one character. In ARNs, colons limit them
/// ([`Pattern::of_arn`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    /// Text before the first wildcard or variable.
    prefix: String,
    rest: Vec<Token>,
    has_variables: bool,
    variables: Variables,
}

/// Meaning of `${…}` in a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variables {
    /// Literal text: in policies of version 2008-10-17.
    Literal,
    /// A variable or literal text: the version is unknown.
    Either,
    /// A variable.
    Resolved,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Is(char),
    One {
        or_colon: bool,
    },
    Any {
        with_colons: bool,
    },
    /// A policy variable, which matches any text.
    Variable(Variable),
}

/// A policy variable: `${key}` or `${key, 'default'}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variable {
    /// Lower-case context key.
    pub(super) key: String,
    /// Value if the key is absent.
    pub(super) default: Option<String>,
}

impl Variable {
    /// Parses the text between the braces.
    pub(super) fn new(text: &str) -> Self {
        match text.split_once(',') {
            None => Self { key: text.trim().to_lowercase(), default: None },
            Some((key, default)) => {
                let default = default.trim();
                let quoted = default.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
                Self { key: key.trim().to_lowercase(), default: Some(quoted.unwrap_or(default).to_owned()) }
            }
        }
    }

    /// Returns its value in requests of this kind.
    pub(super) fn value<'a>(&'a self, request: Request<'a>) -> Known<'a> {
        match (request.value(&self.key), &self.default) {
            (Known::Absent, Some(default)) => Known::Is(default),
            (value, _) => value,
        }
    }
}

impl Pattern {
    /// Creates a pattern whose wildcards match any characters.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let tokens = text.chars().map(|char| token(char, true)).collect();
        Self::of_tokens(text, tokens, Variables::Literal)
    }

    /// Creates the pattern of an ARN. A wildcard matches no colon, except a `*` that is the last character of a segment
    /// (IAM user guide, "IAM JSON policy elements: Resource").
    pub fn of_arn(text: impl Into<String>, variables: Variables) -> Self {
        let text = text.into();
        let is_literal = variables == Variables::Literal;
        let mut tokens = if is_literal { text.chars().map(|char| token(char, false)).collect() } else { tokens(&text) };
        for position in 0..tokens.len() {
            let ends_segment = matches!(tokens.get(position + 1), None | Some(Token::Is(':')));
            if let Token::Any { with_colons } = &mut tokens[position] {
                *with_colons = ends_segment;
            }
        }
        Self::of_tokens(text, tokens, variables)
    }

    fn of_tokens(text: String, mut tokens: Vec<Token>, variables: Variables) -> Self {
        let fixed = tokens.iter().position(|token| !matches!(token, Token::Is(_))).unwrap_or(tokens.len());
        let rest = tokens.split_off(fixed);
        let prefix = tokens.into_iter().filter_map(|token| if let Token::Is(char) = token { Some(char) } else { None });
        let has_variables = rest.iter().any(|token| matches!(token, Token::Variable(_)));
        Self { text, prefix: prefix.collect(), rest, has_variables, variables }
    }

    /// Text as in the policy.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Prefix of all matching texts.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether it has no wildcard, so that it matches only one text.
    pub fn is_literal(&self) -> bool {
        self.rest.is_empty()
    }

    /// Whether it has `${…}` that may be a variable or literal text, because the policy's version is unknown.
    pub fn is_ambiguous(&self) -> bool {
        self.has_variables && self.variables == Variables::Either
    }

    /// Replaces the variables with known values. Returns `None` if one is absent, because then nothing matches. AWS
    /// resolves variables only after the fifth colon (IAM user guide, "IAM policy elements: Variables and tags");
    /// others stay open.
    pub fn of_request(&self, request: Request<'_>) -> Option<Cow<'_, Self>> {
        if !self.has_variables || self.variables != Variables::Resolved || request.caller.is_none() {
            return Some(Cow::Borrowed(self));
        }
        let mut colons = self.prefix.matches(':').count();
        let mut tokens: Vec<Token> = self.prefix.chars().map(Token::Is).collect();
        for token in &self.rest {
            colons += usize::from(*token == Token::Is(':'));
            match token {
                Token::Variable(variable) if colons >= 5 => match variable.value(request) {
                    Known::Is(value) => tokens.extend(value.chars().map(Token::Is)),
                    Known::Absent => return None,
                    Known::Unknown => tokens.push(token.clone()),
                },
                other => tokens.push(other.clone()),
            }
        }
        Some(Cow::Owned(Self::of_tokens(self.text.clone(), tokens, self.variables)))
    }

    /// Whether the pattern matches all of `subject`, for some values of its variables. Takes time proportional to at
    /// most the product of both lengths.
    pub fn matches(&self, subject: &str) -> bool {
        match (subject.strip_prefix(self.prefix()), self.rest.as_slice()) {
            (None, _) => false,
            (Some(rest), []) => rest.is_empty(),
            (Some(_), [Token::Any { with_colons: true }]) => true,
            (Some(rest), tokens) => walk(tokens, rest, |_| {}),
        }
    }

    /// Whether the pattern matches, with certainty.
    pub fn covers(&self, subject: &str) -> Covers {
        match (self.matches(subject), self.has_variables) {
            (false, _) => Covers::No,
            (true, true) => Covers::Maybe,
            (true, false) => Covers::Yes,
        }
    }

    /// Whether it matches the ARNs of all objects of a bucket, or of some.
    pub fn covers_objects(&self, bucket: &str) -> Covers {
        let folder = format!("{bucket}/");
        if self.matches(&format!("{folder}{ANY_KEY}")) {
            return if self.has_variables { Covers::Maybe } else { Covers::Yes };
        }
        if self.matches_beginning(&folder) { Covers::Maybe } else { Covers::No }
    }

    /// Whether it matches a text that is longer than `beginning` and starts with it.
    fn matches_beginning(&self, beginning: &str) -> bool {
        let Some(rest) = beginning.strip_prefix(self.prefix()) else {
            return self.prefix.len() > beginning.len() && self.prefix.starts_with(beginning);
        };
        let mut earliest = None;
        walk(&self.rest, rest, |tokens| earliest = earliest.or(Some(tokens)));
        let goes_on = |token: &Token| matches!(token, Token::Any { .. } | Token::Variable(_));
        earliest.is_some_and(|tokens| tokens < self.rest.len() || self.rest.last().is_some_and(goes_on))
    }
}

/// Token of a pattern's character. `colons`: whether wildcards match colons.
fn token(char: char, colons: bool) -> Token {
    match char {
        '*' => Token::Any { with_colons: colons },
        '?' => Token::One { or_colon: colons },
        other => Token::Is(other),
    }
}

/// Tokens of a text, in which `${*}`, `${?}` and `${$}` are these characters themselves.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        let variable = rest.strip_prefix("${").and_then(|behind| behind.split_once('}'));
        match variable {
            Some((name @ ("*" | "?" | "$"), behind)) => {
                tokens.extend(name.chars().map(Token::Is));
                rest = behind;
            }
            Some((name, behind)) => {
                tokens.push(Token::Variable(Variable::new(name)));
                rest = behind;
            }
            None => {
                tokens.push(token(char, false));
                rest = &rest[char.len_utf8()..];
            }
        }
    }
    tokens
}

/// Whether the tokens match the subject. Calls `matched(n)` whenever the first `n` tokens match the whole subject.
/// Tracks every prefix that is matched so far, because a star that cannot match a colon may fail where an earlier one
/// succeeds.
fn walk(tokens: &[Token], subject: &str, mut matched: impl FnMut(usize)) -> bool {
    let subject: Vec<char> = subject.chars().collect();
    let mut reached = vec![false; subject.len() + 1];
    let mut next = reached.clone();
    reached[0] = true;
    for (n, token) in tokens.iter().enumerate() {
        if reached.last() == Some(&true) {
            matched(n);
        }
        step(token, &subject, &reached, &mut next);
        std::mem::swap(&mut reached, &mut next);
    }
    let all = reached.last() == Some(&true);
    if all {
        matched(tokens.len());
    }
    all
}

/// Prefixes of the subject that match with one more token.
fn step(token: &Token, subject: &[char], reached: &[bool], next: &mut [bool]) {
    let any = match token {
        Token::Any { with_colons } => Some(*with_colons),
        Token::Variable(_) => Some(true),
        Token::Is(_) | Token::One { .. } => None,
    };
    next[0] = any.is_some() && reached[0];
    for (n, found) in subject.iter().enumerate() {
        next[n + 1] = match (any, token) {
            (Some(with_colons), _) => reached[n + 1] || (next[n] && (with_colons || *found != ':')),
            (None, Token::Is(expected)) => reached[n] && expected == found,
            (None, _) => reached[n] && (matches!(token, Token::One { or_colon: true }) || *found != ':'),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{Covers, Pattern, Request, Variables};
    use crate::policy::Caller;
    use proptest::prelude::*;

    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        let pattern = Pattern::new(pattern);
        for subject in matching {
            assert!(pattern.matches(subject), "{pattern:?} {subject}");
        }
        for subject in others {
            assert!(!pattern.matches(subject), "{pattern:?} {subject}");
        }
    }

    #[test]
    fn wildcards() {
        check("*", &["", "a", "a/b:c"], &[]);
        check("", &[""], &["a"]);
        check("s3:get*", &["s3:get", "s3:getobject"], &["s3:putobject", "xs3:get"]);
        check("a?c", &["abc", "a/c", "a?c"], &["ac", "abbc"]);
        check("a*c*e", &["ace", "abcde", "acccce"], &["abcd", "ae"]);
        check("*b", &["b", "ab", "abb"], &["a", "ba"]);
        check("?*", &["a", "ab"], &[""]);
        check("*é?", &["é1", "xéü"], &["é"]);
    }

    #[test]
    fn wildcards_of_an_arn_stay_within_a_segment() {
        let check = |pattern: &str, matching: &[&str], others: &[&str]| {
            let pattern = Pattern::of_arn(pattern, Variables::Resolved);
            assert!(matching.iter().all(|subject| pattern.matches(subject)), "{pattern:?} {matching:?}");
            assert!(!others.iter().any(|subject| pattern.matches(subject)), "{pattern:?} {others:?}");
        };
        check("*", &["", "arn:aws:iam::1:role/a"], &[]);
        check(
            "arn:aws:iam::*:role/a*b",
            &["arn:aws:iam::1:role/axb"],
            &["arn:aws:iam::1:role/a:b", "arn:aws:iam::1:user/axb"],
        );
        check("arn:aws:iam::1?2:role/a", &["arn:aws:iam::132:role/a"], &["arn:aws:iam::1:2:role/a"]);
        check(
            "arn:aws:iam::1*2:role/a",
            &["arn:aws:iam::12:role/a", "arn:aws:iam::1342:role/a"],
            &["arn:aws:iam::1:2:role/a"],
        );
        // A star at the end of a segment matches colons.
        check("arn:aws:*", &["arn:aws:s3:::b", "arn:aws:iam::1:role/a"], &["arn:aws-cn:s3:::b"]);
        check(
            "arn:aws:logs:*:*:log-group:a*",
            &["arn:aws:logs:r:1:log-group:a:log-stream:x"],
            &["arn:aws:logs:r:1:x:a"],
        );
        check("arn:*:s3:::l*/a/b", &["arn:aws:s3:::logs/a/b"], &["arn:aws:s3:::l:x/a/b"]);
    }

    #[test]
    fn everything_else_is_itself() {
        check("role/a.b+c", &["role/a.b+c"], &["role/axb+c", "role/a.bbc"]);
        check("role/[x]", &["role/[x]"], &["role/x"]);
        check("user/${aws:username}", &["user/${aws:username}"], &["user/alice", "user/"]);
        let old = Pattern::of_arn("arn:aws:iam::1:user/${aws:username}", Variables::Literal);
        assert!(old.is_literal() && !old.matches("arn:aws:iam::1:user/alice"), "a policy of version 2008-10-17");
        check("role/App", &["role/App"], &["role/app"]);
    }

    fn by(caller: &Caller) -> Request<'_> {
        Request { caller: Some(caller), resource: "r".into() }
    }

    #[test]
    fn variables_are_what_is_known_of_the_caller() {
        let (alice, role) = (Caller::of_arn("arn:aws:iam::1:user/x/alice"), Caller::of_arn("arn:aws:iam::1:role/r"));
        let covers = |pattern: &str, caller: &Caller, subject: &str| {
            let pattern = Pattern::of_arn(pattern, Variables::Resolved);
            pattern.of_request(by(caller)).map_or(Covers::No, |pattern| pattern.covers(subject))
        };
        let own = "arn:aws:iam::*:user/${aws:username}";
        assert_eq!(covers(own, &alice, "arn:aws:iam::1:user/alice"), Covers::Yes);
        assert_eq!(covers(own, &alice, "arn:aws:iam::1:user/bob"), Covers::No);
        assert_eq!(covers(own, &role, "arn:aws:iam::1:user/alice"), Covers::No, "roles have no aws:username");
        let team = "arn:aws:iam::1:role/${aws:PrincipalTag/team, 'none'}-*";
        assert_eq!(covers(team, &alice, "arn:aws:iam::1:role/red-app"), Covers::Maybe);
        assert_eq!(covers(team, &alice, "arn:aws:iam::1:role/red"), Covers::No);
        let default = "arn:aws:iam::1:role/${aws:username, 'none'}";
        assert_eq!(covers(default, &alice, "arn:aws:iam::1:role/alice"), Covers::Yes);
        assert_eq!(covers(default, &role, "arn:aws:iam::1:role/none"), Covers::Yes);
        assert_eq!(covers(default, &role, "arn:aws:iam::1:role/alice"), Covers::No);
        let account = "arn:aws:iam::${aws:PrincipalAccount}:role/app";
        assert_eq!(covers(account, &alice, "arn:aws:iam::1:role/app"), Covers::Maybe, "before the fifth colon");
        let unknown = Pattern::of_arn(own, Variables::Either);
        let unknown = unknown.of_request(by(&role)).expect("a pattern");
        assert_eq!(unknown.covers("arn:aws:iam::1:user/bob"), Covers::Maybe, "the version is not known");
        assert_eq!(covers("a:${*}${?}${$}*", &alice, "a:*?$x"), Covers::Yes);
        assert_eq!(covers("a:${*}", &alice, "a:b"), Covers::No);
        assert_eq!(covers("a:${x", &alice, "a:${x"), Covers::Yes, "no variable");
    }

    #[test]
    fn objects_of_a_bucket() {
        let of = |pattern: &str| Pattern::of_arn(pattern, Variables::Resolved).covers_objects("arn:aws:s3:::logs");
        for all in ["*", "arn:aws:s3:::logs/*", "arn:aws:s3:::l*", "arn:*:s3:::*/*", "arn:aws:s3:::lo?s/**"] {
            assert_eq!(of(all), Covers::Yes, "{all}");
        }
        for some in [
            "arn:aws:s3:::logs/a",
            "arn:aws:s3:::logs/a/*",
            "arn:*:s3:::l*/a",
            "arn:aws:s3:::logs/?",
            "arn:*:s3:::*/${x}",
        ] {
            assert_eq!(of(some), Covers::Maybe, "{some}");
        }
        for none in ["arn:aws:s3:::logs", "arn:aws:s3:::logs/", "arn:aws:s3:::log/*", "arn:aws:iam::1:role/*"] {
            assert_eq!(of(none), Covers::No, "{none}");
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        check(&"*a".repeat(40), &[], &[&"b".repeat(2_000)]);
        check(&format!("{}c", "*a".repeat(40)), &[], &[&"a".repeat(2_000)]);
    }

    /// Follows AWS's description step by step.
    fn naive(pattern: &[char], subject: &[char]) -> bool {
        match (pattern, subject) {
            ([], rest) => rest.is_empty(),
            (['*', behind @ ..], rest) => (0..=rest.len()).any(|skip| naive(behind, &rest[skip..])),
            (['?', behind @ ..], [_, rest @ ..]) => naive(behind, rest),
            ([expected, behind @ ..], [found, rest @ ..]) => expected == found && naive(behind, rest),
            (_, []) => false,
        }
    }

    /// Same for ARNs.
    fn naive_arn(pattern: &[char], subject: &[char]) -> bool {
        match (pattern, subject) {
            ([], rest) => rest.is_empty(),
            (['*', behind @ ..], rest) => {
                let passes_colons = behind.first().is_none_or(|next| *next == ':');
                let colon = rest.iter().position(|found| *found == ':').filter(|_| !passes_colons);
                (0..=colon.unwrap_or(rest.len())).any(|skip| naive_arn(behind, &rest[skip..]))
            }
            (['?', behind @ ..], [found, rest @ ..]) => *found != ':' && naive_arn(behind, rest),
            ([expected, behind @ ..], [found, rest @ ..]) => expected == found && naive_arn(behind, rest),
            (_, []) => false,
        }
    }

    proptest! {
        #[test]
        fn matches_what_a_naive_matcher_of_arns_does(pattern in "[ab:*?]{0,8}", subject in "[ab:]{0,10}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = naive_arn(&chars(&pattern), &chars(&subject));
            prop_assert_eq!(Pattern::of_arn(&*pattern, Variables::Resolved).matches(&subject), expected);
        }

        /// The value of a variable never changes a result that was decided without it.
        #[test]
        fn a_variable_is_some_text(pattern in "[ab:*]{0,4}[$][{]v[}][ab:*]{0,4}", value in "[ab:]{0,4}", subject in "[ab:]{0,8}") {
            let open = Pattern::of_arn(&*pattern, Variables::Resolved);
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let decided = naive_arn(&chars(&pattern.replace("${v}", &value)), &chars(&subject));
            prop_assert!(open.covers(&subject) != Covers::Yes);
            // A star before the variable ends a segment if the value begins with a colon.
            prop_assume!(!value.starts_with(':') && !value.is_empty());
            prop_assert!(!decided || open.covers(&subject) == Covers::Maybe, "{pattern} {value} {subject}");
        }

        #[test]
        fn matches_what_a_naive_matcher_does(pattern in "[ab*?é]{0,8}", subject in "[abé]{0,10}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = naive(&chars(&pattern), &chars(&subject));
            prop_assert_eq!(Pattern::new(&*pattern).matches(&subject), expected);
        }

        #[test]
        fn what_matches_begins_with_the_prefix(pattern in any::<String>(), subject in any::<String>()) {
            let pattern = Pattern::new(pattern);
            prop_assert!(!pattern.matches(&subject) || subject.starts_with(pattern.prefix()));
        }

        #[test]
        fn a_literal_matches_itself_alone(text in "[^*?]{0,8}", other in any::<String>()) {
            let pattern = Pattern::new(&*text);
            prop_assert!(pattern.is_literal() && pattern.matches(&text));
            prop_assert_eq!(pattern.matches(&other), text == other);
        }
    }
}
