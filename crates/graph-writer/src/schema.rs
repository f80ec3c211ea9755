//! Constraints and indexes. `MERGE` on a label without an index scans the label, and only a unique constraint prevents
//! two writers from creating the same node twice.
//!
//! The existing schema is read when a process starts and once a minute after that. So a complete schema costs one
//! statement, and a schema that a user has changed is repaired. Everything that a group of events needs is created in
//! one transaction, because each change of the schema discards all query plans.
//!
//! A plain index on `id`, as Cartography creates it, prevents a constraint. It is dropped in the transaction that
//! creates the constraint, so that the label always has one of them. If ids are not unique already, the constraint
//! cannot be created, and nothing is removed or merged, because only the owner knows which node is the right one. Such
//! a label is called ambiguous: the log names it, and writers take turns at it ([`lock`]), so that no more duplicates
//! arise.
//!
//! A process that starts replaces indexes of earlier versions ([`obsolete`]).

mod obsolete;
mod plain;

use crate::{requests, scope_store};
use events::{EdgeTable, NodeTable};
use graph::{GraphError, GraphStore, Indexed, Transaction};
use neo4rs::{Query, Row};
use plain::Duplicates;
use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

/// Default interval of reading the schema.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// Constraints of this module's own bookkeeping, by name.
const OWN: [(&str, &str); 1] =
    [("groma_label_id", "CREATE CONSTRAINT groma_label_id IF NOT EXISTS FOR (l:GromaLabel) REQUIRE l.id IS UNIQUE")];

/// Schema that this process knows to exist.
#[derive(Clone, Default)]
pub struct Schema(Arc<Mutex<State>>);

struct State {
    known: HashSet<Need>,
    /// Needs of this process. Owners of other indexes may drop them.
    asked: HashSet<Need>,
    read: Option<Instant>,
    /// Last search for indexes of earlier versions.
    replaced: Option<Instant>,
    look_again: Duration,
    /// Labels whose ids are not unique.
    ambiguous: Arc<BTreeSet<String>>,
    /// Changes that Neo4j rejects, perhaps permanently.
    refused: HashSet<Need>,
}

impl Default for State {
    fn default() -> Self {
        let (known, asked, refused) = Default::default();
        Self { known, asked, read: None, replaced: None, look_again: LOOK_AGAIN, ambiguous: Arc::default(), refused }
    }
}

/// Locks ambiguous labels until the transaction ends, before their nodes are looked up: another writer that creates the
/// same nodes waits, and then finds them.
pub(crate) async fn lock<'a>(
    transaction: &mut Transaction,
    labels: impl Iterator<Item = &'a str>,
) -> Result<(), neo4rs::Error> {
    const LOCK: &str = "UNWIND $rows AS label MERGE (l:GromaLabel {id: label}) SET l.touched = timestamp()";
    requests::run(transaction, LOCK, labels.map(Into::into).collect()).await
}

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
    /// Creates a schema that is read again after this pause.
    pub fn looking_every(pause: Duration) -> Self {
        Self(Arc::new(Mutex::new(State { look_again: pause, ..State::default() })))
    }

    /// Creates missing constraints and indexes. Returns the ambiguous labels.
    ///
    /// # Errors
    /// The database is unavailable, or this user may not change the schema. Never [`GraphError::Rejected`]: no row is
    /// at fault.
    pub async fn ensure(
        &self,
        graph: &GraphStore,
        needs: impl IntoIterator<Item = Need> + Send,
    ) -> Result<Arc<BTreeSet<String>>, GraphError> {
        match self.0.lock().await.ensure(graph, needs).await {
            Err(GraphError::Rejected(source)) => Err(GraphError::Unavailable { uri: graph.uri().to_owned(), source }),
            ensured => ensured,
        }
    }
}

/// Tells a user without the privilege how to get the schema.
fn explain(error: &GraphError) {
    if matches!(error, GraphError::Forbidden { .. }) {
        tracing::error!("this user may not create indexes and constraints: run `groma neo4j init` as a user who may");
    }
}

