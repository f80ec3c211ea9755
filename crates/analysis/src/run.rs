//! Runs the steps.

use crate::{
    answer, permissions, stale,
    steps::{STEPS, Step, Work},
};
use graph::{GraphError, GraphStore, parameters};
use neo4rs::Query;
use std::{
    ops::AddAssign,
    time::{Duration, Instant},
};

/// A step, or several, could not be done; the others have been.
#[derive(Debug, thiserror::Error)]
#[error("analysis step {step} failed{}", if others.is_empty() { String::new() } else { format!(", {} as well", others.join(", ")) })]
pub struct AnalysisError {
    /// The first that failed.
    pub step: &'static str,
    /// Further ones.
    pub others: Vec<&'static str>,
    /// Why the first failed.
    pub source: GraphError,
}

/// What a run did.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// By step, in the order in which they ran.
    pub steps: Vec<StepSummary>,
}

/// What one step did.
#[derive(Debug, Clone)]
pub struct StepSummary {
    /// The step's name.
    pub step: &'static str,
    /// What it changed.
    pub counts: Counts,
    /// How long it took.
    pub elapsed: Duration,
}

/// What a step changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Edges drawn or drawn again, nodes changed.
    pub written: u64,
    /// Edges and nodes removed.
    pub removed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.written += other.written;
        self.removed += other.removed;
    }
}

/// Runs all steps on the whole graph. `update_tag` is the sync's.
///
/// # Errors
/// When a step failed. Those that do not need it have run nevertheless, unless the graph is away altogether; only the
/// graph's own word that a sync was complete is withheld.
pub async fn run(store: &GraphStore, update_tag: i64) -> Result<Summary, AnalysisError> {
    let mut summary = Summary::default();
    let mut failed: Option<AnalysisError> = None;
    prepare(store).await.map_err(|source| AnalysisError { step: "schema", others: Vec::new(), source })?;
    for step in STEPS {
        if step.only_after_success && failed.is_some() {
            continue;
        }
        match timed(store, step, update_tag).await {
            Ok(done) => summary.steps.push(done),
            Err(source) => {
                let passing = matches!(source, GraphError::Rejected(_));
                match &mut failed {
                    Some(error) => error.others.push(step.name),
                    None => failed = Some(AnalysisError { step: step.name, others: Vec::new(), source }),
                }
                if !passing {
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

/// Runs one step alone.
///
/// # Errors
/// When the graph is away or rejects a statement.
pub async fn run_step(store: &GraphStore, step: &Step, tag: i64) -> Result<Counts, GraphError> {
    match step.work {
        Work::Once(text) => {
            let rows = store.rows(parameters::query(text, [("tag", tag.into())])).await?;
            Ok(Counts { written: answer::count(&rows, "written")?, removed: 0 })
        }
        Work::Pages { text, page, draws } => {
            let written = pages(store, text, page, tag).await?;
            let mut removed = 0;
            for shape in draws {
                removed += stale::remove(store, shape, tag).await?;
            }
            Ok(Counts { written, removed })
        }
        Work::Drain(text) => Ok(Counts { written: 0, removed: stale::drain(store, text, tag).await? }),
        Work::Permissions => permissions::run(store, tag).await,
    }
}

/// Runs a statement page by page: it reads on after `$after` and answers with the `last` that it read, null at the end.
async fn pages(store: &GraphStore, text: &str, page: i64, tag: i64) -> Result<u64, GraphError> {
    let mut written = 0;
    let mut after = String::new();
    loop {
        let query =
            parameters::query(text, [("after", after.as_str().into()), ("page", page.into()), ("tag", tag.into())]);
        let rows = store.rows(query).await?;
        written += answer::count(&rows, "written")?;
        let last = rows.first().map(|row| row.get::<Option<String>>("last")).transpose();
        match last.map_err(answer::unreadable)?.flatten() {
            Some(last) => after = last,
            None => return Ok(written),
        }
    }
}

/// What has the database plan the steps' statements, and do nothing: a plan made so is not used later, because the graph has
/// grown by then, but a server that has just started has warmed up on it (the steps took 13 s of its statements' time, not 15).
pub fn explanations() -> Vec<Query> {
    let texts = STEPS.iter().flat_map(|step| match step.work {
        Work::Once(text) | Work::Drain(text) => vec![text.to_owned()],
        Work::Pages { text, draws, .. } => {
            std::iter::once(text.to_owned()).chain(draws.iter().map(stale::text)).collect()
        }
        Work::Permissions => Vec::new(),
    });
    let nothing = || [("tag", 0.into()), ("after", "".into()), ("page", 1.into()), ("chunk", stale::CHUNK.into())];
    texts.map(|text| parameters::query(&format!("EXPLAIN {text}"), nothing())).collect()
}

/// Label and property of the indexes that the steps look nodes up by. Best made before the first event: a new index throws
/// away the plans of all statements.
pub const INDEXES: [(&str, &str); 6] = [
    ("AWSPrincipal", "arn"),
    ("AWSRole", "arn"),
    ("AWSPolicy", "id"),
    ("AWSEC2KeyPair", "keyfingerprint"),
    ("AWSEC2PrivateIp", "private_ip_address"),
    ("ModuleSyncMetadata", "id"),
];

/// The writer has made them already, if there is one.
async fn prepare(store: &GraphStore) -> Result<(), GraphError> {
    for (label, property) in INDEXES {
        create(store, label, property).await?;
    }
    graph::await_indexes(store).await.map(drop)
}

/// Makes an index unless there is one. A statement that is planned before its index is populated scans the label.
pub(crate) async fn index(store: &GraphStore, label: &str, property: &str) -> Result<(), GraphError> {
    create(store, label, property).await?;
    graph::await_indexes(store).await.map(drop)
}

async fn create(store: &GraphStore, label: &str, property: &str) -> Result<(), GraphError> {
    let text = format!("CREATE INDEX IF NOT EXISTS FOR (n:`{label}`) ON (n.`{property}`)");
    store.rows(Query::new(text)).await.map(drop)
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
