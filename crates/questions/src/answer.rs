//! Answers: the rows of a question, each with an identity.

use crate::{arguments::Argument, question::Question};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Answer to a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<'a> {
    /// Question.
    pub question: &'a Question,
    /// Values of its parameters.
    pub arguments: Vec<Argument>,
    /// Number of assets that were checked.
    pub checked: u64,
    /// Findings, each with a value for each column of the question.
    pub rows: Vec<Vec<Value>>,
    /// Whether there are more rows than the caller's limit.
    pub is_cut: bool,
    /// Id of the sync since which the rows are new. `None`: the rows are all findings.
    pub new_since: Option<String>,
    /// Whether the rows are the first ones that are remembered, so that none of them counts as new.
    pub is_baseline: bool,
}

/// A row without a column of its question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{question}: the answer has no column {column}")]
pub struct AnswerError {
    question: String,
    column: String,
}

impl<'a> Answer<'a> {
    /// Makes an answer of the graph's rows. `limit` is the number of rows to keep; one more says that there are more.
    ///
    /// # Errors
    /// Fails if a row has not all columns of the question.
    pub fn new(
        question: &'a Question,
        arguments: Vec<Argument>,
        checked: u64,
        mut rows: Vec<Map<String, Value>>,
        limit: usize,
    ) -> Result<Self, AnswerError> {
        let is_cut = rows.len() > limit;
        rows.truncate(limit);
        let absent = |column: &String| AnswerError { question: question.name.clone(), column: column.clone() };
        let row = |mut row: Map<String, Value>| {
            question.columns.iter().map(|column| row.remove(column).ok_or_else(|| absent(column))).collect()
        };
        let rows = rows.into_iter().map(row).collect::<Result<_, _>>()?;
        Ok(Self { question, arguments, checked, rows, is_cut, new_since: None, is_baseline: false })
    }

    /// Value of a column in a row. Null: the question has no such column.
    pub fn value<'r>(&self, row: &'r [Value], column: &str) -> &'r Value {
        let at = self.question.columns.iter().position(|name| name == column);
        at.and_then(|at| row.get(at)).unwrap_or(&Value::Null)
    }

    /// Stable name of a row's finding: 32 hexadecimal digits of a hash of the question and of the row's identity. The same
    /// finding has it in every answer.
    pub fn finding(&self, row: &[Value]) -> String {
        let identity = self.question.identity.iter().map(|column| self.value(row, column).clone());
        let named: Vec<Value> = [Value::from(self.question.name.as_str())].into_iter().chain(identity).collect();
        // JSON of a list has one meaning only, whatever the values contain.
        events::hex(&Sha256::digest(Value::from(named).to_string())[..16])
    }

    /// Numbers of checked assets and of those with findings: `40 checked, 3 with findings`, `40 checked, at least 3 with
    /// findings`, `40 checked, 2 with new findings`. An asset with several findings counts once.
    pub fn found(&self) -> String {
        let least = if self.is_cut { "at least " } else { "" };
        let new = if self.new_since.is_some() { "new " } else { "" };
        let baseline = if self.is_baseline { " (baseline)" } else { "" };
        // Ids of some assets, such as private addresses, are unique only within their account and region.
        let columns = ["account", "region", self.question.id.as_str()];
        let asset = |row: &Vec<Value>| Value::from(columns.map(|column| self.value(row, column).clone())).to_string();
        let assets: BTreeSet<String> = self.rows.iter().map(asset).collect();
        format!("{} checked, {least}{} with {new}findings{baseline}", self.checked, assets.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{old_keys, row};
    use serde_json::json;

    #[test]
    fn a_finding_keeps_its_name_while_other_columns_change() {
        let question = old_keys();
        let rows = vec![
            row(&json!({"account": "1", "key": "AKIA1", "user": "a"})),
            row(&json!({"account": "1", "key": "AKIA1", "user": "b"})),
        ];
        let answer = Answer::new(&question, Vec::new(), 2, rows, 5).expect("columns");
        assert_eq!(answer.finding(&answer.rows[0]), answer.finding(&answer.rows[1]));
        assert_eq!(answer.finding(&answer.rows[0]), "6310657d1503ee6e9f1649293a42c3cb");
    }

    #[test]
    fn values_that_look_alike_together_are_different_findings() {
        let question = old_keys();
        let rows = [("1", "2,3"), ("1,2", "3")]
            .map(|(account, key)| row(&json!({"account": account, "key": key, "user": ""})));
        let answer = Answer::new(&question, Vec::new(), 2, rows.into(), 5).expect("columns");
        assert_ne!(answer.finding(&answer.rows[0]), answer.finding(&answer.rows[1]));
    }

    #[test]
    fn a_limit_is_told_from_the_end() {
        let question = old_keys();
        let rows = || ["AKIA1", "AKIA2", "AKIA3"].map(|key| row(&json!({"account": "1", "key": key, "user": "a"})));
        let of = |limit| Answer::new(&question, Vec::new(), 9, rows().into(), limit).expect("columns").found();
        assert_eq!(
            (of(2), of(3)),
            ("9 checked, at least 2 with findings".to_owned(), "9 checked, 3 with findings".to_owned())
        );
    }

    #[test]
    fn an_asset_with_several_findings_counts_once() {
        let question = old_keys();
        let rows = [("1", "AKIA1", "a"), ("1", "AKIA1", "b"), ("2", "AKIA1", "a")]
            .map(|(account, key, user)| row(&json!({"account": account, "key": key, "user": user})));
        let answer = Answer::new(&question, Vec::new(), 9, rows.into(), 5).expect("columns");
        assert_eq!((answer.rows.len(), answer.found()), (3, "9 checked, 2 with findings".to_owned()));
        let new = Answer { new_since: Some("01J".into()), ..answer };
        assert_eq!(new.found(), "9 checked, 2 with new findings");
        let baseline = Answer { new_since: None, is_baseline: true, ..new };
        assert_eq!(baseline.found(), "9 checked, 2 with findings (baseline)");
    }

    #[test]
    fn a_row_without_a_column_is_an_error() {
        let question = old_keys();
        let error = Answer::new(&question, Vec::new(), 1, vec![row(&json!({"account": "1"}))], 1).expect_err("no key");
        assert_eq!(error.to_string(), "old_keys: the answer has no column key");
    }
}
