//! Update tags only grow, whatever the clock says.

use crate::stage::{Stage, report, request, run, scope, tell};
use events::{LostScope, Sync, SyncFinished, SyncStarted, WorkItem, sync_event::Event};
use std::time::{SystemTime, UNIX_EPOCH};

/// A year from now, from a clock that was ahead.
fn next_year() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    i64::try_from(now + 365 * 86_400).expect("not that late")
}

#[tokio::test]
async fn a_sync_is_newer_than_the_graph() -> anyhow::Result<()> {
    let mut stage = Stage::new(1).await?;
    stage.collectors();
    stage.writer(Vec::new()).await?;
    let newest = next_year();
    stage.newest_tag(newest).await?;
    let first = run(&stage.bus, request(&["iam"], &[], 60)).await?;
    assert_eq!(first.sync.update_tag, newest + 1);
    // The graph's answer is unchanged, so the newer tag comes from the bus.
    let second = run(&stage.bus, request(&["iam"], &[], 60)).await?;
    assert_eq!(second.sync.update_tag, newest + 2);
    Ok(())
}

#[tokio::test]
async fn a_sync_is_newer_than_every_sync_on_the_bus_when_no_writer_answers() -> anyhow::Result<()> {
    let mut stage = Stage::new(1).await?;
    stage.collectors();
    stage.writer(Vec::new()).await?;
    let newest_tag = next_year();
    let earlier = Sync { id: "earlier".into(), update_tag: newest_tag - 7 };
    tell(&stage.bus, &earlier, Event::Started(SyncStarted::default())).await;
    tell(&stage.bus, &earlier, Event::Finished(SyncFinished { newest_tag, ..SyncFinished::default() })).await;
    let outcome = run(&stage.bus, request(&["iam"], &[], 60)).await?;
    assert_eq!(outcome.sync.update_tag, newest_tag + 1);
    Ok(())
}

#[tokio::test]
async fn a_repeat_is_newer_than_the_graph_and_what_it_could_not_write_stays_named() -> anyhow::Result<()> {
    let mut stage = Stage::new(1).await?;
    stage.collectors();
    let item = WorkItem {
        account_id: "000000000001".into(),
        region: "eu-west-1".into(),
        service: "ec2".into(),
        ..WorkItem::default()
    };
    let lost = vec![LostScope { scope: Some(scope(&item)), failure: None }];
    let first = SyncFinished { lost: lost.clone(), lost_total: 5, newest_tag: next_year(), ..SyncFinished::default() };
    let again = SyncFinished { superseded: lost, superseded_total: 1, ..SyncFinished::default() };
    stage.writer(vec![first, again]).await?;
    let outcome = run(&stage.bus, request(&["ec2"], &["eu-west-1"], 60)).await?;
    assert!(outcome.repeats[0].sync.update_tag > next_year() - 60, "{:?}", outcome.repeats);
    let unseen: Vec<_> = outcome.unseen.iter().map(ToString::to_string).collect();
    assert_eq!(unseen.len(), 2, "{unseen:?}");
    assert!(unseen.iter().any(|it| it.contains("a newer sync took over")), "{unseen:?}");
    assert!(unseen.iter().any(|it| it.starts_with("4 more scope(s)")), "{unseen:?}");
    Ok(())
}

#[tokio::test]
async fn only_a_sync_of_everything_is_whole() -> anyhow::Result<()> {
    let mut stage = Stage::new(1).await?;
    stage.collectors();
    stage.writer(Vec::new()).await?;
    for (services, whole) in [(&["ec2"][..], false), (&[][..], true)] {
        run(&stage.bus, request(services, &[], 60)).await?;
        let Some(Event::Collected(collected)) = stage.last("collected").await?.and_then(|event| event.event) else {
            panic!("it was collected");
        };
        assert_eq!(collected.whole, whole, "{services:?}");
    }
    // A report on another sync's item changes nothing.
    report(&stage.bus, &WorkItem { sync: Some(Sync { id: "other".into(), update_tag: 1 }), ..WorkItem::default() })
        .await;
    Ok(())
}
