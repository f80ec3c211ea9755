//! States of scopes as earlier versions wrote them: one property per value, some values packed into one text. The next
//! change of the scope replaces them with a record.

use crate::{
    feeds::Feeds,
    missing::{HeldBatch, Missing},
    run::Run,
    scopes::{Fed, Finish, Rejected, ScopeState},
    short::Shortened,
};
use events::Failure;
use neo4rs::{DeError, Row};

/// Columns of a scope `s`, as [`state`] reads them.
pub(super) const COLUMNS: &str = "s.tag AS tag, s.sync AS sync, s.attempt AS attempt, s.since AS since, \
    s.applied AS applied, s.edge_rows AS edge_rows, s.held AS held, s.expected AS expected, s.assets AS assets, \
    s.feeds AS feeds, s.feeds_tag AS feeds_tag, s.feeds_sync AS feeds_sync, s.feeds_attempt AS feeds_attempt, \
    s.failure AS failure, s.failure_class AS failure_class, s.lost AS lost, s.rejected AS rejected, \
    s.rejected_example AS rejected_example, s.shortened AS shortened";

/// Properties that only earlier versions wrote.
pub(super) const PROPERTIES: [&str; 11] = [
    "applied",
    "held",
    "expected",
    "feeds_tag",
    "feeds_sync",
    "feeds_attempt",
    "failure_class",
    "lost",
    "shortened",
    "node_feeds",
    "edge_feeds",
];

/// Whether an earlier version changed the state last. It always writes `applied`, and this version always removes it.
pub(super) fn has_written(row: &Row) -> Result<bool, DeError> {
    Ok(row.get::<Option<Vec<i64>>>("applied")?.is_some())
}

/// Returns the state. The inner error is a text that cannot be read.
pub(super) fn state(row: &Row, brought: Feeds) -> Result<Result<ScopeState, String>, DeError> {
    let text = |name: &str| row.get::<Option<String>>(name).map(Option::unwrap_or_default);
    let count = |name: &str| row.get::<Option<i64>>(name).map(|number| u64::try_from(number.unwrap_or(0)).unwrap_or(0));
    let texts = |name: &str| row.get::<Option<Vec<String>>>(name).map(Option::unwrap_or_default);
    let tag = |name: &str| row.get::<Option<i64>>(name).map(Option::unwrap_or_default);
    let run = Run { tag: tag("tag")?, sync: text("sync")?, attempt: small(count("attempt")?) };
    let finish = match row.get::<Option<i64>>("expected")? {
        None => None,
        Some(_) => Some(Finish { batches: small(count("expected")?), assets: count("assets")? }),
    };
    let feeds = match row.get::<Option<String>>("feeds")? {
        None => None,
        Some(id) => {
            let attempt = small(count("feeds_attempt")?);
            Some(Fed { run: Run { tag: tag("feeds_tag")?, sync: text("feeds_sync")?, attempt }, id })
        }
    };
    let (held, shortened) = match (all(&texts("held")?, held), all(&texts("shortened")?, shortened)) {
        (Ok(held), Ok(shortened)) => (held, shortened),
        (Err(text), _) | (_, Err(text)) => return Ok(Err(text)),
    };
    let class = i32::try_from(row.get::<Option<i64>>("failure_class")?.unwrap_or(0)).unwrap_or(0);
    Ok(Ok(ScopeState {
        run,
        since: tag("since")?,
        applied: row.get::<Option<Vec<u32>>>("applied")?.unwrap_or_default().into_iter().collect(),
        edge_rows: count("edge_rows")?,
        held: held.into_iter().collect(),
        finish,
        feeds,
        brought,
        failure: row.get::<Option<String>>("failure")?.map(|error| Failure { class, error }),
        lost: row.get::<Option<bool>>("lost")?.unwrap_or(false),
        rejected: Rejected { rows: count("rejected")?, example: row.get::<Option<String>>("rejected_example")? },
        shortened: shortened.into_iter().collect(),
    }))
}

/// Reads every text. Fails with the first one that cannot be read.
fn all<T>(texts: &[String], read: fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    texts.iter().map(|text| read(text).ok_or_else(|| text.clone())).collect()
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Reads `<sequence> <rows> <label> <label> … !<mark> !<mark> … #<batch>`, with marks in hexadecimal digits.
fn held(text: &str) -> Option<(HeldBatch, Missing)> {
    let mut words = text.split(' ');
    let (sequence, rows) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let mut name = HeldBatch::Sequence(sequence);
    let mut missing = Missing { sequence, rows, ..Missing::default() };
    for word in words {
        if let Some(mark) = word.strip_prefix('!') {
            missing.refused.insert(u64::from_str_radix(mark, 16).ok()?);
        } else if let Some(batch) = word.strip_prefix('#') {
            name = HeldBatch::Index(batch.parse().ok()?);
        } else {
            missing.labels.insert(word.to_owned());
        }
    }
    Some((name, missing))
}

/// Reads `<label> <count> <example>`. The example may contain spaces.
fn shortened(text: &str) -> Option<(String, Shortened)> {
    let mut words = text.splitn(3, ' ');
    let (label, count, example) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
    Some((label.to_owned(), Shortened { count, example: example.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_earlier_versions_are_read() {
        let labels = ["A".to_owned(), "B".to_owned()].into();
        let missing = Missing { sequence: 12, rows: 17, labels, refused: [3, u64::MAX].into() };
        let marks = "12 17 A B !3 !ffffffffffffffff";
        assert_eq!(held(marks), Some((HeldBatch::Sequence(12), missing.clone())));
        assert_eq!(held(&format!("{marks} #4")), Some((HeldBatch::Index(4), missing)));
        assert_eq!(shortened("A 2 a b …0"), Some(("A".into(), Shortened { count: 2, example: "a b …0".into() })));
    }

    #[test]
    fn a_text_that_cannot_be_read_is_an_error() {
        for text in ["", "12", "12 many A", "12 17 A !xyz", "12 17 A #"] {
            assert_eq!(all(&["7 1 A".to_owned(), text.to_owned()], held), Err(text.to_owned()));
        }
    }
}
