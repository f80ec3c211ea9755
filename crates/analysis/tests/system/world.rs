//! A hand-made graph, a few steps, and their results.

use anyhow::Context;
use expect_test::Expect;
use graph::{GraphConfig, GraphStore};
use testkit::Neo4j;
use tokio::sync::MutexGuard;

/// Tag of the sync in all tests; an older one is 50, a newer one 200.
pub(crate) const TAG: i64 = 100;

pub(crate) struct World {
    pub(crate) neo4j: MutexGuard<'static, Neo4j>,
    pub(crate) store: GraphStore,
}

impl World {
    /// Creates a graph with this statement.
    pub(crate) async fn new(make: &str) -> anyhow::Result<Self> {
        let neo4j = Neo4j::shared().await?;
        let store = connect(&neo4j).await?;
        let world = Self { neo4j, store };
        world.change(make).await?;
        Ok(world)
    }

    pub(crate) async fn change(&self, make: &str) -> anyhow::Result<()> {
        self.neo4j.rows(make).await.map(drop)
    }

    /// Runs a step.
    pub(crate) async fn step(&self, name: &str, tag: i64) -> anyhow::Result<analysis::Counts> {
        let step = analysis::STEPS.iter().find(|step| step.name == name).with_context(|| format!("no step {name}"))?;
        Ok(analysis::run_step(&self.store, step, tag).await?)
    }

    /// Runs a query. Returns one line per row, with columns separated by spaces.
    pub(crate) async fn ask(&self, question: &str) -> anyhow::Result<String> {
        let rows = self.neo4j.rows(question).await?;
        let line = |row: &serde_json::Value| {
            let cells = row.as_object().into_iter().flat_map(|row| row.values());
            cells
                .map(|cell| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned))
                .collect::<Vec<_>>()
                .join(" ")
        };
        Ok(rows.iter().map(|row| line(row) + "\n").collect())
    }
}

pub(crate) async fn connect(neo4j: &Neo4j) -> anyhow::Result<GraphStore> {
    let config = GraphConfig::new(neo4j.uri(), neo4j.user(), neo4j.password());
    Ok(GraphStore::connect(&config).await?)
}

/// Creates a graph, runs the steps and compares the result. A second run must change nothing.
pub(crate) async fn check(steps: &[&str], make: &str, question: &str, expected: Expect) -> anyhow::Result<()> {
    let world = World::new(make).await?;
    for name in steps {
        world.step(name, TAG).await?;
    }
    let answer = world.ask(question).await?;
    expected.assert_eq(&answer);
    for name in steps {
        let again = world.step(name, TAG).await?;
        assert_eq!(again.removed, 0, "{name} removes what it has just drawn");
    }
    assert_eq!(world.ask(question).await?, answer);
    Ok(())
}

/// All edges of these types with their ends' ids and their properties except `firstseen`.
pub(crate) fn edges(kinds: &str) -> String {
    format!(
        "MATCH (a)-[r:{kinds}]->(b) RETURN a.id AS a, type(r) AS b, b.id AS c, \
         [key IN ['lastupdated', 'port', 'protocol', 'target_group_arn', 'exposure_type', 'has_condition', \
         'condition_keys', 'conditions'] WHERE r[key] IS NOT NULL | [key, r[key]]] AS d, r.firstseen IS NOT NULL AS e \
         ORDER BY a, b, c"
    )
}
