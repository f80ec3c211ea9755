//! Constraints and indexes: `MERGE` on a label without one scans the label, and only a unique constraint keeps two writers
//! from creating the same node twice.
//!
//! What exists is read once per process, so that a schema that is complete costs one statement; what is missing is created
//! in one transaction for all that a group of events needs, because each change of the schema throws away every query plan.
//! An index that somebody else made where a constraint is wanted (Cartography makes plain ones on `id`) is kept, and where
//! ids are not unique already an index has to do.

use crate::scope_store;
use events::{EdgeTable, NodeTable, Ownership};
use graph::{GraphError, GraphStore};
use neo4rs::Query;
use std::{collections::HashSet, sync::Arc};
use tokio::sync::Mutex;

/// What this process knows to be there.
#[derive(Clone, Default)]
pub struct Schema(Arc<Mutex<Option<HashSet<Need>>>>);

/// Index or constraint that a statement relies on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// `id` is unique on a primary label.
    Unique(String),
    /// Properties of a label are indexed together.
    Index(String, Vec<String>),
    /// Properties of a relationship type are indexed together.
    EdgeIndex(String, Vec<String>),
}

impl Schema {
    /// Creates what is missing.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn ensure(
        &self,
        graph: &GraphStore,
        needs: impl IntoIterator<Item = Need> + Send,
    ) -> Result<(), GraphError> {
        let mut known = self.0.lock().await;
        let known = match &mut *known {
            Some(known) => known,
            unread => unread.insert(read(graph).await?),
        };
        let mut needs: Vec<Need> = needs.into_iter().filter(|need| !need.is_met_by(known)).collect();
        // Constraints first: an index on the same property would stand in their way.
        needs.sort_by_key(|need| !matches!(need, Need::Unique(_)));
        let mut missing = HashSet::new();
        needs.retain(|need| !need.is_met_by(&missing) && missing.insert(need.clone()));
        if !missing.is_empty() {
            create(graph, &needs).await?;
            known.extend(missing);
        }
        Ok(())
    }
}

/// What exists, and the bookkeeping's own schema made sure of.
async fn read(graph: &GraphStore) -> Result<HashSet<Need>, GraphError> {
    for (name, text) in scope_store::SCHEMA {
        let statement = Statement { text: text.to_owned(), remains: Some(name.to_owned()), ..Statement::default() };
        alone(graph, &statement).await?;
    }
    let text = "SHOW INDEXES YIELD entityType, labelsOrTypes, properties, owningConstraint, type WHERE type = 'RANGE' \
        AND size(labelsOrTypes) = 1 \
        RETURN entityType AS entity, labelsOrTypes[0] AS label, properties, owningConstraint IS NOT NULL AS unique";
    let rows = graph.rows(Query::new(text.to_owned())).await?;
    let need = |row: &neo4rs::Row| {
        let (entity, label): (String, String) = (row.get("entity")?, row.get("label")?);
        let properties: Vec<String> = row.get("properties")?;
        Ok(match (entity.as_str(), row.get::<bool>("unique")?) {
            ("NODE", true) if properties == ["id"] => Need::Unique(label),
            ("RELATIONSHIP", _) => Need::EdgeIndex(label, properties),
            _ => Need::Index(label, properties),
        })
    };
    rows.iter().map(need).collect::<Result<_, neo4rs::DeError>>().map_err(|error| GraphError::Rejected(error.into()))
}

/// One change of the schema.
#[derive(Default)]
struct Statement {
    text: String,
    /// Index that is left behind under the constraint's name when its creation is cut off.
    remains: Option<String>,
    /// Index of the writer's own that may be there instead: made before the label was known to be a primary one.
    forerunner: Option<String>,
    /// What has to do when the constraint cannot be had.
    instead: Option<String>,
}

/// All at once. Something that is in the way may be another writer that makes the same, so what is still missing then is tried
/// at once again before it is tried one by one.
async fn create(store: &GraphStore, needs: &[Need]) -> Result<(), GraphError> {
    match together(store, needs).await {
        Err(GraphError::Rejected(error)) => {
            tracing::debug!(%error, "creating once more what is missing");
            // Not waiting for indexes here: one that a killed writer left behind is never populated, and has to be dropped.
            let known = read(store).await?;
            let left: Vec<Need> = needs.iter().filter(|need| !need.is_met_by(&known)).cloned().collect();
            match together(store, &left).await {
                Err(GraphError::Rejected(error)) => {
                    tracing::debug!(%error, "creating constraints and indexes one by one");
                    for need in &left {
                        alone(store, &need.statement()).await?;
                    }
                }
                other => other?,
            }
        }
        other => other?,
    }
    // A statement that is planned before its index is populated scans the label; slow, but right.
    if !graph::await_indexes(store).await? {
        tracing::warn!("after a minute not every index is populated yet");
    }
    Ok(())
}

async fn run(graph: &GraphStore, text: &str) -> Result<(), GraphError> {
    graph.rows(Query::new(text.to_owned())).await.map(drop)
}

async fn together(graph: &GraphStore, needs: &[Need]) -> Result<(), GraphError> {
    let statements: Vec<Statement> = needs.iter().map(Need::statement).collect();
    let mut backoff = graph.backoff();
    loop {
        match attempt(graph, &statements).await {
            Ok(()) => return Ok(()),
            Err(error) => backoff.pause(error).await?,
        }
    }
}

