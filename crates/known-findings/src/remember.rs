//! Writes the findings of an answer, in batches.
//!
//! Each run claims the question's node before it asks the question, and gets a time that is larger than those of all earlier
//! runs. Every transaction locks that node first, and stops if a newer run has claimed it: of two concurrent runs, the newer
//! one alone decides. Its answer was read after its claim, so it is never older than one that was remembered before. A run
//! that was killed halfway leaves findings without a mark, and the next run completes them.

use crate::{
    key,
    syncs::{Mark, Sync},
};
use graph::{GraphError, GraphStore, Portion, parameters};
use neo4rs::{BoltType, Row};
use questions::{Answer, Argument, Question};
use std::{fmt, ops::AddAssign};

/// Number of findings written in one transaction.
static WRITTEN: Portion = Portion::new(1_000);
/// Number of findings marked as gone in one transaction.
static GONE: Portion = Portion::new(5_000);
/// Most syncs that a question keeps.
const MARKS: i64 = 500;

/// Locks the question's node before its property is read. See decision 16.
macro_rules! locked {
    () => {
        "MATCH (q:GromaQuestion {id: $asked}) FOREACH (one IN [q] | SET one.touched = timestamp()) \
         WITH q WHERE q.run = $run "
    };
}

const CLAIM: &str = "MERGE (q:GromaQuestion {id: $asked}) FOREACH (one IN [q] | SET one.touched = timestamp()) \
    WITH q SET q.run = CASE WHEN q.run >= timestamp() THEN q.run + 1 ELSE timestamp() END, \
    q.question = $question, q.arguments = $arguments \
    RETURN q.run AS run, size(coalesce(q.marks, [])) = 0 AS is_first";
const WRITE: &str = concat!(
    locked!(),
    "UNWIND $rows AS row MERGE (f:GromaFinding {id: row.id}) \
     ON CREATE SET f.asked = $asked, f.question = $question, f.finding = row.finding, f.is_new = true \
     WITH f, row, coalesce(f.is_new, false) AS is_new, f.gone_seen IS NOT NULL AS is_back \
     SET f.first_seen = CASE WHEN is_new OR is_back THEN $run ELSE f.first_seen END, \
         f.first_tag = CASE WHEN is_new OR is_back THEN $tag ELSE f.first_tag END, \
         f.last_seen = $run, f.last_tag = $tag, f.identity = row.identity, f.account = row.account \
     REMOVE f.is_new, f.gone_seen, f.gone_tag \
     RETURN count(*) AS written, sum(CASE WHEN is_new THEN 1 ELSE 0 END) AS new, \
            sum(CASE WHEN is_back AND NOT is_new THEN 1 ELSE 0 END) AS back"
);
const LEAVE: &str = concat!(
    locked!(),
    "OPTIONAL MATCH (f:GromaFinding) WHERE f.asked = $asked AND f.last_seen < $run AND f.gone_seen IS NULL \
     WITH q, f LIMIT $most SET f.gone_seen = $run, f.gone_tag = $tag RETURN count(f) AS gone, count(*) AS locked"
);
const MARK: &str = concat!(
    locked!(),
    "SET q.seen = $run, q.marks = CASE WHEN any(mark IN coalesce(q.marks, []) WHERE mark STARTS WITH $begin) \
       THEN q.marks ELSE (coalesce(q.marks, []) + [$mark])[-$most..] END \
     RETURN count(*) AS locked"
);

/// Numbers of findings of an answer that was remembered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Remembered {
    /// Findings that were never there before.
    pub new: u64,
    /// Findings that were gone, and are there again.
    pub back: u64,
    /// Findings that were there the last time, too.
    pub kept: u64,
    /// Findings that were there the last time, and no longer are.
    pub gone: u64,
}

impl AddAssign for Remembered {
    fn add_assign(&mut self, other: Self) {
        self.new += other.new;
        self.back += other.back;
        self.kept += other.kept;
        self.gone += other.gone;
    }
}

impl fmt::Display for Remembered {
    /// `3 new, 1 back, 2 gone`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { new, back, gone, .. } = self;
        write!(f, "{new} new, {back} back, {gone} gone")
    }
}

/// Right of a run to remember the answer to a question, until another run has claimed the question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Key of the question.
    asked: String,
    /// Time of the claim, in milliseconds since 1970.
    run: i64,
    /// Whether the findings of the question were never remembered completely.
    pub is_first: bool,
}

/// An answer that was not remembered.
#[derive(Debug, thiserror::Error)]
pub enum RememberError {
    /// The answer has not all findings, so the others would count as gone.
    #[error(
        "{question} has more than {shown} findings, and only all of them can be remembered: ask with a larger --limit"
    )]
    Cut {
        /// Question.
        question: String,
        /// Number of findings in the answer.
        shown: usize,
    },
    /// Only the new findings are in the answer.
    #[error("{0}: only the new findings are left of the answer; remember it before")]
    Filtered(String),
    /// Another process has begun to remember a newer answer to the same question.
    #[error("{0}: another process remembers a newer answer; nothing is lost")]
    Superseded(String),
    /// The graph cannot be written.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

