//! Checks at intervals that Neo4j answers. A writer without events sends no other statement, so its readiness would say
//! nothing about the graph.

use graph::GraphStore;
use parking_lot::Mutex;
use std::{convert::Infallible, time::Duration};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Time between two checks.
const INTERVAL: Duration = Duration::from_secs(30);
/// Time limit for the answer.
const LIMIT: Duration = Duration::from_secs(10);

/// Result of the last check.
#[derive(Debug, Default)]
pub(crate) struct Probe(Mutex<Option<String>>);

impl Probe {
    /// Checks until dropped. Logs nothing: the writer logs each failed transaction.
    pub(crate) async fn run(&self, store: &GraphStore) -> Infallible {
        let mut tick = interval(INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            *self.0.lock() = check(store, LIMIT).await.err();
        }
    }

    /// Returns the error of the last check, if it failed.
    pub(crate) fn error(&self) -> Option<String> {
        self.0.lock().clone()
    }
}

async fn check(store: &GraphStore, limit: Duration) -> Result<(), String> {
    match timeout(limit, store.ping()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(errors::chain(&error)),
        Err(_) => Err(format!("no answer within {limit:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::GraphConfig;
    use testkit::{Neo4j, Proxy, Way};

    #[tokio::test]
    async fn a_silent_database_is_an_error_until_it_answers() -> anyhow::Result<()> {
        let neo4j = Neo4j::shared().await?;
        let port = neo4j.uri().rsplit(':').next().unwrap_or_default().parse()?;
        let proxy = Proxy::start(port).await?;
        let uri = format!("bolt://127.0.0.1:{}", proxy.port());
        let config = GraphConfig { connections: 2, ..GraphConfig::new(uri, neo4j.user(), neo4j.password()) };
        let store = GraphStore::connect(&config).await?;
        let limit = Duration::from_millis(200);
        proxy.hold(Way::ToClient);
        assert_eq!(check(&store, limit).await, Err("no answer within 200ms".to_owned()));
        proxy.cut();
        proxy.release();
        assert_eq!(check(&store, LIMIT).await, Ok(()));
        Ok(())
    }
}
