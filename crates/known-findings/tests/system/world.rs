//! An empty graph with the schema, and answers to one question.

use graph::{GraphConfig, GraphStore};
use known_findings::{RememberError, Remembered, Since, Sync, claim, forget, new_since, newest, prepare, remember};
use questions::{Answer, arguments::arguments, find};
use serde_json::{Map, Value, json};
use testkit::Neo4j;
use tokio::sync::MutexGuard;

pub(crate) struct World {
    pub(crate) neo4j: MutexGuard<'static, Neo4j>,
    pub(crate) store: GraphStore,
}

impl World {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        let neo4j = Neo4j::shared_with_indexes().await?;
        let store = connect(&neo4j).await?;
        prepare(&store).await?;
        Ok(Self { neo4j, store })
    }

    /// Finishes a sync with this update tag. Its id is `S` and the tag.
    pub(crate) async fn sync(&self, tag: i64) -> anyhow::Result<Sync> {
        let text = format!("CREATE (:GromaSync {{id: 'S{tag}', tag: {tag}, state: 'finished'}})");
        self.neo4j.rows(&text).await?;
        newest(&self.store).await?.ok_or_else(|| anyhow::anyhow!("no sync"))
    }

    pub(crate) async fn remember(&self, answer: &Answer<'_>, sync: &Sync) -> anyhow::Result<[u64; 4]> {
        let Remembered { new, back, kept, gone } = claimed(&self.store, answer, sync).await?;
        Ok([new, back, kept, gone])
    }

    /// Names of the users in the rows that are new.
    pub(crate) async fn new_users(&self, answer: Answer<'_>, since: &str, newest: &Sync) -> anyhow::Result<String> {
        let since: Since = since.parse().map_err(anyhow::Error::msg)?;
        let new = new_since(&self.store, answer, &since, newest).await?;
        Ok(new.rows.iter().filter_map(|row| new.value(row, "user").as_str()).collect::<Vec<_>>().join(" "))
    }

    pub(crate) async fn forget(&self) -> anyhow::Result<u64> {
        Ok(forget(&self.store).await?)
    }

    /// Number of findings in the graph.
    pub(crate) async fn count(&self) -> anyhow::Result<Value> {
        Ok(self.neo4j.rows("MATCH (f:GromaFinding) RETURN count(f) AS count").await?[0]["count"].clone())
    }
}

pub(crate) async fn connect(neo4j: &Neo4j) -> anyhow::Result<GraphStore> {
    let config = GraphConfig { connections: 4, ..GraphConfig::new(neo4j.uri(), neo4j.user(), neo4j.password()) };
    Ok(GraphStore::connect(&config).await?)
}

/// Claims the question, and remembers its answer.
pub(crate) async fn claimed(store: &GraphStore, answer: &Answer<'_>, sync: &Sync) -> Result<Remembered, RememberError> {
    let claim = claim(store, answer.question, &answer.arguments).await?;
    remember(store, &claim, answer, sync).await
}

/// Answer to `user_admin` whose findings are these users.
pub(crate) fn users(names: &[&str]) -> Answer<'static> {
    answer("user_admin", &[], names, names.len())
}

/// Answer to a question. Columns that no test reads are null.
pub(crate) fn answer(name: &str, given: &[&str], users: &[&str], limit: usize) -> Answer<'static> {
    let question = find(name).expect("a question");
    let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
    let row = |user: &&str| {
        let mut row: Map<String, Value> = question.columns.iter().map(|name| (name.clone(), Value::Null)).collect();
        row.insert("account".into(), json!("111111111111"));
        row.insert(question.id.clone(), json!(user));
        row
    };
    let arguments = arguments(question, &given).expect("values");
    Answer::new(question, arguments, 9, users.iter().map(row).collect(), limit).expect("columns")
}
