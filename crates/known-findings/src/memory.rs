//! `--remember` and `--new-since` of `groma ask`: work before and after each answer.

use crate::{
    remember::{Claim, RememberError, Remembered, claim, remember},
    schema::prepare,
    since::{Since, SinceError, new_since},
    syncs::{Sync, newest},
};
use graph::{GraphError, GraphStore};
use questions::{Answer, Argument, Question};

/// Flags with the newest sync of the graph, which both need.
#[derive(Debug)]
pub struct Memory {
    since: Option<Since>,
    is_written: bool,
    /// `None`: neither flag is set.
    newest: Option<Sync>,
}

/// An answer after both flags.
#[derive(Debug)]
pub struct Passed<'a> {
    /// Answer to show. `None`: its new findings are unknown.
    pub shown: Option<Answer<'a>>,
    /// Numbers of its findings, if it was remembered.
    pub remembered: Option<Remembered>,
    /// Failures of the flags. Empty: both did all that they should.
    pub errors: Vec<MemoryError>,
}

/// Failure of a flag.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// Groma has finished no sync in this graph.
    #[error("the graph has no finished sync: run `groma sync` first")]
    NoSync,
    /// The schema cannot be created.
    #[error("cannot prepare the graph to remember findings (`groma neo4j init` does it too)")]
    Prepare(#[source] GraphError),
    /// Another sync writes, or has finished, so the answer may have findings of two syncs.
    #[error(
        "a sync after {} has begun to write: findings of later answers are not remembered; ask again when it has finished",
        events::printable(.0)
    )]
    Moved(String),
    /// The answer has not all findings, so new ones may be absent.
    #[error(
        "{question} has more than {shown} findings, and new ones may be among the others: ask with a larger --limit"
    )]
    Cut {
        /// Question.
        question: String,
        /// Number of findings in the answer.
        shown: usize,
    },
    /// The new findings are unknown.
    #[error(transparent)]
    Since(#[from] SinceError),
    /// The findings are not remembered.
    #[error("cannot remember {question}")]
    Remember {
        /// Question.
        question: String,
        /// Cause.
        source: RememberError,
    },
    /// The graph cannot be read.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

impl MemoryError {
    /// The error of the graph behind it. `None`: the graph works.
    pub fn graph(&self) -> Option<&GraphError> {
        match self {
            Self::Prepare(error)
            | Self::Graph(error)
            | Self::Since(SinceError::Graph(error))
            | Self::Remember { source: RememberError::Graph(error), .. } => Some(error),
            _ => None,
        }
    }
}

impl Memory {
    /// Reads the newest sync if a flag needs it, and prepares the graph if findings will be remembered.
    ///
    /// # Errors
    /// The graph has no finished sync, or cannot be read or written.
    pub async fn open(store: &GraphStore, since: Option<Since>, is_written: bool) -> Result<Self, MemoryError> {
        if since.is_none() && !is_written {
            return Ok(Self { since, is_written, newest: None });
        }
        let newest = newest(store).await?.ok_or(MemoryError::NoSync)?;
        if is_written {
            prepare(store).await.map_err(MemoryError::Prepare)?;
        }
        Ok(Self { since, is_written, newest: Some(newest) })
    }

    /// Newest finished sync when the memory was opened. `None`: no flag needs it.
    pub fn newest(&self) -> Option<&Sync> {
        self.newest.as_ref()
    }

    /// Claims a question before it is asked. `None`: its answer will not be remembered.
    ///
    /// # Errors
    /// The graph cannot be written. Without a claim, [`Memory::after`] does not remember the answer.
    pub async fn before(
        &self,
        store: &GraphStore,
        question: &Question,
        arguments: &[Argument],
    ) -> Result<Option<Claim>, MemoryError> {
        if !self.is_written {
            return Ok(None);
        }
        let claimed = claim(store, question, arguments).await;
        claimed
            .map(Some)
            .map_err(|error| MemoryError::Remember { question: question.name.clone(), source: error.into() })
    }

    /// Keeps the new findings of an answer, and remembers all of them. With a claim, an answer whose findings were never
    /// remembered is shown whole, as the baseline of later ones.
    pub async fn after<'a>(&self, store: &GraphStore, answer: Answer<'a>, claim: Option<&Claim>) -> Passed<'a> {
        let Some(newest) = &self.newest else {
            return Passed { shown: Some(answer), remembered: None, errors: Vec::new() };
        };
        let (name, count) = (answer.question.name.clone(), answer.rows.len());
        let mut errors = Vec::new();
        // The comparison comes first: after it, this answer is known too.
        let whole = claim.map(|claim| (claim, answer.clone()));
        let is_cut = answer.is_cut;
        let shown = match &self.since {
            None => Some(answer),
            Some(_) if claim.is_some_and(|claim| claim.is_first) => Some(Answer { is_baseline: true, ..answer }),
            Some(since) => match new_since(store, answer, since, newest).await {
                Ok(new) => {
                    // With a claim, `remember` reports it.
                    if is_cut && claim.is_none() {
                        errors.push(MemoryError::Cut { question: name.clone(), shown: count });
                    }
                    Some(new)
                }
                Err(error) => {
                    errors.push(error.into());
                    None
                }
            },
        };
        let mut remembered = None;
        if let Some((claim, whole)) = whole {
            match self.keep(store, claim, &whole, newest).await {
                Ok(numbers) => remembered = Some(numbers),
                Err(error) => errors.push(error),
            }
        }
        Passed { shown, remembered, errors }
    }

    /// Remembers an answer, unless a sync has begun to write since the memory was opened.
    async fn keep(
        &self,
        store: &GraphStore,
        claim: &Claim,
        answer: &Answer<'_>,
        sync: &Sync,
    ) -> Result<Remembered, MemoryError> {
        let now = newest(store).await?;
        if now.is_none_or(|now| now.id != sync.id || now.is_followed) {
            return Err(MemoryError::Moved(sync.id.clone()));
        }
        let remembered = remember(store, claim, answer, sync).await;
        remembered.map_err(|source| MemoryError::Remember { question: answer.question.name.clone(), source })
    }
}
