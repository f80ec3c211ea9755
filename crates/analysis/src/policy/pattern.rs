//! IAM's patterns.

use std::str::Chars;

/// Text in which `*` stands for any text, the empty one included, and `?` for exactly one character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    /// Length of what comes before the first wildcard.
    fixed: usize,
}

impl Pattern {
    /// The pattern with this text.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let fixed = text.find(['*', '?']).unwrap_or(text.len());
        Self { text, fixed }
    }

    /// What everything that matches begins with.
    pub fn prefix(&self) -> &str {
        &self.text[..self.fixed]
    }

    /// Whether it has no wildcard, and so matches one text.
    pub fn is_literal(&self) -> bool {
        self.fixed == self.text.len()
    }

    /// Whether all of `subject` matches. Takes at most the product of both lengths.
    pub fn matches(&self, subject: &str) -> bool {
        match (subject.strip_prefix(self.prefix()), &self.text[self.fixed..]) {
            (None, _) => false,
            (Some(rest), "") => rest.is_empty(),
            (Some(_), "*") => true,
            (Some(rest), pattern) => matches(pattern, rest),
        }
    }

    /// Up to the first slash, and what comes behind it.
    pub(super) fn split_at_slash(&self) -> Option<(Self, &str)> {
        self.text.split_once('/').map(|(before, behind)| (Self::new(before), behind))
    }
}

fn matches(pattern: &str, subject: &str) -> bool {
    let (mut pattern, mut subject) = (pattern.chars(), subject.chars());
    // What follows the last star, and the text from which it has to match if what was tried since does not.
    let mut retry: Option<(Chars<'_>, Chars<'_>)> = None;
    loop {
        let here = subject.clone();
        match (pattern.next(), subject.next()) {
            (Some('*'), _) => {
                subject = here.clone();
                retry = Some((pattern.clone(), here));
            }
            (Some('?'), Some(_)) => {}
            (Some(expected), Some(found)) if expected == found => {}
            (None, None) => return true,
            _ => {
                let Some((after_star, from)) = &mut retry else { return false };
                if from.next().is_none() {
                    return false;
                }
                (pattern, subject) = (after_star.clone(), from.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;
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
    fn everything_else_is_itself() {
        check("role/a.b+c", &["role/a.b+c"], &["role/axb+c", "role/a.bbc"]);
        check("role/[x]", &["role/[x]"], &["role/x"]);
        check("user/${aws:username}", &["user/${aws:username}"], &["user/alice", "user/"]);
        check("role/App", &["role/App"], &["role/app"]);
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        check(&"*a".repeat(40), &[], &[&"b".repeat(2_000)]);
        check(&format!("{}c", "*a".repeat(40)), &[], &[&"a".repeat(2_000)]);
    }

    /// What the words of AWS say, tried out one by one.
    fn naive(pattern: &[char], subject: &[char]) -> bool {
        match (pattern, subject) {
            ([], rest) => rest.is_empty(),
            (['*', behind @ ..], rest) => (0..=rest.len()).any(|skip| naive(behind, &rest[skip..])),
            (['?', behind @ ..], [_, rest @ ..]) => naive(behind, rest),
            ([expected, behind @ ..], [found, rest @ ..]) => expected == found && naive(behind, rest),
            (_, []) => false,
        }
    }

    proptest! {
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
