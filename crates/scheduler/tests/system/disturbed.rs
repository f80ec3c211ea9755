//! A bus that fails and loses its watchers.

use crate::stage::{Stage, process, request};
use async_nats::jetstream;
use bus::SYNCS;
use events::subjects;
use futures::TryStreamExt;
use std::time::Duration;

#[tokio::test]
async fn a_sync_outlives_its_watcher() -> anyhow::Result<()> {
    let mut stage = Stage::new(1).await?;
    let scheduler = process(stage.another().await?, request(&["iam"], &[], 600));
    stage.until_queued(2).await?;
    let mut deleted = 0;
    while deleted == 0 {
        deleted = delete_watchers(&stage.nats.url()).await?;
    }
    stage.collectors();
    stage.writer(Vec::new()).await?;
    assert!(scheduler.await??.is_complete());
    Ok(())
}

#[tokio::test]
async fn a_sync_outlives_restarts_of_the_server() -> anyhow::Result<()> {
    let mut stage = Stage::new(3).await?;
    let scheduler = process(stage.another().await?, request(&["iam"], &[], 600));
    stage.until_queued(6).await?;
    stage.nats.kill();
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.nats.restart().await?;
    stage.collectors();
    stage.nats.restart().await?;
    stage.writer(Vec::new()).await?;
    assert!(scheduler.await??.is_complete());
    Ok(())
}

#[tokio::test]
async fn reports_that_vanish_with_their_stream_are_published_again() -> anyhow::Result<()> {
    let mut stage = Stage::new(3).await?;
    let scheduler = process(stage.another().await?, request(&["iam"], &[], 10));
    stage.collectors();
    stage.until_collected().await?;
    delete_syncs(&stage.nats.url()).await?;
    stage.bus.ensure_streams().await?;
    stage.until_collected().await?;
    assert_eq!(reports(&stage).await?, 2);
    stage.writer(Vec::new()).await?;
    assert!(scheduler.await??.is_complete());
    Ok(())
}

#[tokio::test]
async fn collected_follows_every_report_though_the_stream_was_deleted_before() -> anyhow::Result<()> {
    let mut stage = Stage::new(1).await?;
    let scheduler = process(stage.another().await?, request(&["iam"], &[], 600));
    stage.until_queued(2).await?;
    stage.collector("sts");
    stage.until_queued(1).await?;
    // The scheduler has read the report that vanishes.
    tokio::time::sleep(Duration::from_secs(1)).await;
    delete_syncs(&stage.nats.url()).await?;
    stage.collector("iam");
    stage.until_collected().await?;
    assert_eq!(reports(&stage).await?, 2);
    stage.writer(Vec::new()).await?;
    assert!(scheduler.await??.is_complete());
    Ok(())
}

/// Number of services with a report in the stream.
async fn reports(stage: &Stage) -> anyhow::Result<usize> {
    Ok(stage.held(SYNCS, &subjects::reports()).await?.len())
}

#[allow(clippy::disallowed_methods, reason = "the deed of an operator, not of Groma")]
async fn delete_syncs(url: &str) -> anyhow::Result<()> {
    let client = async_nats::ConnectOptions::new().connect(url).await?;
    jetstream::new(client).delete_stream(SYNCS).await?;
    Ok(())
}

/// Deletes the watchers' consumers, like the death of the only server that holds them.
#[allow(clippy::disallowed_methods, reason = "only a server does this, never Groma")]
async fn delete_watchers(url: &str) -> anyhow::Result<usize> {
    let client = async_nats::ConnectOptions::new().connect(url).await?;
    let stream = jetstream::new(client).get_stream(SYNCS).await?;
    let names: Vec<String> = stream.consumer_names().try_collect().await?;
    let mut deleted = 0;
    for name in names.iter().filter(|name| name.starts_with("watcher-")) {
        stream.delete_consumer(name).await?;
        deleted += 1;
    }
    Ok(deleted)
}