impl State {
    async fn ensure(
        &mut self,
        graph: &GraphStore,
        needs: impl IntoIterator<Item = Need> + Send,
    ) -> Result<Arc<BTreeSet<String>>, GraphError> {
        let state = self;
        if state.read.is_none_or(|read| read.elapsed() > state.look_again) {
            state.look(graph).await?;
        }
        let mut needs: Vec<Need> = needs.into_iter().map(|need| state.possible(need)).collect();
        for need in &needs {
            if !state.asked.contains(need) {
                state.asked.insert(need.clone());
            }
        }
        needs.retain(|need| !need.is_met_by(&state.known) && !state.refused.contains(need));
        // Constraints first: an index on the same property would prevent them.
        needs.sort_by_key(|need| !matches!(need, Need::Unique(_)));
        let mut missing = HashSet::new();
        needs.retain(|need| !need.is_met_by(&missing) && missing.insert(need.clone()));
        if !missing.is_empty() {
            state.create(graph, &needs).await.inspect_err(explain)?;
        }
        Ok(state.ambiguous.clone())
    }

    /// Reads the existing schema, creates the bookkeeping's schema, and restores needs dropped since the last call.
    async fn look(&mut self, graph: &GraphStore) -> Result<(), GraphError> {
        let mut there = read(graph).await?;
        // Seldom: a writer of an older version beside this one creates them again.
        if self.replaced.is_none_or(|tried| tried.elapsed() > obsolete::AGAIN) {
            self.replaced = Some(Instant::now());
            if obsolete::is_in(&there) {
                self.replace_obsolete(graph, &there).await.or_else(obsolete::keep)?;
                there = read(graph).await?;
            }
        }
        let is_gone = |need: &&Need| need.is_met_by(&self.known) && !need.is_met_by(&there);
        let gone: Vec<Need> = self.asked.iter().filter(is_gone).cloned().collect();
        self.known = there;
        for need in &gone {
            tracing::warn!(%need, "an index or constraint was dropped; recreating it");
        }
        if !gone.is_empty() {
            self.create(graph, &gone).await.inspect_err(explain)?;
        }
        self.read = Some(Instant::now());
        Ok(())
    }

    /// Replaces the indexes of earlier versions, each by one that is populated before it is dropped.
    async fn replace_obsolete(&mut self, graph: &GraphStore, there: &HashSet<Need>) -> Result<(), GraphError> {
        let missing = obsolete::successors(there);
        if !missing.is_empty() {
            self.create(graph, &missing).await?;
        }
        obsolete::drop_replaced(graph).await
    }

    /// Returns an index instead of a constraint that cannot be created.
    fn possible(&self, need: Need) -> Need {
        match need {
            Need::Unique(label) if self.ambiguous.contains(&label) => Need::index(&label, "id"),
            need => need,
        }
    }

    /// Creates all in one transaction. On a rejection, perhaps because another writer creates the same, retries the
    /// missing ones together and then one by one.
    async fn create(&mut self, graph: &GraphStore, needs: &[Need]) -> Result<(), GraphError> {
        if let Some(error) = rejection(together(graph, needs).await)? {
            tracing::debug!(%error, "retrying the missing constraints and indexes");
            // Does not wait for indexes: the leftover index of a killed writer is never populated and must be dropped.
            let known = read(graph).await?;
            let left: Vec<Need> = needs.iter().filter(|need| !need.is_met_by(&known)).cloned().collect();
            if let Some(error) = rejection(together(graph, &left).await)? {
                tracing::debug!(%error, "creating constraints and indexes one by one");
                for need in &left {
                    self.create_alone(graph, need).await?;
                }
            }
        }
        self.known = read(graph).await?;
        self.refused.extend(needs.iter().filter(|need| !need.is_met_by(&self.known)).cloned());
        // A statement planned before its index is populated scans the label: slow but correct.
        let made: Vec<Indexed> = needs.iter().filter(|need| need.is_met_by(&self.known)).map(Need::indexed).collect();
        if !graph::await_indexes(graph, &made).await? {
            tracing::warn!(?made, "not every index is populated after a minute");
        }
        Ok(())
    }

    async fn create_alone(&mut self, graph: &GraphStore, need: &Need) -> Result<(), GraphError> {
        let Need::Unique(label) = need else { return alone(graph, &need.statement()).await.or_else(tolerate) };
        let twice = Duplicates::of(graph, label).await?;
        if !twice.are_there() && rejection(plain::replace(graph, label).await)?.is_none() {
            return Ok(());
        }
        let made = rejection(alone(graph, &need.statement()).await)?.is_none();
        if made || read(graph).await?.contains(need) {
            return Ok(());
        }
        twice.report(label);
        Arc::make_mut(&mut self.ambiguous).insert(label.clone());
        plain::mend(graph, label).await?;
        alone(graph, &Need::index(label, "id").statement()).await.or_else(tolerate)
    }
}

