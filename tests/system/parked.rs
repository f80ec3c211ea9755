//! Parked messages: listed with their reason, shown, sent back to their stream, deleted.

#![allow(clippy::disallowed_methods, reason = "a stranger does not use our crate")]

use crate::{
    closed_bus::ClosedBus,
    world::{Run, groma, run},
};
use bus::{Bus, BusConfig, Delivery, Outcome, Outgoing, Subscription};
use events::{Message, SyncId, WorkItem};
use serde_json::Value;
use std::time::Duration;
use testkit::Nats;
use tokio::process::Command;

const SUBJECT: &str = "groma.v1.work.iam.111111111111.global.s";

/// `groma parked …` on an open server.
async fn parked(nats: &Nats, arguments: &[&str]) -> Run {
    let mut command = groma(&[&["parked"], arguments].concat());
    command.env("NATS_URL", nats.url());
    run(command).await
}

/// Waits until this many messages are parked, and returns them.
async fn listed(nats: &Nats, count: usize) -> Vec<Value> {
    loop {
        let ran = parked(nats, &["--json"]).await;
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        let all = ran.json().as_array().expect("a list").clone();
        if all.len() == count {
            return all;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn open() -> (Nats, Bus) {
    let nats = Nats::start().await.expect("nats-server starts");
    let bus = Bus::connect(&BusConfig::new(nats.url(), "test")).await.expect("it is there");
    bus.ensure_streams().await.expect("the streams are made");
    (nats, bus)
}

#[tokio::test]
async fn a_poison_message_is_parked_with_its_reason_and_comes_again_when_it_is_retried() {
    let (nats, bus) = open().await;
    let mut collector = groma(&["collector", "iam"]);
    let _collector = collector.env("NATS_URL", nats.url()).spawn().expect("groma starts");
    bus.publish(Outgoing::new(SUBJECT.into(), "poison".into(), "\u{1}poison")).await.expect("it is stored");

    let all = listed(&nats, 1).await;
    let entry = &all[0];
    assert_eq!((&entry["sequence"], &entry["bytes"]), (&1.into(), &7.into()));
    assert_eq!((&entry["stream"], &entry["stream_sequence"]), (&"GROMA_WORK".into(), &1.into()));
    assert_eq!(entry["subject"], SUBJECT);
    let reason = entry["reason"].as_str().expect("a reason");
    assert!(reason.contains("not a work item"), "{reason}");
    let text = parked(&nats, &[]).await.stdout;
    assert!(text.contains("GROMA_WORK/1") && text.contains(reason), "{text}");
    let shown = parked(&nats, &["show", "1"]).await;
    assert!(shown.status == 0 && shown.stdout.contains("7 bytes that cannot be decoded"), "{}", shown.stdout);
    assert!(!shown.stdout.contains("poison"), "{}", shown.stdout);

    let retried = parked(&nats, &["retry", "--all"]).await;
    assert_eq!((retried.status, retried.stdout.contains(SUBJECT)), (0, true), "{}", retried.stderr);
    // It is still undecodable, so it is parked again, with another sequence.
    let entry = loop {
        let all = listed(&nats, 1).await;
        if all[0]["sequence"] != 1 {
            break all[0].clone();
        }
    };
    assert_eq!((&entry["sequence"], &entry["stream_sequence"]), (&2.into(), &2.into()));

    let dropped = parked(&nats, &["drop", "1", "2"]).await;
    assert_eq!(dropped.status, 1, "the first is no longer there");
    assert!(dropped.stderr.contains("message 1 is not parked"), "{}", dropped.stderr);
    assert!(dropped.stdout.contains("2: deleted"), "{}", dropped.stdout);
    assert_eq!(parked(&nats, &[]).await.stdout, "no messages are parked\n");
}

#[tokio::test]
async fn what_names_a_false_origin_stays_parked() {
    let (nats, bus) = open().await;
    let client = async_nats_client(&nats).await;
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Groma-Parked-Subject", "$JS.API.STREAM.DELETE.GROMA_ASSETS");
    headers.insert("Groma-Parked-Reason", "because");
    let jetstream = async_nats::jetstream::new(client);
    let stored = jetstream.publish_with_headers("groma.v1.parked.GROMA_WORK", headers, "".into()).await;
    stored.expect("it is sent").await.expect("it is stored");
    let ran = parked(&nats, &["retry", "1"]).await;
    assert_eq!(ran.status, 1, "{}", ran.stdout);
    assert!(ran.stderr.contains("does not belong to stream"), "{}", ran.stderr);
    assert_eq!(listed(&nats, 1).await.len(), 1);
    assert_eq!(bus.stream_summaries().await.expect("every stream is still there").len(), 4);
}

async fn async_nats_client(nats: &Nats) -> async_nats::Client {
    let client = async_nats::connect(nats.url()).await;
    client.expect("the server is open")
}

#[tokio::test]
async fn wrong_usage_and_what_is_not_there_are_told_apart() {
    let (nats, _bus) = open().await;
    for arguments in [&["retry"][..], &["drop"], &["retry", "--all", "1"], &["show", "first"], &["--json", "drop", "1"]]
    {
        assert_eq!(parked(&nats, arguments).await.status, 2, "{arguments:?}");
    }
    for arguments in [&["show", "7"][..], &["retry", "7"], &["drop", "7"], &["drop", "0"]] {
        let ran = parked(&nats, arguments).await;
        assert_eq!(ran.status, 1, "{arguments:?}");
        assert!(ran.stderr.contains("is not parked"), "{arguments:?}: {}", ran.stderr);
    }
    assert_eq!(parked(&nats, &["retry", "--all"]).await.status, 0, "there is nothing to do");
}

#[tokio::test]
async fn on_a_closed_bus_the_operator_may() {
    let closed = ClosedBus::start().await;
    let scheduler = closed.prepared().await;
    let item = WorkItem {
        sync: Some(SyncId { id: "s".into(), update_tag: 1 }),
        account_id: "111111111111".into(),
        region: "global".into(),
        service: "iam".into(),
        ..WorkItem::default()
    };
    let collector = Bus::connect(&closed.config("collector-iam")).await.expect("the collector may connect");
    let work = collector.consume(Subscription::work("iam", bus::ACK_WAIT)).await.expect("it is its work");
    for delivery in work.next(8).await.expect("work") {
        delivery.settle(Outcome::Ack).await.expect("what was there before is done");
    }
    scheduler.publish(Outgoing::work(&item)).await.expect("it is stored");
    let first = one(work.next(1).await.expect("work"));
    assert_eq!(first.deliveries(), 1);
    first.settle(Outcome::Park("not today".into())).await.expect("a collector may park");

    let operator = async |arguments: &[&str]| {
        let mut command: Command = groma(&[&["parked"], arguments].concat());
        closed.admit(&mut command, "operator");
        let ran = run(command).await;
        assert_eq!(ran.status, 0, "{arguments:?}: {}", ran.stderr);
        ran.stdout
    };
    assert!(operator(&[]).await.contains("not today"));
    let shown: Value = serde_json::from_str(&operator(&["show", "1", "--json"]).await).expect("JSON");
    assert_eq!((&shown["reason"], &shown["event"]["service"]), (&"not today".into(), &"iam".into()));
    operator(&["retry", "1"]).await;
    assert_eq!(operator(&[]).await, "no messages are parked\n");

    let again = one(work.next(1).await.expect("work"));
    assert_eq!(again.subject(), SUBJECT);
    assert_eq!(WorkItem::decode(again.payload().clone()).expect("a work item"), item, "the same, though sent before");
    again.settle(Outcome::Park("still not".into())).await.expect("a collector may park");
    operator(&["drop", "2"]).await;
    assert_eq!(operator(&[]).await, "no messages are parked\n");
}

fn one(mut deliveries: Vec<Delivery>) -> Delivery {
    assert_eq!(deliveries.len(), 1);
    deliveries.remove(0)
}
