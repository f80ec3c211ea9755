//! A bus, a graph and a writer between them.

use crate::story::Story;
use anyhow::{Context, ensure};
use bus::{Bus, BusConfig, Outcome, Outgoing};
use events::{
    AssetEvent, Message, SyncCollected, SyncEvent, SyncFinished, SyncId, WorkItem, WorkReport, subjects,
    sync_event::Event,
};
use graph::{GraphConfig, GraphStore};
use graph_writer::{Options, Writer, sync_end::SyncEnd};
use std::{
    fmt::Write,
    time::{Duration, Instant},
};
use testkit::{Nats, Neo4j};
use tokio::{sync::MutexGuard, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

pub(crate) const PATIENCE: Duration = Duration::from_mins(10);

pub(crate) struct World {
    pub(crate) nats: Nats,
    pub(crate) neo4j: MutexGuard<'static, Neo4j>,
    pub(crate) bus: Bus,
}

/// A writer at work.
pub(crate) struct Running {
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

pub(crate) fn options() -> Options {
    let second = Duration::from_secs(1);
    Options { lanes: 2, ack_wait: second, patience: Duration::from_millis(500), ..Options::default() }
}

impl World {
    /// Starts with an empty graph, and the indexes and plans of earlier tests.
    pub(crate) async fn new() -> anyhow::Result<Self> {
        Self::of(Neo4j::shared_with_indexes().await?).await
    }

    /// Starts with an empty graph without indexes, for tests of the schema.
    pub(crate) async fn without_indexes() -> anyhow::Result<Self> {
        Self::of(Neo4j::shared().await?).await
    }

    async fn of(neo4j: MutexGuard<'static, Neo4j>) -> anyhow::Result<Self> {
        // Log of the writer, for failing tests; RUST_LOG sets the level.
        let log = tracing_subscriber::fmt().with_env_filter(EnvFilter::from_default_env()).with_ansi(false);
        log.with_test_writer().try_init().ok();
        let nats = Nats::start().await?;
        let bus = Bus::connect(&BusConfig::new(nats.url(), "test")).await?;
        bus.ensure_streams().await?;
        Ok(Self { nats, neo4j, bus })
    }

    pub(crate) fn config(&self) -> GraphConfig {
        GraphConfig { connections: 2, ..GraphConfig::new(self.neo4j.uri(), self.neo4j.user(), self.neo4j.password()) }
    }

    pub(crate) async fn store(&self) -> anyhow::Result<GraphStore> {
        Ok(GraphStore::connect(&self.config()).await?)
    }

    pub(crate) async fn writer(&self) -> anyhow::Result<Running> {
        self.writer_with(options()).await
    }

    pub(crate) async fn writer_with(&self, options: Options) -> anyhow::Result<Running> {
        self.writer_on(self.store().await?, options).await
    }

    /// Starts a writer on another graph, or with other limits.
    pub(crate) async fn writer_on(&self, store: GraphStore, options: Options) -> anyhow::Result<Running> {
        let bus = Bus::connect(&BusConfig::new(self.nats.url(), "writer")).await?;
        let writer = Writer::new(bus, store, options);
        let shutdown = CancellationToken::new();
        let token = shutdown.clone();
        let task = tokio::spawn(async move { writer.run(token).await.expect("the writer runs") });
        Ok(Running { shutdown, task })
    }

    pub(crate) async fn publish(&self, events: impl IntoIterator<Item = AssetEvent>) -> anyhow::Result<()> {
        for event in events {
            self.bus.publish(Outgoing::asset(&event)).await?;
        }
        Ok(())
    }

    /// Publishes under new ids, so that JetStream accepts repeats.
    pub(crate) async fn publish_again(&self, events: &[AssetEvent], round: &str) -> anyhow::Result<()> {
        for (n, event) in events.iter().enumerate() {
            let outgoing = Outgoing::new(subjects::asset(event), format!("{round}/{n}"), event.encode_to_vec());
            self.bus.publish(outgoing).await?;
        }
        Ok(())
    }

    /// Publishes collectors' reports of these listings, and that the sync is collected.
    pub(crate) async fn collected(&self, sync: &SyncId, stories: &[Story]) -> anyhow::Result<()> {
        for (n, story) in stories.iter().enumerate() {
            let item = WorkItem {
                sync: Some(sync.clone()),
                account_id: format!("{n}"),
                service: story.scope.service.clone(),
                ..WorkItem::default()
            };
            let scopes = vec![story.report()];
            let report = WorkReport { item: Some(item), attempt: story.attempt, scopes, ..WorkReport::default() };
            self.sync_event(sync, Event::Reported(report)).await?;
        }
        self.sync_event(
            sync,
            Event::Collected(SyncCollected { scopes: stories.len() as u64, ..SyncCollected::default() }),
        )
        .await
    }

    pub(crate) async fn sync_event(&self, sync: &SyncId, event: Event) -> anyhow::Result<()> {
        let event = SyncEvent { sync: Some(sync.clone()), event: Some(event) };
        Ok(self.bus.publish(Outgoing::sync(&event)).await?)
    }

    /// Waits for the sync's end.
    pub(crate) async fn finished(&self, sync: &SyncId) -> anyhow::Result<SyncFinished> {
        let subject = subjects::sync(&SyncEvent {
            sync: Some(sync.clone()),
            event: Some(Event::Finished(SyncFinished::default())),
        });
        let consumer = self.bus.watch(bus::SYNCS, subject).await?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            for delivery in consumer.next(1).await? {
                let event = SyncEvent::decode(delivery.payload().clone())?;
                delivery.settle(Outcome::Ack).await?;
                if let Some(Event::Finished(finished)) = event.event {
                    return Ok(finished);
                }
            }
        }
        anyhow::bail!("sync {} does not end", sync.id)
    }

    /// Publishes the listings in order, reports them and waits for the sync's end.
    pub(crate) async fn survey(&self, stories: &[Story]) -> anyhow::Result<SyncFinished> {
        self.publish(stories.iter().flat_map(Story::events)).await?;
        let sync = stories.first().context("a listing")?.sync.clone();
        self.collected(&sync, stories).await?;
        self.finished(&sync).await
    }

    /// Waits until the writer has settled every asset event.
    pub(crate) async fn settled(&self) -> anyhow::Result<()> {
        let last = self.bus.last_sequence(bus::ASSETS).await?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            // A writer that has just been started may not have created its consumer yet.
            let backlog = self.bus.backlog(bus::ASSETS, &options().durable).await.ok();
            if backlog.is_some_and(|backlog| backlog.unsettled == 0 && backlog.settled_up_to >= last) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::bail!("asset events are left: {:?}", self.bus.backlog(bus::ASSETS, &options().durable).await?)
    }

    /// Returns the ids of a label's nodes, sorted, separated by spaces.
    pub(crate) async fn ids(&self, label: &str) -> anyhow::Result<String> {
        let rows = self.neo4j.rows(&format!("MATCH (n:{label}) RETURN n.id AS id ORDER BY id")).await?;
        Ok(rows.iter().map(|row| row["id"].as_str().unwrap_or("?")).collect::<Vec<_>>().join(" "))
    }

    /// Returns relationships of a type, `a>b`, sorted.
    pub(crate) async fn pairs(&self, kind: &str) -> anyhow::Result<String> {
        let text = format!("MATCH (a)-[:{kind}]->(b) RETURN a.id + '>' + b.id AS pair ORDER BY pair");
        let rows = self.neo4j.rows(&text).await?;
        Ok(rows.iter().map(|row| row["pair"].as_str().unwrap_or("?")).collect::<Vec<_>>().join(" "))
    }

    /// Returns nodes A and B and all edges as text, without times and bookkeeping, for comparing two graphs.
    pub(crate) async fn dump(&self) -> anyhow::Result<String> {
        const PROPERTIES: &str = "[k IN keys(it) WHERE NOT k IN ['firstseen', '_module_scope'] | \
            k + '=' + toString(it[k])]";
        let nodes = format!("MATCH (it) WHERE it:A OR it:B RETURN labels(it) AS labels, {PROPERTIES} AS props");
        let edges = format!(
            "MATCH (a)-[it]->(b) RETURN labels(a)[0] + ' ' + a.id + ' ' + type(it) + ' ' + labels(b)[0] + ' ' + b.id AS labels, {PROPERTIES} AS props"
        );
        let mut lines = Vec::new();
        for row in [self.neo4j.rows(&nodes).await?, self.neo4j.rows(&edges).await?].concat() {
            let mut props: Vec<String> =
                row["props"].as_array().into_iter().flatten().map(ToString::to_string).collect();
            props.sort();
            lines.push(format!("{} {}", row["labels"], props.join(" ")));
        }
        lines.sort();
        Ok(lines.iter().fold(String::new(), |mut text, line| {
            writeln!(text, "{line}").expect("text");
            text
        }))
    }

    /// Returns an instance that closes syncs, without a writer around it.
    pub(crate) async fn sync_end(&self) -> anyhow::Result<SyncEnd> {
        Ok(SyncEnd::new(self.bus.clone(), self.store().await?, options()))
    }

    /// Deletes a message from the assets stream, as a crash between two flushes would.
    pub(crate) async fn erase(&self, sequence: u64) -> anyhow::Result<()> {
        Ok(self.bus.erase(bus::ASSETS, sequence).await?)
    }

    /// Returns the number of parked messages.
    pub(crate) async fn parked(&self) -> anyhow::Result<u64> {
        let summaries = self.bus.stream_summaries().await.map_err(|error| anyhow::anyhow!(error))?;
        let parked = summaries.into_iter().find(|summary| summary.name == bus::PARKED);
        Ok(parked.context("the parked stream")?.messages)
    }
}

impl Running {
    /// Shuts the writer down and waits for its end.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        Ok(tokio::time::timeout(PATIENCE, self.task).await??)
    }

    /// Aborts all its work, as SIGKILL would.
    pub(crate) async fn kill(self) -> anyhow::Result<()> {
        self.task.abort();
        let ended = self.task.await;
        ensure!(ended.is_err(), "it had ended by itself");
        Ok(())
    }
}
