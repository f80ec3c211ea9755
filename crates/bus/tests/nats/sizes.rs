//! Messages at the limit of a server: with its default `max_payload` of 1 MiB, and with one of 64 KiB.

use crate::world::{SERVICE, World};
use bus::{Bus, BusConfig, Outcome, Outgoing, PublishError, SendBackError, Subscription};
use std::time::Duration;
use testkit::Nats;

const MEBIBYTE: usize = 1_048_576;

fn outgoing(bytes: usize, id: &str) -> Outgoing {
    Outgoing::new(format!("groma.v1.work.{SERVICE}.1.eu-west-1.s"), id.to_owned(), vec![b'x'; bytes])
}

#[tokio::test]
async fn the_largest_message_can_be_parked_for_the_longest_reason_and_sent_back() -> anyhow::Result<()> {
    for max_payload in [64 << 10, MEBIBYTE] {
        let nats = Nats::of_small_messages(max_payload).await?;
        let bus = Bus::connect(&BusConfig::new(nats.url(), "test")).await?;
        bus.ensure_streams().await?;
        parks_and_sends_back(&bus, max_payload).await?;
    }
    Ok(())
}

async fn parks_and_sends_back(bus: &Bus, max_payload: usize) -> anyhow::Result<()> {
    let most = bus.most_bytes() - 4_096;
    assert_eq!(most, max_payload - 4_096);
    let refused = bus.publish(outgoing(most + 1, "too-large")).await;
    assert!(matches!(refused, Err(PublishError::TooLarge { .. })), "{refused:?}");

    bus.publish(outgoing(most, "largest")).await?;
    let consumer = bus.consume(Subscription::work(SERVICE, Duration::from_secs(2))).await?;
    let delivery = consumer.next(1).await?.pop().expect("the message");
    delivery.settle(Outcome::Park("long ".repeat(100_000))).await?;
    let parked = bus.next_parked(0).await?.expect("a parked message");
    assert_eq!(parked.payload.len(), most);
    assert!(parked.reason.starts_with("long long") && parked.reason.len() <= 1_024);
    bus.send_back(&parked).await?;
    assert_eq!(consumer.next(1).await?.pop().expect("it is back").payload().len(), most);
    // A part of the message, on a separate subject.
    let (subject, reason) = ("groma.v1.work.".to_owned() + &"s".repeat(2_000), "long ".repeat(1_000));
    let part = Outgoing::parked_part(bus::WORK, 1, "7", &subject, &reason, vec![b'x'; most], bus.most_bytes());
    bus.publish(part).await?;
    Ok(())
}

#[tokio::test]
async fn a_strangers_larger_message_is_parked_without_its_bytes() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.raw_publish(&format!("groma.v1.work.{SERVICE}.1.eu-west-1.s"), vec![b'x'; MEBIBYTE]).await?;
    let consumer = world.consumer().await?;
    let delivery = consumer.next(1).await?.pop().expect("the message");
    delivery.settle(Outcome::Park("not a work item".to_owned())).await?;
    let parked = world.bus.next_parked(0).await?.expect("a parked message");
    assert!(parked.payload.is_empty());
    assert_eq!(parked.reason, "its payload of 1048576 bytes was too large and was not kept; not a work item");
    let sent = world.bus.send_back(&parked).await;
    assert!(matches!(sent, Err(SendBackError::NotKept)), "{sent:?}");
    Ok(())
}
