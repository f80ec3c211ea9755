//! A pull ends even if its request or its answer is lost.

use crate::world::{World, publish, take_all};
use std::time::Duration;
use testkit::{Fate, Way};

/// Part of the second request of `Consumer::next`: every stored message, without waiting.
const FETCH: &[u8] = b"\"no_wait\":true";

/// Applies `fate` to the next chunk that contains `needle`; passes all others.
fn once(needle: &'static [u8], on: Way, fate: Fate) -> impl FnMut(Way, &[u8]) -> Fate + Send + 'static {
    let mut done = false;
    move |way, chunk| {
        let hit = !done && way == on && chunk.windows(needle.len()).any(|window| window == needle);
        done |= hit;
        if hit { fate } else { Fate::Pass }
    }
}

async fn goes_on_after(fate: Fate) -> anyhow::Result<()> {
    let world = World::new().await?;
    let consumer = world.consumer().await?;
    world.publish(0..8).await?;
    world.proxy.judge(once(FETCH, Way::ToServer, fate));
    take_all(&consumer, 0..8).await
}

#[tokio::test]
async fn a_consumer_goes_on_when_the_connection_ends_as_a_fetch_is_sent() -> anyhow::Result<()> {
    goes_on_after(Fate::Cut).await
}

#[tokio::test]
async fn a_consumer_goes_on_when_a_fetch_is_never_answered() -> anyhow::Result<()> {
    goes_on_after(Fate::Lose).await
}

#[tokio::test]
async fn a_consumer_goes_on_when_a_blackhole_opens_as_a_fetch_is_sent() -> anyhow::Result<()> {
    let world = World::new().await?;
    let consumer = world.consumer().await?;
    world.publish(0..8).await?;
    world.proxy.judge(once(FETCH, Way::ToServer, Fate::Hold));
    let deliveries = consumer.next(4).await?;
    assert_eq!(deliveries.len(), 1, "what came before the blackhole is handed on");
    drop(deliveries);
    assert!(consumer.next(4).await?.is_empty(), "nothing gets through");
    world.proxy.release();
    take_all(&consumer, 0..8).await
}

/// With some latency, a request or an answer is almost always in flight when the server dies.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_goes_on_when_its_server_is_killed_under_load() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    world.proxy.delay(Duration::from_millis(2));
    let consumer = world.consumer().await?;
    for round in 0..6_u32 {
        let first = round * 1_000;
        let direct = world.direct.clone();
        let load = tokio::spawn(async move { publish(&direct, first..first + 300).await });
        let kill = async {
            tokio::time::sleep(Duration::from_millis(40 + u64::from(round) * 15)).await;
            world.nats.kill();
            world.nats.restart().await?;
            load.await??;
            publish(&world.direct, first + 300..first + 310).await
        };
        let (killed, taken) = tokio::join!(kill, take_all(&consumer, first + 300..first + 310));
        killed.and(taken)?;
    }
    Ok(())
}
