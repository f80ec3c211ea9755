//! Slow work is not given up.

use crate::stage::{Stage, asset, leave_work, next_assets, report, request, run, scope, tell};
use bus::{Outcome as Settle, Subscription};
use events::{Message, SyncClosing, SyncEvent, SyncFinished, SyncId, WorkItem, sync_event::Event};
use std::time::Duration;

/// Patience in seconds: several steps of the simulated collectors and writers.
const PATIENCE: u64 = 4;
/// Time between two signs of progress: shorter than patience. All steps together take longer.
const STEP: Duration = Duration::from_secs(1);
/// Number of signs of progress.
const STEPS: u32 = 12;

#[tokio::test]
async fn an_item_whose_collector_publishes_assets_is_not_given_up() -> anyhow::Result<()> {
    let mut stage = Stage::new(1).await?;
    stage.writer(Vec::new()).await?;
    for service in ["sts", "iam"] {
        let bus = stage.bus.clone();
        stage.spawn(async move {
            let work = bus.consume(Subscription::work(service, bus::ACK_WAIT)).await.expect("it is there");
            loop {
                for delivery in work.next(1).await.unwrap_or_default() {
                    let item = WorkItem::decode(delivery.payload().clone()).expect("a work item");
                    for index in 0..STEPS {
                        asset(&bus, item.sync.as_ref().expect("a sync"), &scope(&item), index).await;
                        tokio::time::sleep(STEP).await;
                    }
                    report(&bus, &item).await;
                    delivery.settle(Settle::Ack).await.ok();
                }
            }
        });
    }
    let outcome = run(&stage.bus, request(&["iam"], &[], PATIENCE)).await?;
    assert!(outcome.is_complete(), "{:?}", outcome.unseen);
    Ok(())
}

#[tokio::test]
async fn an_item_behind_another_syncs_is_not_given_up() -> anyhow::Result<()> {
    let mut stage = Stage::new(1).await?;
    stage.writer(Vec::new()).await?;
    for nth in 0..STEPS {
        leave_work(&stage.bus, &SyncId { id: "other".into(), update_tag: 1 }, &format!("{:012}", nth + 500), "iam")
            .await;
    }
    for (service, pause) in [("sts", Duration::ZERO), ("iam", STEP)] {
        let bus = stage.bus.clone();
        stage.spawn(async move {
            let work = bus.consume(Subscription::work(service, bus::ACK_WAIT)).await.expect("it is there");
            loop {
                for delivery in work.next(1).await.unwrap_or_default() {
                    tokio::time::sleep(pause).await;
                    report(&bus, &WorkItem::decode(delivery.payload().clone()).expect("a work item")).await;
                    delivery.settle(Settle::Ack).await.ok();
                }
            }
        });
    }
    let mut mine = request(&["iam"], &[], PATIENCE);
    mine.accounts = Some(vec!["000000000001".into()]);
    let outcome = run(&stage.bus, mine).await?;
    assert!(outcome.is_complete(), "{:?}", outcome.unseen);
    Ok(())
}

#[tokio::test]
async fn without_any_sign_an_item_is_given_up_and_taken_back() -> anyhow::Result<()> {
    let mut stage = Stage::new(1).await?;
    stage.writer(Vec::new()).await?;
    let outcome = run(&stage.bus, request(&["iam"], &[], PATIENCE)).await?;
    assert_eq!(outcome.unseen.len(), 2, "{:?}", outcome.unseen);
    assert!(stage.held(bus::WORK, events::subjects::WORK).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_writer_that_settles_events_or_makes_steps_is_waited_for() -> anyhow::Result<()> {
    let mut stage = Stage::new(1).await?;
    stage.collectors();
    let old = SyncId { id: "old".into(), update_tag: 1 };
    let item = WorkItem { account_id: "1".into(), region: "r".into(), service: "iam".into(), ..WorkItem::default() };
    for index in 0..STEPS {
        asset(&stage.bus, &old, &scope(&item), index).await;
    }
    let bus = stage.bus.clone();
    stage.spawn(async move {
        let collected = bus.consume(Subscription::collected(bus::GRAPH_WRITER, bus::ACK_WAIT)).await.expect("a stream");
        let sync = loop {
            if let Some(delivery) = collected.next(1).await.unwrap_or_default().pop() {
                let event = SyncEvent::decode(delivery.payload().clone()).expect("a sync event");
                delivery.settle(Settle::Ack).await.ok();
                break event.sync.expect("of a sync");
            }
        };
        for _ in 0..STEPS {
            tokio::time::sleep(STEP).await;
            for delivery in next_assets(&bus, 1).await {
                delivery.settle(Settle::Ack).await.ok();
            }
        }
        // A second writer repeats the end of the sync.
        for (attempt, made) in
            [1, 2].into_iter().flat_map(|attempt| (1..=u64::from(STEPS)).map(move |made| (attempt, made)))
        {
            tokio::time::sleep(STEP).await;
            tell(&bus, &sync, Event::Closing(SyncClosing { made, attempt })).await;
        }
        tell(&bus, &sync, Event::Finished(SyncFinished { nodes: 9, ..SyncFinished::default() })).await;
    });
    let outcome = run(&stage.bus, request(&["iam"], &[], PATIENCE)).await?;
    assert_eq!(outcome.graph.nodes, 9);
    Ok(())
}

#[tokio::test]
async fn a_writer_that_stands_still_is_given_up() -> anyhow::Result<()> {
    let mut stage = Stage::new(1).await?;
    stage.collectors();
    let error = run(&stage.bus, request(&["iam"], &[], PATIENCE)).await.expect_err("nobody writes");
    assert!(error.to_string().contains("no progress for 4s"), "{error}");
    Ok(())
}
