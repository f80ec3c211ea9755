//! Runs the steps of the analysis.

use crate::{
    counts::Counts,
    pages, permissions, stale,
    steps::{STEPS, Step, Work},
};
use graph::{GraphError, GraphStore};
use neo4rs::Query;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// One or more steps failed; the others ran.
#[derive(Debug, thiserror::Error)]
#[error("analysis step {step} failed{}", if others.is_empty() { String::new() } else { format!(", {} as well", others.join(", ")) })]
pub struct AnalysisError {
    /// Name of the first failed step.
    pub step: &'static str,
    /// Names of further failed steps.
    pub others: Vec<&'static str>,
    /// Cause of the first failure.
    pub source: GraphError,
}

/// Result of a run.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Results of the steps, in order.
    pub steps: Vec<StepSummary>,
}

/// Result of one step.
#[derive(Debug, Clone)]
pub struct StepSummary {
    /// Name of the step.
    pub step: &'static str,
    /// Numbers of changes.
    pub counts: Counts,
    /// Duration of the step.
    pub elapsed: Duration,
}

/// Runs all steps on the whole graph, which must have the [`INDEXES`](crate::INDEXES). `update_tag` is the sync's.
///
/// # Errors
/// Fails if a step failed. The other steps ran nevertheless, unless the graph is unavailable. Only the graph's own
/// record of a complete sync is not written.
pub async fn run(store: &GraphStore, update_tag: i64) -> Result<Summary, AnalysisError> {
    let mut summary = Summary::default();
    let mut failed: Option<AnalysisError> = None;
    for step in STEPS {
        if step.only_after_success && failed.is_some() {
            continue;
        }
        match timed(store, step, update_tag).await {
            Ok(done) => summary.steps.push(done),
            Err(source) => {
                let lasting = source.is_lasting();
                match &mut failed {
                    Some(error) => error.others.push(step.name),
                    None => failed = Some(AnalysisError { step: step.name, others: Vec::new(), source }),
                }
                if !lasting {
                    break;
                }
            }
        }
    }
    failed.map_or(Ok(summary), Err)
}

async fn timed(store: &GraphStore, step: &Step, tag: i64) -> Result<StepSummary, GraphError> {
    let begun = Instant::now();
    let counts = run_step(store, step, tag).await?;
    let elapsed = begun.elapsed();
    tracing::debug!(step = step.name, written = counts.written, removed = counts.removed, ?elapsed, "analysed");
    Ok(StepSummary { step: step.name, counts, elapsed })
}

/// Runs a single step.
///
/// # Errors
/// Fails if the graph is unavailable or rejects a statement.
pub async fn run_step(store: &GraphStore, step: &Step, tag: i64) -> Result<Counts, GraphError> {
    let portion = &step.portion;
    match step.work {
        Work::Changes(text) => {
            let written = stale::in_chunks(store, portion, "written", |size| stale::chunk(text, tag, size, [])).await?;
            Ok(Counts { written, removed: 0 })
        }
        Work::Pages { text, draws, .. } => {
            let written = pages::all_pages(store, portion, text, tag).await?;
            Ok(Counts { written, removed: draws.remove(store, tag).await? })
        }
        Work::Drain(text) => {
            let removed = stale::in_chunks(store, portion, "removed", |size| stale::chunk(text, tag, size, [])).await?;
            Ok(Counts { written: 0, removed })
        }
        Work::Permissions => permissions::run(store, tag).await,
    }
}

/// A tag that is older than that of any sync.
const NO_TAG: i64 = i64::MIN;
/// Statements of a run over nodes of these labels, so that Neo4j can plan them in advance. They write and remove no
/// edges. A step that compares properties with their expected values does change nodes that differ, so roll back these
/// transactions.
pub fn statements(labels: &BTreeSet<&str>) -> Vec<Query> {
    let queries = STEPS.iter().flat_map(|step| match step.work {
        Work::Changes(text) | Work::Drain(text) => vec![stale::chunk(text, NO_TAG, stale::CHUNK, [])],
        Work::Pages { text, page, draws } => {
            vec![pages::one_page(text, pages::LAST, page, NO_TAG), draws.chunk(NO_TAG, stale::CHUNK)]
        }
        Work::Permissions => permissions::statements(labels, NO_TAG),
    });
    queries.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_steps_and_not_its_source() {
        let error = |others| AnalysisError {
            step: "foreign_accounts",
            others,
            source: GraphError::Rejected(neo4rs::Error::ConnectionError),
        };
        assert_eq!(error(vec![]).to_string(), "analysis step foreign_accounts failed");
        assert_eq!(
            error(vec!["key_pairs", "permissions"]).to_string(),
            "analysis step foreign_accounts failed, key_pairs, permissions as well"
        );
    }
}
