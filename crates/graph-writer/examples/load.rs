//! How fast the writer is: publishes synthetic accounts, then times the writer until the graph holds them.
//!
//! ```text
//! cargo run -p graph-writer --example load -- [NODES] [EDGES] [ACCOUNTS] [CONNECTIONS] [BATCH] [ROUNDS]
//! ```
//!
//! Servers come from `testkit`; `NEO4J_URI` and `NEO4J_PASSWORD` name a Neo4j to use instead, which is emptied first.

use bus::{Bus, BusConfig, Outgoing};
use events::{
    AssetBatch, AssetEvent, Direction, EdgeRow, EdgeTable, NodeFeed, NodeRow, NodeTable, Ownership, Property, Scope,
    ScopeFinished, Sync, Value, asset_event::Event, value::Kind,
};
use graph::{GraphConfig, GraphStore};
use graph_writer::{Options, Writer};
use std::time::{Duration, Instant};
use testkit::{Nats, Neo4j};
use tokio_util::sync::CancellationToken;

const PROPERTIES: usize = 20;

#[derive(Clone, Copy)]
struct Load {
    nodes: usize,
    edges: usize,
    accounts: usize,
    connections: usize,
    batch: usize,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let mut next = |default: usize| numbers.next().unwrap_or(Ok(default));
    let load = Load {
        nodes: next(100_000)?,
        edges: next(200_000)?,
        accounts: next(4)?,
        connections: next(4)?,
        batch: next(1_000)?,
    };
    let rounds = i64::try_from(next(2)?)?;
    let nats = Nats::start().await?;
    let bus = Bus::connect(&BusConfig::new(nats.url(), "load")).await?;
    bus.ensure_streams().await?;
    let neo4j = if std::env::var_os("NEO4J_URI").is_none() { Some(Neo4j::start().await?) } else { None };
    let store = GraphStore::connect(&config(neo4j.as_ref(), load)?).await?;
    let wipe = "MATCH (n) CALL { WITH n DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS";
    println!("to begin with an empty graph, run: {wipe}");
    for round in 1..=rounds {
        let tag = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs().cast_signed() + round;
        publish(&bus, load, tag).await?;
        let took = write(&bus, store.clone(), load).await?;
        let rows = load.nodes + load.edges;
        let per_second = f64::from(u32::try_from(rows)?) / took.as_secs_f64();
        println!("round {round}: {rows} rows in {took:.2?}, {per_second:.0} rows/s");
    }
    Ok(())
}

fn config(neo4j: Option<&Neo4j>, load: Load) -> anyhow::Result<GraphConfig> {
    let (uri, password) = match neo4j {
        Some(neo4j) => (neo4j.uri(), neo4j.password().to_owned()),
        None => (std::env::var("NEO4J_URI")?, std::env::var("NEO4J_PASSWORD")?),
    };
    let Load { connections, .. } = load;
    Ok(GraphConfig { uri, user: "neo4j".into(), password: password.into(), database: None, ca_file: None, connections })
}

async fn write(bus: &Bus, store: GraphStore, load: Load) -> anyhow::Result<Duration> {
    let options = Options { lanes: load.connections, ..Options::default() };
    let durable = options.durable.clone();
    let last = bus.last_sequence(bus::ASSETS).await?;
    let shutdown = CancellationToken::new();
    let began = Instant::now();
    let running = tokio::spawn(Writer::new(bus.clone(), store, options).run(shutdown.clone()));
    loop {
        let backlog = bus.backlog(bus::ASSETS, &durable).await;
        if backlog.is_ok_and(|backlog| backlog.settled_up_to >= last) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = began.elapsed();
    shutdown.cancel();
    running.await??;
    Ok(took)
}

/// Batches of all accounts in turn, as collectors that work side by side publish them.
async fn publish(bus: &Bus, load: Load, tag: i64) -> anyhow::Result<()> {
    let each = load.nodes / load.accounts;
    let batches = each.div_ceil(load.batch);
    let sync = Sync { id: format!("load{tag}"), update_tag: tag };
    let scope = |account: usize| Scope {
        account_id: format!("{account:012}"),
        region: "eu-west-1".into(),
        service: "load".into(),
        listing: "List".into(),
    };
    for index in 0..=batches {
        for account in 0..load.accounts {
            let event = if index == batches {
                let feed = NodeFeed { label: "LoadThing".into(), listings: vec!["load/List".into()] };
                let batches = u32::try_from(batches)?;
                Event::Finished(ScopeFinished { batches, nodes: vec![feed], ..ScopeFinished::default() })
            } else {
                let rows = index * load.batch..each.min((index + 1) * load.batch);
                Event::Batch(batch(load, account, u32::try_from(index)?, rows, tag))
            };
            let event =
                AssetEvent { sync: Some(sync.clone()), scope: Some(scope(account)), attempt: 1, event: Some(event) };
            bus.publish(Outgoing::asset(&event)).await?;
        }
    }
    Ok(())
}

fn batch(load: Load, account: usize, index: u32, rows: std::ops::Range<usize>, tag: i64) -> AssetBatch {
    let id = |n: usize| format!("arn:aws:load:eu-west-1:{account:012}:thing/{n:08}");
    let text = |text: String| Value { kind: Some(Kind::String(text)) };
    let properties = (0..PROPERTIES).map(|n| Property { name: format!("property{n}"), indexed: n == 0 }).collect();
    let values = |n: usize| (0..PROPERTIES).map(|p| text(format!("value {p} of {n} in {tag}"))).collect();
    let nodes = NodeTable {
        label: "LoadThing".into(),
        extra_labels: vec!["Thing".into()],
        ownership: Ownership::Scope.into(),
        properties,
        rows: rows.clone().map(|n| NodeRow { id: id(n), values: values(n) }).collect(),
        ..NodeTable::default()
    };
    let fan = load.edges / load.nodes;
    let edge =
        |n: usize, step: usize| EdgeRow { source_id: id(n), target_value: id(n / (step + 2)), values: Vec::new() };
    let edges = EdgeTable {
        r#type: "LOADS".into(),
        source_label: "LoadThing".into(),
        direction: Direction::Out.into(),
        target_label: "LoadThing".into(),
        target_key: "id".into(),
        properties: Vec::new(),
        rows: rows.flat_map(|n| (0..fan).map(move |step| edge(n, step))).collect(),
    };
    AssetBatch { index, nodes: vec![nodes], edges: vec![edges] }
}
