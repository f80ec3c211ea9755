//! `--remember` and `--new-since`.

use anyhow::Context;
use graph::GraphStore;
use known_findings::{Since, Sync, new_since, newest, prepare, remember};
use questions::Answer;

/// Flags with the newest sync of the graph, which both need.
pub(super) struct Memory {
    since: Option<Since>,
    is_written: bool,
    /// `None`: neither flag is set.
    newest: Option<Sync>,
}

impl Memory {
    /// Reads the newest sync if a flag needs it, and prepares the graph if findings will be remembered.
    ///
    /// # Errors
    /// The graph has no finished sync, or cannot be read or written.
    pub(super) async fn of(store: &GraphStore, since: Option<Since>, is_written: bool) -> anyhow::Result<Self> {
        if since.is_none() && !is_written {
            return Ok(Self { since, is_written, newest: None });
        }
        let newest = newest(store).await?.context("the graph has no finished sync: run `groma sync` first")?;
        if newest.is_followed {
            eprintln!(
                "warning: a sync after {} is not finished: findings of its assets may come and go until it ends",
                events::printable(&newest.id)
            );
        }
        if is_written {
            prepare(store)
                .await
                .context("cannot prepare the graph to remember findings (`groma neo4j init` does it too)")?;
        }
        Ok(Self { since, is_written, newest: Some(newest) })
    }

    /// Remembers an answer, and keeps its new findings. Returns the answer to show, and errors.
    pub(super) async fn pass<'a>(
        &self,
        store: &GraphStore,
        answer: Answer<'a>,
    ) -> (Option<Answer<'a>>, Vec<anyhow::Error>) {
        let Some(newest) = &self.newest else { return (Some(answer), Vec::new()) };
        let mut failures = Vec::new();
        let name = answer.question.name.clone();
        // The comparison comes first: after it, this answer is known too.
        let whole = self.is_written.then(|| answer.clone());
        let shown = match &self.since {
            Some(since) => new_since(store, answer, since, newest).await,
            None => Ok(answer),
        };
        let shown = shown.map_err(|error| failures.push(error.into())).ok();
        if let Some(whole) = whole
            && let Err(error) = remember(store, &whole, newest).await
        {
            failures.push(anyhow::Error::from(error).context(format!("cannot remember {name}")));
        }
        (shown, failures)
    }
}
