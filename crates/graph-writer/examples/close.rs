//! Measures the memory that closing a sync needs. Creates scopes in the graph as writers would leave them, and reports
//! on the bus. A separate process then closes the sync and prints its peak size (`VmHWM`, Linux).
//!
//! ```text
//! cargo run -p graph-writer --example close -- [ACCOUNTS] [REGIONS] [LISTINGS] [MOST_MIB]
//! ```
//!
//! Defaults: 1,000 accounts in 17 regions with 25 listings, which is 425,000 scopes. The exit status is 1 if the
//! process exceeded `MOST_MIB` or failed. `CGROUP` is the folder of a cgroup that the closing process joins:
//!
//! ```text
//! mkdir /sys/fs/cgroup/close; echo 256M > /sys/fs/cgroup/close/memory.max       # version 2
//! CGROUP=/sys/fs/cgroup/close cargo run -p graph-writer --example close
//! ```
//!
//! Servers come from `testkit`.

use anyhow::{Context, ensure};
use bus::{Bus, BusConfig, GRAPH_WRITER, Outgoing, Subscription};
use events::{
    NodeFeed, Scope, ScopeFinished, ScopeReport, SyncCollected, SyncEvent, SyncId, WorkItem, WorkReport,
    sync_event::Event,
};
use graph::{GraphConfig, GraphStore};
use graph_writer::{Options, feeds::Feeds, schema::Schema, sync_end::SyncEnd};
use std::{
    collections::VecDeque,
    fs,
    time::{Duration, Instant},
};
use testkit::{Nats, Neo4j, peak_mib};

/// Labels of a listing. `DescribeInstances` has the most, 19.
const LABELS: usize = 8;
/// Accounts whose scopes are created in one transaction.
const TOGETHER: usize = 20;
/// Limit of unacknowledged reports.
const PENDING: usize = 64;
/// Variable with the URL of NATS. Set for the process that closes the sync.
const NATS: &str = "CLOSE_NATS";

#[derive(Clone, Copy)]
struct Size {
    accounts: usize,
    regions: usize,
    listings: usize,
}

fn sync() -> SyncId {
    SyncId { id: "01KAHZ7Q0M8S1J3V5X9T2W4Y6B".to_owned(), update_tag: 1_000_000_000 }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match std::env::var(NATS) {
        Ok(url) => close(&url).await,
        Err(_) => measure().await,
    }
}

async fn measure() -> anyhow::Result<()> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let mut next = |default: usize| numbers.next().unwrap_or(Ok(default));
    let size = Size { accounts: next(1_000)?, regions: next(17)?, listings: next(25)? };
    let most = next(256)?;
    let nats = Nats::start().await?;
    let neo4j = Neo4j::start().await?;
    let bus = Bus::connect(&BusConfig::new(nats.url(), "close")).await?;
    bus.ensure_streams().await?;
    bus.consume(Subscription::assets(GRAPH_WRITER, bus::ACK_WAIT)).await?;
    let began = Instant::now();
    fill(&neo4j, size).await?;
    report(&bus, size).await?;
    println!("{} scopes made in {:.0?}", size.accounts * size.regions * size.listings, began.elapsed());
    let mut closing = tokio::process::Command::new(std::env::current_exe()?);
    closing.env(NATS, nats.url()).env("NEO4J_URI", neo4j.uri()).env("NEO4J_PASSWORD", neo4j.password());
    let status = closing.env("MOST_MIB", most.to_string()).status().await?;
    ensure!(status.success(), "closing ended with {status}");
    Ok(())
}

async fn close(nats: &str) -> anyhow::Result<()> {
    if let Some(group) = std::env::var_os("CGROUP") {
        let processes = std::path::Path::new(&group).join("cgroup.procs");
        fs::write(processes, std::process::id().to_string()).context("joining the cgroup")?;
    }
    let bus = Bus::connect(&BusConfig::new(nats, "close")).await?;
    let config = GraphConfig {
        connections: 2,
        ..GraphConfig::new(std::env::var("NEO4J_URI")?, "neo4j", std::env::var("NEO4J_PASSWORD")?)
    };
    let store = GraphStore::connect(&config).await?;
    let began = Instant::now();
    let options = Options { patience: Duration::from_secs(2), ..Options::default() };
    let finished = SyncEnd::new(bus, store, options).close(&sync()).await?;
    let size = peak_mib()?;
    println!("closed in {:.1?}: {} nodes, {} lost, {size} MiB", began.elapsed(), finished.nodes, finished.lost_total);
    let most = std::env::var("MOST_MIB")?.parse::<usize>()?;
    ensure!(finished.lost_total == 0, "scopes were lost");
    ensure!(size <= most, "larger than {most} MiB");
    Ok(())
}