/// Returns the error if the present schema causes it.
fn rejection(result: Result<(), GraphError>) -> Result<Option<GraphError>, GraphError> {
    match result {
        Ok(()) => Ok(None),
        // A constraint on very many nodes takes longer than a statement may.
        Err(error @ (GraphError::Rejected(_) | GraphError::TooLarge(_))) => Ok(Some(error)),
        Err(error) => Err(error),
    }
}

/// Reads the existing schema, and completes that of the bookkeeping: without its constraints, two writers could create
/// two nodes for one scope. Runs a schema statement only if something is missing, so that a user without the privilege
/// can write to a complete schema.
async fn read(graph: &GraphStore) -> Result<HashSet<Need>, GraphError> {
    let mut backoff = graph.backoff();
    let rows = show(graph).await?;
    let mut missing = missing(&rows)?;
    if missing.is_empty() {
        return Ok(needs(&rows)?);
    }
    loop {
        let mut refused = None;
        for statement in &missing {
            match alone(graph, statement).await {
                Err(GraphError::Rejected(error)) if is_schema(&error) && statement.is_constraint() => {
                    refused = Some(error);
                }
                other => other.or_else(tolerate).inspect_err(explain)?,
            }
        }
        let rows = show(graph).await?;
        // Another writer may be creating the same, or Neo4j may be rolling back the work of a killed one.
        let Some(error) = refused else { return Ok(needs(&rows)?) };
        missing = self::missing(&rows)?;
        backoff.insist(error).await?;
    }
}

/// Returns the statements of the bookkeeping's schema whose constraint or index is missing.
fn missing(rows: &[Row]) -> Result<Vec<Statement>, neo4rs::DeError> {
    let there = rows.iter().map(|row| Ok((row.get("name")?, row.get("unique")?)));
    let there = there.collect::<Result<HashSet<(String, bool)>, neo4rs::DeError>>()?;
    let all = scope_store::SCHEMA.into_iter().chain(OWN);
    // An index alone may be left over from an interrupted creation of the constraint.
    let all = all.map(|(name, text)| Statement { text: text.to_owned(), name: name.to_owned() });
    Ok(all.filter(|statement| !there.contains(&(statement.name.clone(), statement.is_constraint()))).collect())
}

async fn show(graph: &GraphStore) -> Result<Vec<Row>, GraphError> {
    let text = "SHOW INDEXES YIELD name, entityType, labelsOrTypes, properties, owningConstraint, type \
        WHERE type = 'RANGE' AND size(labelsOrTypes) = 1 RETURN name, entityType AS entity, \
        labelsOrTypes[0] AS label, properties, owningConstraint IS NOT NULL AS unique";
    graph::list_indexes(graph, text).await
}

fn needs(rows: &[Row]) -> Result<HashSet<Need>, neo4rs::DeError> {
    let need = |row: &Row| {
        let (entity, label): (String, String) = (row.get("entity")?, row.get("label")?);
        let properties: Vec<String> = row.get("properties")?;
        Ok(match (entity.as_str(), row.get::<bool>("unique")?) {
            ("NODE", true) if properties == ["id"] => Need::Unique(label),
            ("RELATIONSHIP", _) => Need::EdgeIndex(label, properties),
            _ => Need::Index(label, properties),
        })
    };
    rows.iter().map(need).collect()
}

/// One change of the schema.
#[derive(Default)]
struct Statement {
    text: String,
    /// Name of the constraint or index, if it has one. An interrupted creation of the constraint leaves an index of
    /// this name.
    name: String,
}

impl Statement {
    fn is_constraint(&self) -> bool {
        self.text.starts_with("CREATE CONSTRAINT")
    }
}

async fn run(graph: &GraphStore, text: &str) -> Result<(), GraphError> {
    graph.rows(Query::new(text.to_owned())).await.map(drop)
}

async fn together(graph: &GraphStore, needs: &[Need]) -> Result<(), GraphError> {
    let texts: Vec<String> = needs.iter().map(|need| need.statement().text).collect();
    in_one(graph, &texts).await
}

/// Makes all these changes, or none.
async fn in_one(graph: &GraphStore, texts: &[String]) -> Result<(), GraphError> {
    let mut backoff = graph.backoff();
    loop {
        match attempt(graph, texts).await {
            Ok(()) => return Ok(()),
            Err(error) => backoff.pause(error).await?,
        }
    }
}

