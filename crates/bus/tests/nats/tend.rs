//! Tending passes on the progress of consumers and the number of parked messages.

use crate::world::{SERVICE, World};
use bus::{Subscription, Tended};
use std::time::Duration;
use tokio::sync::mpsc;

#[tokio::test]
async fn tending_finds_messages_that_wait_and_that_are_held() -> anyhow::Result<()> {
    let world = World::new().await?;
    let subscription = Subscription::work(SERVICE, Duration::from_mins(5));
    let consumer = world.direct.consume(subscription.clone()).await?;
    world.publish(0..3).await?;
    let held = consumer.next(1).await?;
    assert!(!consumer.is_failing());
    assert!(held[0].age() < Duration::from_mins(30), "by the server's clock");
    let (send, mut found) = mpsc::unbounded_channel();
    let subscriptions = [subscription];
    let tending = world.direct.tend(&subscriptions, |tended| {
        let line = match tended {
            Tended::Consumer(of, Some(backlog)) => {
                format!("{} {} {}", of.durable, backlog.waiting, backlog.unsettled)
            }
            Tended::Consumer(of, None) => format!("{} is unreadable", of.durable),
            Tended::Parked(messages) => format!("parked {messages:?}"),
        };
        send.send(line).ok();
    });
    let two = async { [found.recv().await, found.recv().await] };
    let two = tokio::select! {
        () = tending => anyhow::bail!("it never ends"),
        two = two => two,
    };
    assert_eq!(two, [Some("collector-fake 2 1".to_owned()), Some("parked Some(0)".to_owned())]);
    Ok(())
}

#[tokio::test]
async fn a_consumer_without_a_server_is_failing_until_it_returns() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    let consumer = world.direct.consume(Subscription::work(SERVICE, Duration::from_mins(5))).await?;
    world.nats.kill();
    while !consumer.is_failing() {
        assert!(consumer.next(1).await?.is_empty());
    }
    world.nats.restart().await?;
    while consumer.is_failing() {
        consumer.next(1).await?;
    }
    Ok(())
}
