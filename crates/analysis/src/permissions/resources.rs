//! Resources of one account, in an order that finds those of a pattern.

use crate::policy::{Pattern, Statement};
use std::ops::Range;

/// ARNs of an account's resources with one label.
#[derive(Debug, Default)]
pub struct Resources {
    /// Sorted, without duplicates.
    arns: Vec<String>,
}

impl Resources {
    /// Sorts ARNs given in any order.
    pub fn new(mut arns: Vec<String>) -> Self {
        arns.sort();
        arns.dedup();
        Self { arns }
    }

    /// Returns the resources that one of the statements may cover, sorted and without duplicates.
    /// [`Statement::applies`] decides whether it does.
    pub fn candidates<'a>(&self, statements: impl Iterator<Item = &'a Statement>) -> impl Iterator<Item = &str> {
        let mut ranges = Vec::new();
        for statement in statements {
            match statement.resources.only() {
                Some(patterns) => ranges.extend(patterns.iter().flat_map(|pattern| self.ranges(pattern))),
                None => ranges.push(0..self.arns.len()),
            }
        }
        merge(ranges).into_iter().flat_map(|range| &self.arns[range]).map(String::as_str)
    }

    /// Range of resources with the pattern's prefix. Also that of a bucket whose objects the pattern names: the shorter
    /// ARN that ends at the pattern's slash.
    fn ranges(&self, pattern: &Pattern) -> [Range<usize>; 2] {
        let prefix = pattern.prefix();
        let bucket = match prefix.split_once('/') {
            Some((bucket, _)) if prefix.contains(":s3:::") => self.beginning_with(bucket, true),
            _ => 0..0,
        };
        [self.beginning_with(prefix, pattern.is_literal()), bucket]
    }

    fn beginning_with(&self, prefix: &str, exactly: bool) -> Range<usize> {
        let start = self.arns.partition_point(|arn| arn.as_str() < prefix);
        let belongs = |arn: &String| if exactly { arn == prefix } else { arn.starts_with(prefix) };
        start..start + self.arns[start..].partition_point(belongs)
    }
}

/// Merges overlapping ranges and sorts them.
fn merge(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::{Resources, merge};
    use crate::policy::{Asked, Covers, Raw, Request, Statement};
    use proptest::prelude::*;

    fn statement(resource: Option<Vec<String>>, not_resource: Option<Vec<String>>) -> Statement {
        let mut asked = Asked::default();
        asked.add(&["a:b"]);
        let action = Some(vec!["*".to_owned()]);
        let raw = Raw { effect: Some("Allow".into()), action, resource, not_resource, ..Raw::default() };
        Statement::new(raw, &asked).expect("it matters")
    }

    fn check(arns: &[&str], patterns: &[&str], expected: &[&str]) {
        let resources = Resources::new(arns.iter().map(|&arn| arn.to_owned()).collect());
        let statements = [statement(Some(patterns.iter().map(|&it| it.to_owned()).collect()), None)];
        assert_eq!(resources.candidates(statements.iter()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn only_what_begins_alike_is_tried() {
        let roles = ["r/b1", "r/a", "r/b2", "q", "r/b", "s"];
        check(&roles, &["r/b"], &["r/b"]);
        check(&roles, &["r/b*"], &["r/b", "r/b1", "r/b2"]);
        check(&roles, &["r/b?", "q", "zz*"], &["q", "r/b", "r/b1", "r/b2"]);
        check(&roles, &["*"], &["q", "r/a", "r/b", "r/b1", "r/b2", "s"]);
        check(&roles, &["nothing"], &[]);
        check(&[], &["*"], &[]);
    }

    #[test]
    fn ranges_are_merged() {
        assert_eq!(merge(vec![4..6, 0..2, 1..3, 3..3, 6..7]), [0..3, 4..7]);
        assert!(merge(vec![]).is_empty());
    }

    proptest! {
        #[test]
        fn no_covered_resource_is_missed(
            arns in prop::collection::vec("arn:aws:(s3:::[ab]{1,2}|iam::1:role/[ab]{1,2})", 0..12),
            patterns in prop::option::of(prop::collection::vec(
                "arn:aws:(s3:::[ab*?]{1,2}(/[ab*]{0,2})?|iam::1:role/[ab*?]{1,3})|\\*|arn:\\*/a|arn:aws:s3:::a\\*/b", 0..4)),
            except in prop::option::of(prop::collection::vec("arn:aws:s3:::[ab*]{1,2}", 1..2)),
        ) {
            let statement = statement(patterns, except);
            let resources = Resources::new(arns.clone());
            let tried: Vec<&str> = resources.candidates(std::iter::once(&statement)).collect();
            for arn in &arns {
                prop_assert!(statement.applies(Request::of_anybody(arn.as_str())) == Covers::No || tried.contains(&arn.as_str()), "{}", arn);
            }
            prop_assert!(tried.is_sorted_by(|a, b| a < b), "each once: {:?}", tried);
        }
    }
}
