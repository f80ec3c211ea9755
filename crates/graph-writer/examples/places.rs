//! Measures the cost for a place to see a node and an edge that many places see already, such as `0.0.0.0/0` and its
//! rules.
//!
//! ```text
//! cargo run -p graph-writer --example places -- [PLACES]...
//! ```
//!
//! Prints, for each number of places, the median transaction time of three cases: a new place; a place that is the
//! first to see both again in the next sync (and writes the node and the edge too); and a place that sees them again
//! later. Each transaction holds one batch with one node and one edge. Servers come from `testkit`.

use events::{
    AssetBatch, AssetEvent, Direction, EdgeRow, EdgeTable, Message, NodeRow, NodeTable, Ownership, Property, Scope,
    SyncId, Value, asset_event::Event, value::Kind,
};
use graph::{GraphConfig, GraphStore};
use graph_writer::{
    admit::admit,
    apply::{Item, apply},
    schema::Schema,
};
use std::time::{Duration, Instant};
use testkit::Neo4j;

/// Measured transactions of each case.
const TIMES: usize = 100;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let sizes = std::env::args().skip(1).map(|text| text.parse()).collect::<Result<Vec<usize>, _>>()?;
    let sizes = if sizes.is_empty() { vec![200, 1_000, 3_400, 17_000] } else { sizes };
    let neo4j = Neo4j::start().await?;
    let config = GraphConfig::new(neo4j.uri(), neo4j.user(), neo4j.password());
    let store = GraphStore::connect(&config).await?;
    let schema = Schema::default();
    println!("places | new place | first of a sync | seen again");
    let mut tag = 1_000;
    // Warms up the query plans and the JVM.
    for place in 0..2 * TIMES {
        see(&store, &schema, place, tag).await?;
    }
    let mut places = 2 * TIMES;
    for size in sizes {
        fill(&neo4j, places..size, tag).await?;
        places = places.max(size);
        let new = median(&store, &schema, places..places + TIMES, tag).await?;
        places += TIMES;
        tag += 1;
        let first = median(&store, &schema, 0..1, tag).await?;
        let again = median(&store, &schema, 1..=TIMES, tag).await?;
        println!("{places:6} | {new:9.1?} | {first:15.1?} | {again:10.1?}");
    }
    Ok(())
}

/// Creates sightings of these places, equal to those that the writer would create one by one.
async fn fill(neo4j: &Neo4j, places: std::ops::Range<usize>, tag: i64) -> anyhow::Result<()> {
    let (from, to) = (places.start, places.end);
    let text = format!(
        "MATCH (s:GromaSighting {{place: '{}', tag: {tag}}}) UNWIND range({from}, {to} - 1) AS n \
         WITH s, right('000000000000' + toString(n), 12) + '/eu-west-1/ec2' AS place \
         CREATE (:GromaSighting {{id: split(s.id, ' ')[0] + ' ' + place, place: place, kind: s.kind, tag: {tag}}})",
        place(0)
    );
    if from < to {
        neo4j.rows(&text).await?;
    }
    Ok(())
}

async fn median(
    store: &GraphStore,
    schema: &Schema,
    places: impl IntoIterator<Item = usize>,
    tag: i64,
) -> anyhow::Result<Duration> {
    let mut times = Vec::new();
    for place in places {
        let began = Instant::now();
        see(store, schema, place, tag).await?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

fn account(place: usize) -> String {
    format!("{place:012}")
}

fn place(number: usize) -> String {
    format!("{}/eu-west-1/ec2", account(number))
}

/// Writes the range and the edge from it for a place.
async fn see(store: &GraphStore, schema: &Schema, place: usize, tag: i64) -> anyhow::Result<()> {
    let text = |text: &str| Value { kind: Some(Kind::String(text.into())) };
    let row = |id: &str| NodeRow { id: id.into(), values: vec![text(id)] };
    let nodes = NodeTable {
        label: "Range".into(),
        ownership: Ownership::Scope.into(),
        properties: vec![Property { name: "range".into(), indexed: false }],
        rows: vec![row("0.0.0.0/0")],
        ..NodeTable::default()
    };
    let edges = EdgeTable {
        r#type: "MEMBER_OF".into(),
        source_label: "Range".into(),
        direction: Direction::Out.into(),
        target_label: "Range".into(),
        target_key: "id".into(),
        rows: vec![EdgeRow { source_id: "0.0.0.0/0".into(), target_value: "0.0.0.0/0".into(), values: Vec::new() }],
        ..EdgeTable::default()
    };
    let event = Event::Batch(AssetBatch { index: 0, nodes: vec![nodes], edges: vec![edges] });
    let scope = Scope {
        account_id: account(place),
        region: "eu-west-1".into(),
        service: "ec2".into(),
        listing: "DescribeSecurityGroups".into(),
    };
    let sync = SyncId { id: format!("sync{tag}"), update_tag: tag };
    let event = AssetEvent { sync: Some(sync), scope: Some(scope), attempt: 1, event: Some(event) };
    let event = admit(&event.encode_to_vec()).map_err(anyhow::Error::msg)?;
    let item = Item { sequence: 1, event };
    Ok(apply(store, schema, &[item]).await.map(drop)?)
}
