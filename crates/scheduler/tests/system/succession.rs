//! Work that killed schedulers leave in the queue.

use crate::stage::{Stage, leave_work, process, request, run};
use bus::{SYNCS, WORK};
use events::{Message, RunningAnswer, RunningRequest, SyncId, subjects};
use futures::StreamExt;
use scheduler::SurveyError;
use std::time::Duration;

const REGIONS: [&str; 2] = ["eu-west-1", "us-east-1"];

#[tokio::test]
async fn restarted_schedulers_leave_one_surveys_work_in_the_queue() -> anyhow::Result<()> {
    let accounts = 50;
    let stage = Stage::new(accounts).await?;
    let places = catalog::services().iter().map(|service| if service.global { 1 } else { REGIONS.len() });
    let items = accounts * places.sum::<usize>();
    let mut before = String::new();
    for restarts in 0..=3 {
        let scheduler = process(stage.another().await?, request(&[], &REGIONS, 600));
        let sync = loop {
            let sync = stage.last("started").await?.and_then(|event| event.sync).unwrap_or_default().id;
            if sync != before && stage.held(WORK, &subjects::work_of_sync(&sync)).await?.len() == items {
                break sync;
            }
            assert!(!scheduler.is_finished(), "{:?}", scheduler.await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        before.clone_from(&sync);
        let all = stage.held(WORK, subjects::WORK).await?;
        assert_eq!(all.len(), items, "after {restarts} restarts");
        assert!(all.iter().all(|subject| subject.ends_with(&sync)));
        scheduler.abort();
        scheduler.await.ok();
    }
    let (mut abandoned, mut place) = (0, 0);
    while let Some(found) = stage.bus.next_on(SYNCS, &subjects::syncs_of_kind("abandoned"), place).await? {
        abandoned += 1;
        place = found.sequence;
    }
    assert_eq!(abandoned, 3, "every dead sync's scheduler would learn it");
    Ok(())
}

#[tokio::test]
async fn only_work_of_the_scope_is_removed() -> anyhow::Result<()> {
    let stage = Stage::new(2).await?;
    let dead = SyncId { id: "dead".into(), update_tag: 1 };
    for account in ["000000000001", "000000000002"] {
        leave_work(&stage.bus, &dead, account, "ec2").await;
        leave_work(&stage.bus, &dead, account, "inspector2").await;
    }
    let mut narrow = request(&["ec2"], &["eu-west-1"], 600);
    narrow.accounts = Some(vec!["000000000001".into()]);
    let scheduler = process(stage.another().await?, narrow);
    // Its own two items, instead of the removed one.
    stage.until_queued(5).await?;
    let left = stage.held(WORK, &subjects::work_of_sync("dead")).await?;
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(!left.iter().any(|subject| subject.contains(".ec2.000000000001.")), "{left:?}");
    scheduler.abort();
    Ok(())
}

#[tokio::test]
async fn a_scheduler_that_was_only_away_keeps_its_work() -> anyhow::Result<()> {
    let mut stage = Stage::new(1).await?;
    let away = SyncId { id: "away".into(), update_tag: 1 };
    leave_work(&stage.bus, &away, "000000000001", "ec2").await;
    let bus = stage.another().await?;
    stage.spawn(async move {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let mut questions = Box::pin(bus.serve(subjects::RUNNING_REQUEST, "away").await.expect("it is back"));
        while let Some(question) = questions.next().await {
            let asked = RunningRequest::decode(question.payload.clone()).expect("a question");
            if asked.sync_id == "away" {
                let sync = Some(SyncId { id: "away".into(), update_tag: 1 });
                question.answer(RunningAnswer { sync, ..RunningAnswer::default() }.encode_to_vec()).await;
            }
        }
    });
    let error = run(&stage.another().await?, request(&["ec2"], &["eu-west-1"], 600)).await.expect_err("it is running");
    assert!(matches!(&error, SurveyError::Running { sync, .. } if sync == "away"), "{error}");
    assert_eq!(stage.held(WORK, subjects::WORK).await?.len(), 1, "its own work is withdrawn, the other's is not");
    Ok(())
}

#[tokio::test]
async fn a_scheduler_that_was_away_for_long_learns_that_another_took_over() -> anyhow::Result<()> {
    let stage = Stage::new(1).await?;
    let first = process(stage.another().await?, request(&["iam"], &[], 600));
    stage.until_queued(2).await?;
    let sync = stage.last("started").await?.and_then(|event| event.sync).expect("it began");
    let by = SyncId { id: "next".into(), update_tag: 2 };
    let abandoned = events::SyncAbandoned { by: Some(by) };
    crate::stage::tell(&stage.bus, &sync, events::sync_event::Event::Abandoned(abandoned)).await;
    let error = first.await?.expect_err("another has taken over");
    assert!(error.to_string().contains("next"), "{error}");
    assert!(stage.held(WORK, subjects::WORK).await?.is_empty());
    Ok(())
}