async fn attempt(graph: &GraphStore, texts: &[String]) -> Result<(), neo4rs::Error> {
    let mut transaction = graph.begin().await?;
    let mut result = Ok(());
    for text in texts {
        result = transaction.run(Query::new(text.clone())).await;
        if result.is_err() {
            break;
        }
    }
    transaction.end(result).await
}

async fn alone(graph: &GraphStore, statement: &Statement) -> Result<(), GraphError> {
    let result = run(graph, &statement.text).await;
    let Err(GraphError::Rejected(error)) = &result else { return result };
    if !is_schema(error) || statement.name.is_empty() {
        return result;
    }
    // Rejected if the index belongs to a constraint: then another writer was faster.
    match run(graph, &format!("DROP INDEX {} IF EXISTS", statement.name)).await {
        Ok(()) | Err(GraphError::Rejected(_)) => run(graph, &statement.text).await,
        Err(error) => Err(error),
    }
}

/// Accepts a missing index or constraint: it makes statements slow, not wrong, and must not hold up the events.
fn tolerate(error: GraphError) -> Result<(), GraphError> {
    match error {
        GraphError::Rejected(error) if is_schema(&error) => {
            tracing::info!(%error, "keeping the schema as it is");
            Ok(())
        }
        other => Err(other),
    }
}

/// Property by which cleanup finds the nodes and edges of a place, and those that several places see. An index together
/// with `lastupdated` would change with every element that a sync sees again.
const CLEANUP: [&str; 1] = ["_module_scope"];

impl Need {
    fn is_met_by(&self, known: &HashSet<Self>) -> bool {
        let unique = || match self {
            Self::Index(label, properties) => *properties == ["id"] && known.contains(&Self::Unique(label.clone())),
            _ => false,
        };
        known.contains(self) || unique()
    }

    /// Returns the label or type, and the properties to index.
    fn indexed(&self) -> Indexed<'_> {
        match self {
            Self::Unique(name) => (name, vec!["id"]),
            Self::Index(name, properties) | Self::EdgeIndex(name, properties) => {
                (name, properties.iter().map(String::as_str).collect())
            }
        }
    }

    fn statement(&self) -> Statement {
        match self {
            Self::Unique(label) => Statement {
                text: format!(
                    "CREATE CONSTRAINT groma_unique_{label} IF NOT EXISTS FOR (n:`{label}`) REQUIRE n.id IS UNIQUE"
                ),
                name: format!("groma_unique_{label}"),
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

    /// Returns the needs of a node table's statement and of its users' queries.
    pub fn of_nodes(table: &NodeTable) -> Vec<Self> {
        let label = &table.label;
        // Cleanup's index finds shared nodes, too ([`crate::ghosts`]).
        let mut needs = vec![Self::Unique(label.clone()), Self::Index(label.clone(), owned(&CLEANUP))];
        let indexed = table.properties.iter().filter(|property| property.indexed);
        needs.extend(indexed.map(|property| Self::index(label, &property.name)));
        needs.extend(table.extra_labels.iter().map(|extra| Self::index(extra, "id")));
        needs
    }

    /// Returns the needs of the analysis of the whole graph.
    pub fn of_analysis() -> impl Iterator<Item = Self> {
        analysis::INDEXES.into_iter().map(|(label, property)| Self::index(label, property))
    }

    /// Returns the needs of an edge table's statement and of its cleanup.
    pub fn of_edges(table: &EdgeTable) -> Vec<Self> {
        let mut needs =
            vec![Self::index(&table.source_label, "id"), Self::index(&table.target_label, &table.target_key)];
        needs.push(Self::EdgeIndex(table.r#type.clone(), owned(&CLEANUP)));
        needs
    }
}

impl std::fmt::Display for Need {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unique(label) => write!(f, "the constraint on (:{label} {{id}})"),
            Self::Index(label, properties) => write!(f, "the index on (:{label} {{{}}})", properties.join(", ")),
            Self::EdgeIndex(kind, properties) => write!(f, "the index on [:{kind} {{{}}}]", properties.join(", ")),
        }
    }
}

fn owned(properties: &[&str]) -> Vec<String> {
    properties.iter().map(|name| (*name).to_owned()).collect()
}

fn columns(variable: &str, properties: &[String]) -> String {
    let columns: Vec<String> = properties.iter().map(|name| format!("{variable}.`{name}`")).collect();
    columns.join(", ")
}

/// Whether something existing causes the error: another index or constraint, or nodes that are not unique.
fn is_schema(error: &neo4rs::Error) -> bool {
    matches!(error, neo4rs::Error::Neo4j(neo4j) if neo4j.code().contains(".Schema."))
}
