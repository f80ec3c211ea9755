//! Batches that the bus acknowledged and lost: nothing vanishes from the graph, and the lost scopes are collected again.

use crate::{
    roles::{Cluster, the_graph_is_what_aws_holds},
    world::{World, run},
};
use bus::{ASSETS, Bus, BusConfig, SYNCS};
use events::{AssetEvent, Message, asset_event};
use std::time::Duration;
use testkit::{Nats, Size};

#[tokio::test]
async fn what_the_bus_lost_is_named_and_collected_again() {
    let world = World::of(Size::Small).await;
    world.sync_completely().await;
    let nodes = "MATCH (n) WHERE NOT any(label IN labels(n) WHERE label STARTS WITH 'Groma') RETURN count(n) AS n";
    let before = world.count(nodes).await;
    assert!(before > 0);

    let cluster = Cluster { world: &world, nats: Nats::start().await.expect("nats-server starts") };
    let bus = Bus::connect(&BusConfig::new(cluster.nats.url(), "test")).await.expect("it is there");
    bus.ensure_streams().await.expect("the streams are made");
    let _collectors = cluster.collectors();
    let _broker = cluster.start(&["broker", "--accounts", "profiles", "--lease-own-identity"]);
    let scheduler = tokio::spawn(run(cluster.command(&["scheduler"])));
    while bus.next_on(SYNCS, "groma.v1.sync.*.collected", 0).await.expect("the server answers").is_none() {
        assert!(!scheduler.is_finished(), "{:?}", scheduler.await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Everything is collected and nothing written, so no writer ever sees a batch that is erased now.
    let lost = erase_a_batch_of(&bus, "DescribeInstances").await;
    let _writer = cluster.start(&["graph-writer"]);

    let ran = scheduler.await.expect("the scheduler ends");
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("collecting them again") && ran.stderr.contains(&lost), "{lost}: {}", ran.stderr);
    the_graph_is_what_aws_holds(&world).await;
    assert_eq!(world.count(nodes).await, before);
    let again = bus.next_on(ASSETS, "groma.v1.assets.*.*.*.iam.>", 0).await.expect("the server answers");
    let first = again.expect("IAM was collected").subject;
    let sync = first.split('.').nth(3).expect("a sync");
    let mut place = 0;
    while let Some(found) = bus.next_on(ASSETS, "groma.v1.assets.*.*.*.iam.>", place).await.expect("the server answers")
    {
        assert!(found.subject.contains(sync), "only what was lost is collected again: {}", found.subject);
        place = found.sequence;
    }
}

/// Erases a batch with rows, and returns its scope.
async fn erase_a_batch_of(bus: &Bus, listing: &str) -> String {
    let filter = format!("groma.v1.assets.*.*.*.*.{listing}.batch");
    let mut place = 0;
    loop {
        let found = bus.next_on(ASSETS, &filter, place).await.expect("the server answers").expect("there is a batch");
        place = found.sequence;
        let event = AssetEvent::decode(found.payload).expect("an asset event");
        let Some(asset_event::Event::Batch(batch)) = event.event else { panic!("{} holds no batch", found.subject) };
        if batch.nodes.iter().any(|table| !table.rows.is_empty()) {
            bus.erase(ASSETS, place).await.expect("it can be erased");
            return events::ScopeName(&event.scope.expect("a scope")).to_string();
        }
    }
}
