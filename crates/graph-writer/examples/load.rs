//! Measures the speed of writers: publishes synthetic accounts, then times the writers until the graph holds them.
//! Every node hangs on its account, as in AWS (`RESOURCE`), so that writers that share an account meet there.
//!
//! ```text
//! cargo run -p graph-writer --example load -- [NODES] [EDGES] [ACCOUNTS] [CONNECTIONS] [BATCH] [ROUNDS] [WRITERS] [CHANGED]
//! ```
//!
//! CONNECTIONS is the number for each writer. CHANGED is the percentage of nodes that a round changes; default 100.
//!
//! Servers come from `testkit`; `NEO4J_URI` and `NEO4J_PASSWORD` name a Neo4j to use instead, which is emptied first.

use bus::{Bus, BusConfig, Outgoing};
use events::{
    AssetBatch, AssetEvent, Direction, EdgeRow, EdgeTable, NodeFeed, NodeRow, NodeTable, Ownership, Property, Scope,
    ScopeFinished, SyncId, Value, asset_event::Event, value::Kind,
};
use graph::{GraphConfig, GraphStore};
use graph_writer::{Options, Writer};
use std::time::{Duration, Instant};
use testkit::{Nats, Neo4j};
use tokio_util::sync::CancellationToken;

const PROPERTIES: usize = 20;
/// Listings of an account, each a separate scope.
const LISTINGS: usize = 4;

#[derive(Clone, Copy)]
struct Load {
    nodes: usize,
    edges: usize,
    accounts: usize,
    connections: usize,
    batch: usize,
    writers: usize,
    changed: usize,
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
        writers: 1,
        changed: 100,
    };
    let rounds = i64::try_from(next(2)?)?;
    let load = Load { writers: next(1)?, changed: next(100)?, ..load };
    let nats = Nats::start().await?;
    let bus = Bus::connect(&BusConfig::new(nats.url(), "load")).await?;
    bus.ensure_streams().await?;
    let neo4j = if std::env::var_os("NEO4J_URI").is_none() { Some(Neo4j::start().await?) } else { None };
    let config = config(neo4j.as_ref(), load)?;
    let wipe = "MATCH (n) CALL { WITH n DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS";
    println!("to begin with an empty graph, run: {wipe}");
    for round in 1..=rounds {
        let tag = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs().cast_signed() + round;
        publish(&bus, load, tag).await?;
        let took = write(&bus, &config, load).await?;
        let rows = 2 * load.nodes + load.edges;
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
    Ok(GraphConfig { connections, ..GraphConfig::new(uri, "neo4j", password) })
}

async fn write(bus: &Bus, config: &GraphConfig, load: Load) -> anyhow::Result<Duration> {
    let options = Options { lanes: load.connections, ..Options::default() };
    let durable = options.durable.clone();
    let last = bus.last_sequence(bus::ASSETS).await?;
    let shutdown = CancellationToken::new();
    let mut running = Vec::new();
    let began = Instant::now();
    for _ in 0..load.writers {
        let store = GraphStore::connect(config).await?;
        running.push(tokio::spawn(Writer::new(bus.clone(), store, options.clone()).run(shutdown.clone())));
    }
    loop {
        let backlog = bus.backlog(bus::ASSETS, &durable).await;
        if backlog.is_ok_and(|backlog| backlog.settled_up_to >= last) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = began.elapsed();
    shutdown.cancel();
    for writer in running {
        writer.await??;
    }
    Ok(took)
}

/// Publishes accounts, then batches of all their listings in turn, as collectors that work side by side do.
async fn publish(bus: &Bus, load: Load, tag: i64) -> anyhow::Result<()> {
    let sync = SyncId { id: format!("load{tag}"), update_tag: tag };
    let event = |account: usize, listing: String, event: Event| {
        let (region, service) = ("eu-west-1".into(), "load".into());
        let scope = Scope { account_id: account_id(account), region, service, listing };
        AssetEvent { sync: Some(sync.clone()), scope: Some(scope), attempt: 1, event: Some(event) }
    };
    for account in 0..load.accounts {
        let row = NodeRow { id: account_id(account), values: Vec::new() };
        let ownership = Ownership::Scope.into();
        let nodes = NodeTable { label: "LoadAccount".into(), ownership, rows: vec![row], ..NodeTable::default() };
        let batch = AssetBatch { index: 0, nodes: vec![nodes], edges: Vec::new() };
        bus.publish(Outgoing::asset(&event(account, "Account".into(), Event::Batch(batch)))).await?;
        bus.publish(Outgoing::asset(&event(account, "Account".into(), finished("LoadAccount", 1)))).await?;
    }
    let each = load.nodes / load.accounts / LISTINGS;
    let batches = each.div_ceil(load.batch);
    for index in 0..=batches {
        for listing in 0..LISTINGS {
            for account in 0..load.accounts {
                let rows = index * load.batch..each.min((index + 1) * load.batch);
                let rows = listing * each + rows.start..listing * each + rows.end;
                let inner = match u32::try_from(index)? {
                    _ if index == batches => finished("LoadThing", u32::try_from(batches)?),
                    index => Event::Batch(batch(load, account, index, rows, tag)),
                };
                bus.publish(Outgoing::asset(&event(account, format!("List{listing}"), inner))).await?;
            }
        }
    }
    Ok(())
}

fn account_id(account: usize) -> String {
    format!("{account:012}")
}

fn finished(label: &str, batches: u32) -> Event {
    let listings = (0..LISTINGS).map(|listing| format!("load/List{listing}")).collect();
    let feed = NodeFeed { label: label.into(), listings };
    Event::Finished(ScopeFinished { batches, nodes: vec![feed], ..ScopeFinished::default() })
}

fn batch(load: Load, account: usize, index: u32, rows: std::ops::Range<usize>, tag: i64) -> AssetBatch {
    let id = |n: usize| format!("arn:aws:load:eu-west-1:{account:012}:thing/{n:08}");
    let text = |text: String| Value { kind: Some(Kind::String(text)) };
    let properties = (0..PROPERTIES).map(|n| Property { name: format!("property{n}"), indexed: n == 0 }).collect();
    let version = |n: usize| if n % 100 < load.changed { tag } else { 0 };
    let values = |n: usize| (0..PROPERTIES).map(|p| text(format!("value {p} of {n} in {}", version(n)))).collect();
    let nodes = NodeTable {
        label: "LoadThing".into(),
        extra_labels: vec!["Thing".into()],
        ownership: Ownership::Scope.into(),
        properties,
        rows: rows.clone().map(|n| NodeRow { id: id(n), values: values(n) }).collect(),
        ..NodeTable::default()
    };
    let fan = load.edges / load.nodes;
    let hang = |n: usize| EdgeRow { source_id: id(n), target_value: account_id(account), values: Vec::new() };
    let edge =
        |n: usize, step: usize| EdgeRow { source_id: id(n), target_value: id(n / (step + 2)), values: Vec::new() };
    let edges = |kind: &str, direction: Direction, target_label: &str, rows| EdgeTable {
        r#type: kind.into(),
        source_label: "LoadThing".into(),
        direction: direction.into(),
        target_label: target_label.into(),
        target_key: "id".into(),
        properties: Vec::new(),
        rows,
    };
    let loads = rows.clone().flat_map(|n| (0..fan).map(move |step| edge(n, step))).collect();
    let hangs = rows.map(hang).collect();
    let edges = vec![
        edges("LOADS", Direction::Out, "LoadThing", loads),
        edges("RESOURCE", Direction::In, "LoadAccount", hangs),
    ];
    AssetBatch { index, nodes: vec![nodes], edges }
}