fn name(listing: usize) -> String {
    format!("DescribeSomething{listing:02}")
}

/// Returns feeds of a listing: some labels that only it feeds, and one shared with the next listing.
fn finished(listing: usize, listings: usize) -> ScopeFinished {
    let own = (0..LABELS).map(|label| NodeFeed {
        label: format!("AWSThing{listing}x{label}"),
        listings: vec![format!("ec2/{}", name(listing))],
    });
    let common = [listing, (listing + listings - 1) % listings].map(|first| NodeFeed {
        label: format!("AWSCommon{first}"),
        listings: vec![format!("ec2/{}", name(first)), format!("ec2/{}", name((first + 1) % listings))],
    });
    ScopeFinished { nodes: own.chain(common).collect(), ..ScopeFinished::default() }
}

async fn fill(neo4j: &Neo4j, size: Size) -> anyhow::Result<()> {
    let config = GraphConfig::new(neo4j.uri(), neo4j.user(), neo4j.password());
    Schema::default().ensure(&GraphStore::connect(&config).await?, []).await?;
    let mut feeds = Vec::new();
    for listing in 0..size.listings {
        let finished = finished(listing, size.listings);
        let texts: Vec<String> =
            finished.nodes.iter().map(|feed| format!("'{} {}'", feed.label, feed.listings.join(" "))).collect();
        let id = Feeds::of(&finished).id();
        neo4j.rows(&format!("CREATE (:GromaFeeds {{id: '{id}', nodes: [{}], edges: []}})", texts.join(", "))).await?;
        feeds.push(format!("['{}', '{id}']", name(listing)));
    }
    let SyncId { id, update_tag } = sync();
    for from in (0..size.accounts).step_by(TOGETHER) {
        let to = (from + TOGETHER).min(size.accounts) - 1;
        let text = format!(
            "UNWIND range({from}, {to}) AS n WITH toString(100000000000 + n) AS account \
             UNWIND range(1, {}) AS r UNWIND [{}] AS l \
             CREATE (:GromaScope {{id: account + '/region-' + r + '/ec2/' + l[0], account: account, \
             region: 'region-' + r, service: 'ec2', listing: l[0], tag: {update_tag}, sync: '{id}', attempt: 1, \
             since: {update_tag} - 1, applied: [0], edge_rows: 0, held: [], expected: 1, assets: 1, feeds: l[1], \
             feeds_tag: {update_tag}, feeds_sync: '{id}', feeds_attempt: 1, lost: false, state: 'finished'}})",
            size.regions,
            feeds.join(", ")
        );
        neo4j.rows(&text).await?;
    }
    Ok(())
}

async fn report(bus: &Bus, size: Size) -> anyhow::Result<()> {
    let mut pending = VecDeque::new();
    for account in 0..size.accounts {
        for region in 1..=size.regions {
            let scope = |listing| Scope {
                account_id: (100_000_000_000 + account).to_string(),
                region: format!("region-{region}"),
                service: "ec2".to_owned(),
                listing: name(listing),
            };
            let scopes = (0..size.listings).map(|listing| ScopeReport {
                scope: Some(scope(listing)),
                batches: 1,
                assets: 1,
                ..ScopeReport::default()
            });
            let Scope { account_id, region, service, .. } = scope(0);
            let item = WorkItem { sync: Some(sync()), account_id, region, service, ..WorkItem::default() };
            let report = WorkReport { item: Some(item), attempt: 1, scopes: scopes.collect(), ..WorkReport::default() };
            pending.push_back(send(bus, Event::Reported(report)).await);
            if pending.len() > PENDING {
                pending.pop_front().context("a report")?.wait().await?;
            }
        }
    }
    for ack in pending {
        ack.wait().await?;
    }
    let collected = SyncCollected { whole: true, ..SyncCollected::default() };
    Ok(send(bus, Event::Collected(collected)).await.wait().await?)
}

async fn send(bus: &Bus, event: Event) -> bus::PendingAck {
    bus.send(Outgoing::sync(&SyncEvent { sync: Some(sync()), event: Some(event) })).await
}
