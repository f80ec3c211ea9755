//! Rows of a request with many repeated values: an account's node, a place, a tag, the name of a type. Such a value
//! travels once, as one of `$words`, and rows hold its position there; other values are in the row itself.

use crate::{
    bolt,
    requests::{MOST_ROWS, most_bytes},
};
use graph::Transaction;
use neo4rs::{BoltType, Row};
use std::collections::{HashMap, HashSet};

/// Bytes of a position among the words: the same as for any integer of that size.
const REFERENCE: usize = 3;

/// A column of a row.
#[derive(Debug, Clone)]
pub(crate) enum Cell<'a> {
    /// `$words[row[n]]`
    Word(Word<'a>),
    /// `row[n]`
    Own(BoltType),
}

/// A value that many rows share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Word<'a> {
    Text(&'a str),
    Number(i64),
    /// A label and further ones.
    Labels(Option<&'a str>, &'a [String]),
}

impl<'a> Cell<'a> {
    pub(crate) fn text(text: &'a str) -> Self {
        Self::Word(Word::Text(text))
    }

    pub(crate) fn number(number: i64) -> Self {
        Self::Word(Word::Number(number))
    }

    pub(crate) fn labels(first: Option<&'a str>, others: &'a [String]) -> Self {
        Self::Word(Word::Labels(first, others))
    }

    pub(crate) fn position(number: usize) -> Self {
        Self::Own(bolt::integer(number))
    }

    pub(crate) fn own(value: impl Into<BoltType>) -> Self {
        Self::Own(value.into())
    }

    /// Returns the bytes on the wire. `is_new` tells whether the word is not among the words yet.
    fn size(&self, is_new: impl FnOnce(Word<'a>) -> bool) -> usize {
        match self {
            Self::Own(value) => bolt::size(value),
            Self::Word(word) if is_new(*word) => REFERENCE + bolt::size(&BoltType::from(*word)),
            Self::Word(_) => REFERENCE,
        }
    }
}

impl From<Word<'_>> for BoltType {
    fn from(word: Word<'_>) -> Self {
        match word {
            Word::Text(text) => text.into(),
            Word::Number(number) => number.into(),
            Word::Labels(first, others) => bolt::texts(first.into_iter().chain(others.iter().map(String::as_str))),
        }
    }
}

/// Runs the statement for these rows, and returns its answers.
pub(crate) async fn run(
    transaction: &mut Transaction,
    text: &str,
    rows: Vec<Vec<Cell<'_>>>,
) -> Result<Vec<Row>, neo4rs::Error> {
    let mut answers = Vec::new();
    for Request { rows, words, .. } in requests(rows, text.len()) {
        let query = bolt::planned_once(text, [("rows", bolt::list(rows)), ("words", bolt::list(words))]);
        answers.extend(transaction.rows(query).await?);
    }
    Ok(answers)
}

/// Rows that travel together, with their words.
struct Request<'a> {
    rows: Vec<BoltType>,
    words: Vec<BoltType>,
    positions: HashMap<Word<'a>, usize>,
    bytes: usize,
}

impl<'a> Request<'a> {
    fn new(overhead: usize) -> Self {
        Self { rows: Vec::new(), words: Vec::new(), positions: HashMap::new(), bytes: overhead }
    }

    /// Returns the bytes that the row would add. A word that it has twice counts twice.
    fn cost(&self, row: &[Cell<'a>]) -> usize {
        row.iter().map(|cell| cell.size(|word| !self.positions.contains_key(&word))).sum()
    }

    fn add(&mut self, row: Vec<Cell<'a>>, cost: usize) {
        self.bytes += cost;
        let cells = row.into_iter().map(|cell| match cell {
            Cell::Own(value) => value,
            Cell::Word(word) => bolt::integer(*self.positions.entry(word).or_insert_with(|| {
                self.words.push(word.into());
                self.words.len() - 1
            })),
        });
        self.rows.push(bolt::list(cells));
    }
}

/// Cuts rows as [`requests`](crate::requests) does. Each request also carries `overhead` bytes.
fn requests(rows: Vec<Vec<Cell<'_>>>, overhead: usize) -> Vec<Request<'_>> {
    let mut words = HashSet::new();
    let total = overhead + rows.iter().flatten().map(|cell| cell.size(|word| words.insert(word))).sum::<usize>();
    let most = most_bytes(total);
    let mut requests = Vec::new();
    let mut request = Request::new(overhead);
    for row in rows {
        let mut cost = request.cost(&row);
        let is_full = request.bytes + cost > most || request.rows.len() >= MOST_ROWS;
        if is_full && !request.rows.is_empty() {
            requests.push(std::mem::replace(&mut request, Request::new(overhead)));
            cost = request.cost(&row);
        }
        request.add(row, cost);
    }
    if !request.rows.is_empty() {
        requests.push(request);
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn row(own: usize) -> Vec<Cell<'static>> {
        vec![Cell::own("x".repeat(own)), Cell::text("a place"), Cell::number(7), Cell::labels(Some("A"), &[])]
    }

    #[test]
    fn a_word_travels_once_in_a_request() {
        let requests = requests(vec![row(1), row(2)], 0);
        expect![[r#"
            [List(BoltList { value: [String(BoltString { value: "x" }), Integer(BoltInteger { value: 0 }), Integer(BoltInteger { value: 1 }), Integer(BoltInteger { value: 2 })] }), List(BoltList { value: [String(BoltString { value: "xx" }), Integer(BoltInteger { value: 0 }), Integer(BoltInteger { value: 1 }), Integer(BoltInteger { value: 2 })] })]
            [String(BoltString { value: "a place" }), Integer(BoltInteger { value: 7 }), List(BoltList { value: [String(BoltString { value: "A" })] })]
        "#]]
        .assert_eq(&format!("{:?}\n{:?}\n", requests[0].rows, requests[0].words));
        assert_eq!(requests.len(), 1);
    }

    #[test]
    fn requests_of_an_awkward_size_are_cut_and_each_has_its_words() {
        let requests = requests((0..300).map(|_| row(100)).collect(), 500);
        assert!(requests.len() > 1);
        for request in requests {
            assert!(request.bytes <= 7_600 && request.words.len() == 3, "{} bytes", request.bytes);
        }
    }

    #[test]
    fn no_rows_are_no_request() {
        assert_eq!(requests(Vec::new(), 500).len(), 0);
    }
}
