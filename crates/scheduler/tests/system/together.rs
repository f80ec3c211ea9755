//! No two concurrent syncs of one scope, and no hung sync that blocks others.

use crate::stage::{Stage, process, request, run, tell};
use bus::WORK;
use events::{SyncId, SyncStarted, subjects, sync_event::Event};
use scheduler::{Patience, SurveyError, presence::Presence, tag::Identity};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn of_syncs_that_begin_at_the_same_moment_one_goes_on() -> anyhow::Result<()> {
    let mut stage = Stage::new(1).await?;
    stage.collectors();
    let mut schedulers = Vec::new();
    for _ in 0..4 {
        schedulers.push(process(stage.another().await?, request(&["iam"], &[], 600)));
    }
    stage.until_collected().await?;
    stage.writer(Vec::new()).await?;
    let mut surveyed = 0;
    for scheduler in schedulers {
        match scheduler.await? {
            Ok(_) => surveyed += 1,
            Err(SurveyError::Running { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(surveyed, 1);
    Ok(())
}

#[tokio::test]
async fn syncs_of_different_scopes_that_begin_at_the_same_moment_have_different_tags() -> anyhow::Result<()> {
    let mut stage = Stage::new(1).await?;
    stage.collectors();
    stage.writer(Vec::new()).await?;
    let mut schedulers = Vec::new();
    for region in ["eu-west-1", "eu-west-2", "eu-west-3", "us-east-1"] {
        schedulers.push(process(stage.another().await?, request(&["ec2"], &[region], 600)));
    }
    let mut tags = BTreeSet::new();
    for scheduler in schedulers {
        tags.insert(scheduler.await??.sync.update_tag);
    }
    assert_eq!(tags.len(), 4, "{tags:?}");
    Ok(())
}

#[tokio::test]
async fn a_sync_that_makes_no_progress_keeps_no_other_away() -> anyhow::Result<()> {
    let stage = Stage::new(1).await?;
    let request = request(&["iam"], &[], 600);
    let sync = |id: &str| Identity { sync: SyncId { id: id.into(), update_tag: 1 }, before: 0 };
    let lively = Patience::new(Duration::from_mins(10));
    let first = Presence::announce(&stage.bus, &request, &sync("first"), &lively, &Arc::default()).await?;
    let refused = Presence::announce(&stage.bus, &request, &sync("second"), &lively, &Arc::default()).await;
    assert!(matches!(refused, Err(SurveyError::Running { .. })));
    drop(first);
    let hangs = Patience::new(Duration::ZERO);
    let _hanging = Presence::announce(&stage.bus, &request, &sync("hanging"), &hangs, &Arc::default()).await?;
    tokio::time::sleep(Duration::from_millis(5)).await;
    Presence::announce(&stage.bus, &request, &sync("third"), &lively, &Arc::default()).await?;
    Ok(())
}

#[tokio::test]
async fn an_interrupted_survey_leaves_no_work() -> anyhow::Result<()> {
    let stage = Stage::new(1).await?;
    let shutdown = CancellationToken::new();
    let survey = scheduler::survey(&stage.bus, request(&["iam"], &[], 600), &shutdown, |_| {});
    let interrupt = async {
        stage.until_queued(2).await.expect("it begins");
        shutdown.cancel();
    };
    let (ended, ()) = tokio::join!(survey, interrupt);
    let error = ended.expect_err("it was interrupted");
    let said = "interrupted while collecting: assets written so far stay in the graph, and none were removed from it";
    assert_eq!(error.to_string(), said);
    assert!(stage.held(WORK, subjects::WORK).await?.is_empty());
    // The sync is over for every scheduler: the next one begins immediately.
    assert!(stage.last("abandoned").await?.is_some());
    let next = process(stage.another().await?, request(&["iam"], &[], 600));
    stage.until_queued(2).await?;
    next.abort();
    Ok(())
}

#[tokio::test]
async fn without_a_broker_a_survey_is_interrupted_at_once() -> anyhow::Result<()> {
    let stage = Stage::new(0).await?;
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    let ended = scheduler::survey(&stage.bus, request(&["iam"], &[], 600), &shutdown, |_| {}).await;
    assert!(ended.expect_err("it was interrupted").to_string().contains("before anything was collected"));
    let nobody = run(&stage.bus, request(&["iam"], &[], 600)).await;
    assert!(matches!(nobody, Err(SurveyError::NoAccounts(_))));
    Ok(())
}

#[tokio::test]
async fn a_repeat_is_answered_for() -> anyhow::Result<()> {
    let stage = Stage::new(1).await?;
    let lively = Patience::new(Duration::from_mins(10));
    let identity = |id: &str| Identity { sync: SyncId { id: id.into(), update_tag: 1 }, before: 0 };
    let iam =
        Presence::announce(&stage.bus, &request(&["iam"], &[], 600), &identity("first"), &lively, &Arc::default())
            .await?;
    iam.continue_as(&identity("repeat"));
    let ec2 =
        Presence::announce(&stage.bus, &request(&["ec2"], &[], 600), &identity("other"), &lively, &Arc::default())
            .await?;
    assert!(ec2.ask(&stage.bus, "repeat").await?.is_some_and(|answer| answer.other_scope));
    assert!(ec2.ask(&stage.bus, "first").await?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_silent_sync_of_other_services_is_not_abandoned() -> anyhow::Result<()> {
    let mut stage = Stage::new(1).await?;
    stage.collectors();
    stage.writer(Vec::new()).await?;
    let silent = SyncId { id: "silent".into(), update_tag: 1 };
    let services = vec!["sts".to_owned(), "inspector2".to_owned()];
    tell(&stage.bus, &silent, Event::Started(SyncStarted { accounts: 1, services })).await;
    run(&stage.bus, request(&["iam"], &[], 600)).await?;
    assert!(stage.last("abandoned").await?.is_none());
    Ok(())
}
