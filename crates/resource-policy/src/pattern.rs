//! Patterns of actions and resources: `*` stands for any text, `?` for any character.

/// Whether `pattern` stands for everything that `other` stands for. Takes time in proportion to the product of both lengths.
pub(crate) fn covers(pattern: &str, other: &str) -> bool {
    let (pattern, other) = (pattern.as_bytes(), other.as_bytes());
    let (mut at, mut in_other) = (0, 0);
    // Position after the last `*`, and the beginning of the text that follows the part it stands for.
    let mut retry = None;
    while in_other < other.len() {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                retry = Some((at, in_other));
            }
            Some(&byte) if byte == other[in_other] || byte == b'?' && other[in_other] != b'*' => {
                at += 1;
                in_other += 1;
            }
            _ => {
                let Some((after, begin)) = retry else { return false };
                (at, in_other) = (after, begin + 1);
                retry = Some((after, begin + 1));
            }
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

/// Whether a text may match both patterns. May be wrong where it says yes: it compares the beginnings without wildcards.
pub(crate) fn may_overlap(one: &str, other: &str) -> bool {
    let plain = |pattern: &'_ str| pattern.find(['*', '?']).unwrap_or(pattern.len());
    let (one, other) = (&one[..plain(one)], &other[..plain(other)]);
    one.starts_with(other) || other.starts_with(one)
}

#[cfg(test)]
mod tests {
    use super::{covers, may_overlap};

    #[test]
    fn a_pattern_covers_narrower_ones() {
        for (pattern, other) in [
            ("*", "s3:Get*"),
            ("s3:*", "s3:Get*"),
            ("s3:Get*", "s3:GetObject"),
            ("s3:Get?bject", "s3:GetObject"),
            ("s3:*Object", "s3:*Object"),
            ("a*b*c", "aXbXbXc"),
            ("", ""),
        ] {
            assert!(covers(pattern, other), "{pattern} {other}");
        }
        for (pattern, other) in
            [("s3:Get*", "s3:*"), ("s3:?", "s3:*"), ("s3:GetObject", "s3:GetObjectAcl"), ("a*b", "abc"), ("", "a")]
        {
            assert!(!covers(pattern, other), "{pattern} {other}");
        }
    }

    #[test]
    fn patterns_with_other_beginnings_do_not_overlap() {
        assert!(may_overlap("s3:Get*", "s3:*") && may_overlap("*", "s3:Get") && may_overlap("s3:Get", "s3:Ge?"));
        assert!(!may_overlap("s3:Get*", "s3:Put*") && !may_overlap("iam:*", "s3:GetObject"));
    }
}
