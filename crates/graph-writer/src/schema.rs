//! Constraints and indexes: `MERGE` on a label without one scans the label, and only a unique constraint keeps two writers
//! from creating the same node twice.
//!
//! What exists is read once per process, so that a schema that is complete costs one statement; what is missing is created
//! in one transaction for all that a group of events needs, because each change of the schema throws away every query plan.
//! An index that somebody else made where a constraint is wanted (Cartography makes plain ones on `id`) is kept.

use crate::{
    graph::{GraphError, GraphStore},
    scope_store,
};
use events::{EdgeTable, NodeTable, Ownership};
use neo4rs::Query;
use std::{collections::HashSet, sync::Arc};
use tokio::sync::Mutex;

/// What this process knows to be there.
#[derive(Clone, Default)]
pub struct Schema(Arc<Mutex<Option<HashSet<Need>>>>);

/// Index or constraint that a statement relies on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Need {
    /// `id` is unique on a primary label.
    Unique(String),
    /// Properties of a label are indexed together.
    Index(String, Vec<String>),
    /// Place and tag of a relationship type are indexed: cleanup looks relationships up by them.
    EdgeScope(String),
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
    for statement in scope_store::SCHEMA {
        graph.rows(Query::new(statement.to_owned())).await?;
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
            ("RELATIONSHIP", _) if properties == SCOPE => Need::EdgeScope(label),
            _ => Need::Index(label, properties),
        })
    };
    rows.iter().map(need).collect::<Result<_, neo4rs::DeError>>().map_err(|error| GraphError::Rejected(error.into()))
}

/// All at once, or, when somebody else's schema is in the way, one by one.
async fn create(graph: &GraphStore, needs: &[Need]) -> Result<(), GraphError> {
    let statements: Vec<String> = needs.iter().flat_map(Need::statements).collect();
    match together(graph, &statements).await {
        Err(GraphError::Rejected(error)) => {
            tracing::debug!(%error, "creating constraints and indexes one by one");
            for statement in &statements {
                alone(graph, statement).await?;
            }
        }
        other => other?,
    }
    // A statement that is planned before its index is populated scans the label.
    graph.rows(Query::new("CALL db.awaitIndexes(60)".to_owned())).await.map(drop)
}

async fn together(graph: &GraphStore, statements: &[String]) -> Result<(), GraphError> {
    let mut backoff = graph.backoff();
    loop {
        match attempt(graph, statements).await {
            Ok(()) => return Ok(()),
            Err(error) => backoff.pause(error).await?,
        }
    }
}

async fn attempt(graph: &GraphStore, statements: &[String]) -> Result<(), neo4rs::Error> {
    let mut transaction = graph.begin().await?;
    let mut result = Ok(());
    for statement in statements {
        result = transaction.run(Query::new(statement.clone())).await;
        if result.is_err() {
            break;
        }
    }
    transaction.end(result).await
}

async fn alone(graph: &GraphStore, statement: &str) -> Result<(), GraphError> {
    match graph.rows(Query::new(statement.to_owned())).await {
        Err(GraphError::Rejected(error)) if exists_otherwise(&error) => {
            tracing::info!(%error, "keeping an index that exists where a constraint was wanted");
            Ok(())
        }
        other => other.map(drop),
    }
}

/// What cleanup looks nodes and edges up by.
const SCOPE: [&str; 2] = ["_module_scope", "lastupdated"];

impl Need {
    fn is_met_by(&self, known: &HashSet<Self>) -> bool {
        let unique = || match self {
            Self::Index(label, properties) => *properties == ["id"] && known.contains(&Self::Unique(label.clone())),
            _ => false,
        };
        known.contains(self) || unique()
    }

    fn statements(&self) -> Vec<String> {
        match self {
            // An index on `id` may be there already, made for edges that came before their target's label was known.
            Self::Unique(label) => vec![
                format!("DROP INDEX groma_id_{label} IF EXISTS"),
                format!(
                    "CREATE CONSTRAINT groma_unique_{label} IF NOT EXISTS FOR (n:`{label}`) REQUIRE n.id IS UNIQUE"
                ),
            ],
            Self::Index(label, properties) => {
                let name = if *properties == ["id"] { format!("groma_id_{label} ") } else { String::new() };
                vec![format!("CREATE INDEX {name}IF NOT EXISTS FOR (n:`{label}`) ON ({})", columns("n", properties))]
            }
            Self::EdgeScope(kind) => {
                vec![format!("CREATE INDEX IF NOT EXISTS FOR ()-[r:`{kind}`]-() ON ({})", columns("r", &SCOPE))]
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
            needs.push(Self::Index(label.clone(), SCOPE.map(str::to_owned).to_vec()));
        }
        let indexed = table.properties.iter().filter(|property| property.indexed);
        needs.extend(indexed.map(|property| Self::index(label, &property.name)));
        needs.extend(table.extra_labels.iter().map(|extra| Self::index(extra, "id")));
        needs
    }

    /// What an edge table's statement and its cleanup rely on.
    pub fn of_edges(table: &EdgeTable) -> Vec<Self> {
        vec![
            Self::EdgeScope(table.r#type.clone()),
            Self::index(&table.source_label, "id"),
            Self::index(&table.target_label, &table.target_key),
        ]
    }
}

fn columns<S: AsRef<str>>(variable: &str, properties: &[S]) -> String {
    let columns: Vec<String> = properties.iter().map(|name| format!("{variable}.`{}`", name.as_ref())).collect();
    columns.join(", ")
}

/// Neo4j's codes for "there is an index or constraint on this already, of another kind".
fn exists_otherwise(error: &neo4rs::Error) -> bool {
    matches!(error, neo4rs::Error::Neo4j(neo4j)
        if matches!(neo4j.code(), "Neo.ClientError.Schema.IndexAlreadyExists"
            | "Neo.ClientError.Schema.ConstraintAlreadyExists"
            | "Neo.ClientError.Schema.IndexWithNameAlreadyExists"
            | "Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists"))
}
