//! Streams and consumers that disappear under a running process are recreated.

#![allow(clippy::disallowed_methods, reason = "someone who does not use our crate takes things away")]

use crate::world::{World, report, take_all};
use bus::{Bus, Consumer, Outcome, Outgoing, SYNCS, WORK};
use events::{Message, SyncEvent, subjects, sync_event::Event};
use std::collections::BTreeSet;

/// Reads reports from a watcher until all these accounts are among them. Returns the accounts read.
pub(crate) async fn watch_all(watcher: &Consumer, accounts: std::ops::Range<u32>) -> anyhow::Result<()> {
    let mut wanted: BTreeSet<u32> = accounts.collect();
    let mut silent = 0;
    while !wanted.is_empty() {
        anyhow::ensure!(silent < 12, "these never came: {wanted:?}");
        let deliveries = watcher.next(16).await?;
        silent = if deliveries.is_empty() { silent + 1 } else { 0 };
        for delivery in deliveries {
            let Some(Event::Reported(report)) = SyncEvent::decode(delivery.payload().clone())?.event else {
                anyhow::bail!("another event");
            };
            wanted.remove(&report.item.unwrap_or_default().account_id.parse()?);
            delivery.settle(Outcome::Ack).await?;
        }
    }
    Ok(())
}

pub(crate) async fn publish_reports(bus: &Bus, accounts: std::ops::Range<u32>) -> anyhow::Result<()> {
    for account in accounts {
        bus.publish(Outgoing::sync(&report(account))).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_durable_consumer_that_was_deleted_is_created_anew() -> anyhow::Result<()> {
    let world = World::new().await?;
    let consumer = world.consumer().await?;
    world.publish(0..3).await?;
    take_all(&consumer, 0..3).await?;
    world.raw().await?.get_stream_no_info(WORK).await?.delete_consumer("collector-fake").await?;
    world.publish(3..6).await?;
    take_all(&consumer, 3..6).await
}

#[tokio::test]
async fn a_stream_that_was_deleted_is_created_anew_by_its_reader_or_its_writer() -> anyhow::Result<()> {
    let world = World::new().await?;
    let consumer = world.consumer().await?;
    world.delete_stream(WORK).await?;
    world.publish(0..3).await?;
    take_all(&consumer, 0..3).await?;
    world.delete_stream(WORK).await?;
    for _ in 0..5 {
        consumer.next(1).await?;
    }
    world.publish(3..6).await?;
    take_all(&consumer, 3..6).await
}

#[tokio::test]
async fn a_watcher_whose_consumer_was_deleted_goes_on_with_what_it_has_not_settled() -> anyhow::Result<()> {
    let world = World::new().await?;
    let watcher = world.bus.watch(SYNCS, subjects::reports()).await?;
    publish_reports(&world.direct, 0..3).await?;
    watch_all(&watcher, 0..3).await?;
    publish_reports(&world.direct, 3..4).await?;
    assert_eq!(watcher.next(1).await?.len(), 1, "and it is not settled");
    let raw = world.raw().await?.get_stream_no_info(SYNCS).await?;
    for name in world.watchers().await? {
        raw.delete_consumer(&name).await?;
    }
    publish_reports(&world.direct, 4..6).await?;
    watch_all(&watcher, 3..6).await
}

#[tokio::test]
async fn everything_goes_on_when_a_server_comes_back_without_its_storage() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    let consumer = world.consumer().await?;
    let watcher = world.bus.watch(SYNCS, subjects::reports()).await?;
    publish_reports(&world.direct, 0..3).await?;
    watch_all(&watcher, 0..3).await?;
    world.nats.kill();
    std::fs::remove_dir_all(world.nats.dir().join("jetstream"))?;
    world.nats.restart().await?;
    world.publish(0..3).await?;
    publish_reports(&world.direct, 0..3).await?;
    take_all(&consumer, 0..3).await?;
    watch_all(&watcher, 0..3).await
}
