//! IAM's patterns.

use std::str::Chars;

/// Text in which `*` stands for any text, the empty one included, and `?` for exactly one character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    /// Length of what comes before the first wildcard.
    fixed: usize,
    /// Wildcards stay within a segment between colons, but for a `*` at its end.
    segmented: bool,
}

impl Pattern {
    /// The pattern with this text, in which wildcards stand for any characters.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let fixed = text.find(['*', '?']).unwrap_or(text.len());
        Self { text, fixed, segmented: false }
    }

    /// The pattern of an ARN. A wildcard stands for no colon, but for a `*` that is the last character of a segment (IAM user
    /// guide, "IAM JSON policy elements: Resource").
    pub fn of_arn(text: impl Into<String>) -> Self {
        Self { segmented: true, ..Self::new(text) }
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
            (Some(rest), pattern) if self.segmented => within_segments(pattern, rest),
            (Some(rest), pattern) => matches(pattern, rest),
        }
    }

    /// Up to the first slash, and what comes behind it.
    pub(super) fn split_at_slash(&self) -> Option<(Self, &str)> {
        let split = self.text.split_once('/');
        split.map(|(before, behind)| (Self { segmented: self.segmented, ..Self::new(before) }, behind))
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

/// As [`matches`], for the pattern of an ARN. Keeps, for each beginning of the pattern, which beginnings of the subject it
/// matches: a star that may not pass a colon can fail where an earlier one still could go on.
fn within_segments(pattern: &str, subject: &str) -> bool {
    let subject: Vec<char> = subject.chars().collect();
    // reached[n]: the pattern so far matches the first n characters.
    let mut reached = vec![false; subject.len() + 1];
    reached[0] = true;
    let mut rest = pattern.chars().peekable();
    while let Some(here) = rest.next() {
        let ends_segment = rest.peek().is_none_or(|next| *next == ':');
        let mut next = vec![false; subject.len() + 1];
        if here == '*' {
            next[0] = reached[0];
            for (n, found) in subject.iter().enumerate() {
                next[n + 1] = reached[n + 1] || (next[n] && (ends_segment || *found != ':'));
            }
        } else {
            for (n, found) in subject.iter().enumerate() {
                next[n + 1] = reached[n] && (here == *found || (here == '?' && *found != ':'));
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or_default()
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
    fn wildcards_of_an_arn_stay_within_a_segment() {
        let check = |pattern: &str, matching: &[&str], others: &[&str]| {
            let pattern = Pattern::of_arn(pattern);
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
        // A star at the end of a segment may pass colons.
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

    /// The same for ARNs.
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
            prop_assert_eq!(Pattern::of_arn(&*pattern).matches(&subject), expected);
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
