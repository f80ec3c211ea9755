//! A cluster of three servers that loses each server in turn.

#![allow(clippy::disallowed_methods, reason = "someone who does not use our crate takes things away")]

use crate::{
    heal::{publish_reports, watch_all},
    world::{publish, raw, take_all},
};
use bus::{Bus, BusConfig, SYNCS, Subscription, WORK};
use events::subjects;
use std::time::{Duration, Instant};
use testkit::{Nats, NatsCluster};

/// Time limit for an election or for catching up on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

async fn connect(cluster: &NatsCluster) -> anyhow::Result<Bus> {
    Ok(Bus::connect(&BusConfig { replicas: 3, ..BusConfig::new(cluster.urls(), "test") }).await?)
}

/// Waits until JetStream has a leader and accepts the streams.
async fn with_streams(bus: &Bus) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match bus.ensure_streams().await {
            Ok(()) => return Ok(()),
            Err(error) if Instant::now() > deadline => return Err(error.into()),
            Err(_) => tokio::time::sleep(Duration::from_millis(250)).await,
        }
    }
}

/// Waits until every server has all of a stream. Only then may another server be killed without losing the majority.
async fn caught_up(cluster: &NatsCluster, stream: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let info = raw(&cluster.urls()).await?.get_stream_no_info(stream).await?.get_info().await;
        let replicas = info.ok().and_then(|info| info.cluster).map(|it| (it.leader.is_some(), it.replicas));
        match replicas {
            Some((true, replicas)) if replicas.len() == 2 && replicas.iter().all(|it| it.current && !it.offline) => {
                return Ok(());
            }
            _ if Instant::now() > deadline => anyhow::bail!("{stream} has not caught up"),
            _ => tokio::time::sleep(Duration::from_millis(250)).await,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_and_watchers_go_on_while_each_server_of_three_is_killed_and_comes_back() -> anyhow::Result<()> {
    roll(|server| server.kill()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_and_watchers_go_on_through_a_rolling_restart() -> anyhow::Result<()> {
    roll(|_| {}).await
}

/// Stops each server in turn while reports and work continue, and restarts it. One server holds the watcher's consumer.
async fn roll(take_away: fn(&mut Nats)) -> anyhow::Result<()> {
    let mut cluster = NatsCluster::start().await?;
    let (bus, other) = (connect(&cluster).await?, connect(&cluster).await?);
    with_streams(&other).await?;
    let watcher = bus.watch(SYNCS, subjects::reports()).await?;
    let consumer = bus.consume(Subscription::work("fake", Duration::from_secs(5))).await?;
    for number in 0..3_u8 {
        let first = u32::from(number) * 100;
        let server = &mut cluster.servers[usize::from(number)];
        take_away(server);
        let (restarted, published, seen, taken) = tokio::join!(
            async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                server.restart().await
            },
            async {
                publish_reports(&other, first..first + 20).await?;
                publish(&other, first..first + 20).await
            },
            watch_all(&watcher, first..first + 20),
            take_all(&consumer, first..first + 20),
        );
        restarted.and(published).and(seen).and(taken)?;
        caught_up(&cluster, SYNCS).await?;
        caught_up(&cluster, WORK).await?;
    }
    Ok(())
}
