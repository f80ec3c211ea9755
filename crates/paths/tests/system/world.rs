//! A graph, and the paths in it as text.

use graph::{GraphConfig, GraphStore};
use paths::{EndError, Format, Found, Limits, find, search};
use testkit::Neo4j;
use tokio::sync::MutexGuard;

pub(crate) struct World {
    /// Other tests wait until it is dropped.
    _neo4j: MutexGuard<'static, Neo4j>,
    pub(crate) store: GraphStore,
}

impl World {
    /// Makes a graph with this statement.
    pub(crate) async fn new(make: &str) -> anyhow::Result<Self> {
        let neo4j = Neo4j::shared_with_indexes().await?;
        neo4j.rows(make).await?;
        let config = GraphConfig::new(neo4j.uri(), neo4j.user(), neo4j.password());
        let store = GraphStore::connect(&config).await?;
        Ok(Self { _neo4j: neo4j, store })
    }

    pub(crate) async fn found(&self, from: &str, to: &str, limits: Limits) -> anyhow::Result<Found> {
        let (begin, end) = Box::pin(find(&self.store, from, to)).await?;
        Ok(Box::pin(search(&self.store, &begin, &end, limits)).await?)
    }

    pub(crate) async fn text(&self, from: &str, to: &str) -> anyhow::Result<String> {
        Ok(Format::Text.text(&self.found(from, to, Limits::default()).await?, from, to))
    }

    /// Ids of the assets of each open path, one path a line.
    pub(crate) async fn paths(&self, from: &str, to: &str) -> anyhow::Result<Vec<String>> {
        let found = self.found(from, to, Limits::default()).await?;
        assert_eq!(found.cut, None);
        let ids = |path: &paths::Path| {
            let steps = path.steps.iter().map(|step| step.node.id.as_str());
            std::iter::once(path.begin.id.as_str()).chain(steps).collect::<Vec<_>>().join(" ")
        };
        Ok(found.paths.iter().map(ids).collect())
    }

    /// Reasons of the blocked paths.
    pub(crate) async fn blocked(&self, from: &str, to: &str) -> anyhow::Result<Vec<String>> {
        let found = self.found(from, to, Limits::default()).await?;
        assert!(found.paths.is_empty(), "{:?}", found.paths);
        Ok(found.blocked.into_iter().filter_map(|path| path.blocked).collect())
    }

    pub(crate) async fn error(&self, from: &str, to: &str) -> EndError {
        find(&self.store, from, to).await.expect_err("no ends")
    }
}