async fn attempt(graph: &GraphStore, statements: &[Statement]) -> Result<(), neo4rs::Error> {
    let mut transaction = graph.begin().await?;
    let mut result = Ok(());
    for statement in statements {
        result = transaction.run(Query::new(statement.text.clone())).await;
        if result.is_err() {
            break;
        }
    }
    transaction.end(result).await
}

async fn alone(graph: &GraphStore, statement: &Statement) -> Result<(), GraphError> {
    let mut result = run(graph, &statement.text).await;
    for index in [&statement.remains, &statement.forerunner].into_iter().flatten() {
        if matches!(&result, Err(GraphError::Rejected(error)) if is_schema(error)) {
            // Refused when it belongs to a constraint: then another writer was faster.
            match run(graph, &format!("DROP INDEX {index} IF EXISTS")).await {
                Ok(()) | Err(GraphError::Rejected(_)) => result = run(graph, &statement.text).await,
                Err(error) => return Err(error),
            }
        }
    }
    match (result, &statement.instead) {
        (Err(GraphError::Rejected(error)), Some(index)) if is_schema(&error) => {
            tracing::info!(%error, "an index has to do where a constraint was wanted");
            tolerate(run(graph, index).await)
        }
        (result, _) => tolerate(result),
    }
}

/// An index or constraint that cannot be had makes statements slow, not wrong: it must not hold up the events.
fn tolerate(result: Result<(), GraphError>) -> Result<(), GraphError> {
    match result {
        Err(GraphError::Rejected(error)) if is_schema(&error) => {
            tracing::info!(%error, "keeping the schema as it is");
            Ok(())
        }
        other => other,
    }
}

/// What cleanup looks nodes and edges up by: those of a place that are old, and those that several places see.
const CLEANUP: [&str; 2] = ["_module_scope", "lastupdated"];

impl Need {
    fn is_met_by(&self, known: &HashSet<Self>) -> bool {
        let unique = || match self {
            Self::Index(label, properties) => *properties == ["id"] && known.contains(&Self::Unique(label.clone())),
            _ => false,
        };
        known.contains(self) || unique()
    }

    fn statement(&self) -> Statement {
        match self {
            Self::Unique(label) => Statement {
                text: format!(
                    "CREATE CONSTRAINT groma_unique_{label} IF NOT EXISTS FOR (n:`{label}`) REQUIRE n.id IS UNIQUE"
                ),
                remains: Some(format!("groma_unique_{label}")),
                forerunner: Some(format!("groma_id_{label}")),
                instead: Some(format!("CREATE INDEX groma_id_{label} IF NOT EXISTS FOR (n:`{label}`) ON (n.id)")),
            },
            Self::Index(label, properties) => {
                let name = if *properties == ["id"] { format!("groma_id_{label} ") } else { String::new() };
                let columns = columns("n", properties);
                let text = format!("CREATE INDEX {name}IF NOT EXISTS FOR (n:`{label}`) ON ({columns})");
                Statement { text, ..Statement::default() }
            }
            Self::EdgeIndex(kind, properties) => {
                let columns = columns("r", properties);
                let text = format!("CREATE INDEX IF NOT EXISTS FOR ()-[r:`{kind}`]-() ON ({columns})");
                Statement { text, ..Statement::default() }
            }
        }
    }

    fn index(label: &str, property: &str) -> Self {
        Self::Index(label.to_owned(), vec![property.to_owned()])
    }

    /// What a node table's statement relies on, and what its users query by.
    pub fn of_nodes(table: &NodeTable) -> Vec<Self> {
        let label = &table.label;
        let mut needs = vec![Self::Unique(label.clone())];
        if table.ownership() == Ownership::Scope {
            needs.push(Self::Index(label.clone(), owned(&CLEANUP)));
        }
        let indexed = table.properties.iter().filter(|property| property.indexed);
        needs.extend(indexed.map(|property| Self::index(label, &property.name)));
        needs.extend(table.extra_labels.iter().map(|extra| Self::index(extra, "id")));
        needs
    }

    /// What the analysis of the whole graph relies on.
    pub fn of_analysis() -> impl Iterator<Item = Self> {
        analysis::INDEXES.into_iter().map(|(label, property)| Self::index(label, property))
    }

    /// What an edge table's statement and its cleanup rely on.
    pub fn of_edges(table: &EdgeTable) -> Vec<Self> {
        let mut needs =
            vec![Self::index(&table.source_label, "id"), Self::index(&table.target_label, &table.target_key)];
        needs.push(Self::EdgeIndex(table.r#type.clone(), owned(&CLEANUP)));
        needs
    }
}

fn owned(properties: &[&str]) -> Vec<String> {
    properties.iter().map(|name| (*name).to_owned()).collect()
}

fn columns(variable: &str, properties: &[String]) -> String {
    let columns: Vec<String> = properties.iter().map(|name| format!("{variable}.`{name}`")).collect();
    columns.join(", ")
}

/// Whether this is about what exists already: another index or constraint, or nodes that are not unique.
fn is_schema(error: &neo4rs::Error) -> bool {
    matches!(error, neo4rs::Error::Neo4j(neo4j) if neo4j.code().contains(".Schema."))
}