impl From<neo4rs::DeError> for RememberError {
    fn from(error: neo4rs::DeError) -> Self {
        Self::Graph(error.into())
    }
}

/// Claims a question with the values of its parameters. Ask the question afterwards, and pass the answer to [`remember`]. Needs
/// the schema ([`crate::prepare`]). Earlier claims of the question end.
///
/// # Errors
/// The graph cannot be written.
pub async fn claim(store: &GraphStore, question: &Question, arguments: &[Argument]) -> Result<Claim, GraphError> {
    let asked = key::asked(question, arguments);
    let given = [
        ("asked", asked.as_str().into()),
        ("question", question.name.as_str().into()),
        ("arguments", key::arguments(arguments).as_str().into()),
    ];
    let rows = store.rows(parameters::planned_once(CLAIM, given)).await?;
    let row = rows.first().ok_or_else(|| neo4rs::DeError::Other("the claim has no row".to_owned()))?;
    Ok(Claim { run: row.get("run")?, is_first: row.get("is_first")?, asked })
}

/// Remembers the findings of an answer that was asked after `claim` and after `sync`. Findings that are no longer in it are
/// marked as gone. Writes at most 1,000 findings in one transaction.
///
/// # Errors
/// [`RememberError`]. Earlier batches stay; the next run completes them.
pub async fn remember(
    store: &GraphStore,
    claim: &Claim,
    answer: &Answer<'_>,
    sync: &Sync,
) -> Result<Remembered, RememberError> {
    let question = answer.question.name.as_str();
    if answer.is_cut {
        return Err(RememberError::Cut { question: question.to_owned(), shown: answer.rows.len() });
    }
    if answer.new_since.is_some() {
        return Err(RememberError::Filtered(question.to_owned()));
    }
    let asked = claim.asked.as_str();
    let run = Run { store, asked, question, claim: claim.run, tag: sync.tag };
    let mut all = Remembered::default();
    let mut rest = &answer.rows[..];
    while !rest.is_empty() {
        let row = |row: &Vec<_>| {
            let finding = answer.finding(row);
            let id = format!("{asked}/{finding}");
            parameters::map([
                ("id", id.as_str().into()),
                ("finding", finding.as_str().into()),
                ("identity", key::identity(answer, row).as_str().into()),
                ("account", answer.value(row, "account").as_str().unwrap_or_default().into()),
            ])
        };
        let rows: Vec<BoltType> = rest.iter().take(WRITTEN.size()).map(row).collect();
        let written = |size: usize| run.query(WRITE, [("rows", parameters::list(rows[..size].to_vec()))]);
        let (size, answer) = store.in_portion(&WRITTEN, rows.len(), written).await?;
        let count = |name| number(&answer, name);
        // All rows, or none if a newer run has claimed the question.
        if count("written")? == 0 {
            return Err(RememberError::Superseded(question.to_owned()));
        }
        let (new, back) = (count("new")?, count("back")?);
        all.new += new;
        all.back += back;
        all.kept += size as u64 - new - back;
        rest = &rest[size..];
    }
    all.gone = run.leave().await?;
    run.mark(sync).await?;
    Ok(all)
}

/// One run for one question.
struct Run<'a> {
    store: &'a GraphStore,
    asked: &'a str,
    question: &'a str,
    /// Time of the claim, in milliseconds since 1970.
    claim: i64,
    tag: i64,
}

impl Run<'_> {
    fn query<'b>(&self, text: &str, more: impl IntoIterator<Item = (&'b str, BoltType)>) -> neo4rs::Query {
        let own = [
            ("asked", self.asked.into()),
            ("question", self.question.into()),
            ("run", self.claim.into()),
            ("tag", self.tag.into()),
        ];
        parameters::planned_once(text, own.into_iter().chain(more))
    }

    async fn leave(&self) -> Result<u64, RememberError> {
        let mut gone = 0;
        loop {
            let most = |size: usize| self.query(LEAVE, [("most", i64::try_from(size).unwrap_or(i64::MAX).into())]);
            let (size, answer) = self.store.in_portion(&GONE, usize::MAX, most).await?;
            if number(&answer, "locked")? == 0 {
                return Err(RememberError::Superseded(self.question.to_owned()));
            }
            let found = number(&answer, "gone")?;
            gone += found;
            if found < size as u64 {
                return Ok(gone);
            }
        }
    }

    async fn mark(&self, sync: &Sync) -> Result<(), RememberError> {
        let mark = Mark { tag: sync.tag, time: self.claim, sync: sync.id.clone() }.text();
        let more = [
            ("mark", mark.as_str().into()),
            ("begin", format!("{} ", sync.tag).as_str().into()),
            ("most", MARKS.into()),
        ];
        let answer = self.store.rows(self.query(MARK, more)).await?;
        if number(&answer, "locked")? == 0 {
            return Err(RememberError::Superseded(self.question.to_owned()));
        }
        Ok(())
    }
}

/// Number in a column of the first row.
fn number(rows: &[Row], column: &str) -> Result<u64, neo4rs::DeError> {
    let number: i64 = rows.first().map_or(Ok(0), |row| row.get(column))?;
    Ok(u64::try_from(number).unwrap_or(0))
}
