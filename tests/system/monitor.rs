//! Health, readiness and metrics of roles as separate processes.

use crate::{roles::Cluster, world::World};
use std::time::Duration;
use testkit::{Nats, Size};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Child,
};

/// Time after which a page that never shows the expected text is an error.
const HUNG: Duration = Duration::from_mins(5);

/// A role with a monitor.
struct Role {
    port: u16,
    _process: Child,
}

impl Role {
    fn start(cluster: &Cluster<'_>, arguments: &[&str]) -> Self {
        let port = testkit::free_port().expect("a free port");
        let address = format!("127.0.0.1:{port}");
        Self { port, _process: cluster.start(&[arguments, &["--monitor", &address]].concat()) }
    }

    /// Whole answer; empty if no process listens yet.
    async fn get(&self, page: &str) -> String {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)).await else { return String::new() };
        let request = format!("GET {page} HTTP/1.1\r\nHost: groma\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok();
        answer
    }

    /// Waits until a page contains all of these texts.
    async fn shows(&self, page: &str, texts: &[&str]) {
        let shown = async {
            loop {
                let answer = self.get(page).await;
                if texts.iter().all(|text| answer.contains(text)) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let is_shown = tokio::time::timeout(HUNG, shown).await.is_ok();
        assert!(is_shown, "{page} does not show all of {texts:?}:\n{}", self.get(page).await);
    }
}

#[tokio::test]
async fn every_role_shows_its_health_and_its_own_metrics() {
    let world = World::of(Size::Small).await;
    let mut cluster = Cluster { world: &world, nats: Nats::start().await.expect("nats-server starts") };
    let services: Vec<&str> = catalog::services().iter().map(|service| service.name.as_str()).collect();
    let collectors = Role::start(&cluster, &[&["collector"][..], &services].concat());
    let broker = Role::start(&cluster, &["broker", "--accounts", "profiles", "--lease-own-identity"]);
    let writer = Role::start(&cluster, &["graph-writer"]);
    let scheduler = Role::start(&cluster, &["scheduler", "--every", "24h"]);

    scheduler.shows("/metrics", &["groma_syncs_total{outcome=\"complete\"} 1", "groma_stale_places 0"]).await;
    scheduler
        .shows(
            "/metrics",
            &["groma_last_complete_sync_timestamp_seconds ", "groma_unseen_scopes 0", "groma_dangling_relationships "],
        )
        .await;
    scheduler.shows("/metrics", &["groma_work_waiting{service=\"ec2\"} ", "groma_events_waiting "]).await;
    scheduler.shows("/metrics", &["groma_syncs_total{outcome=\"failed\"} 0"]).await;
    broker
        .shows("/metrics", &["groma_aws_calls_total{service=\"sts\",api=\"AssumeRole\",outcome=\"answered\"} "])
        .await;
    let of_leases = ["groma_leases_total{service=\"ec2\",outcome=\"granted\"} ", "groma_lease_age_seconds_count"];
    broker.shows("/metrics", &of_leases).await;
    let of_work = [
        "groma_aws_calls_total{service=\"ec2\",api=\"DescribeVpcs\",outcome=\"answered\"} ",
        "groma_aws_wait_seconds_total{service=\"ec2\",api=\"DescribeVpcs\"} ",
        "groma_listings_total{service=\"ec2\",api=\"DescribeVpcs\",outcome=\"finished\"} ",
        "groma_work_items_total{service=\"ec2\",outcome=\"reported\"} ",
        "groma_work_item_seconds_count{service=\"ec2\",outcome=\"reported\"} ",
        "groma_work_wait_seconds_count{service=\"ec2\"} ",
        "groma_batches_published_total{service=\"ec2\"} ",
        "groma_assets_published_total{service=\"ec2\"} ",
    ];
    collectors.shows("/metrics", &of_work).await;
    let of_events = [
        "groma_events_settled_total{outcome=\"applied\"} ",
        "groma_event_latency_seconds_count ",
        "groma_transactions_total{outcome=\"committed\"} ",
        "groma_transaction_seconds_count ",
        "groma_batches_held_total ",
        "groma_rows_parked_total 0",
        "groma_ready 1",
    ];
    writer.shows("/metrics", &of_events).await;
    assert!(!writer.get("/metrics").await.contains("groma_leases"), "the writer leases nothing");

    for role in [&collectors, &broker, &writer, &scheduler] {
        role.shows("/readyz", &["HTTP/1.1 200 OK"]).await;
    }
    cluster.nats.kill();
    for role in [&collectors, &broker, &writer, &scheduler] {
        role.shows("/readyz", &["HTTP/1.1 503", "no connection to NATS"]).await;
        role.shows("/healthz", &["HTTP/1.1 200 OK"]).await;
    }
    cluster.nats.restart().await.expect("nats-server starts again");
    for role in [&collectors, &broker, &writer, &scheduler] {
        role.shows("/readyz", &["HTTP/1.1 200 OK"]).await;
    }
}
