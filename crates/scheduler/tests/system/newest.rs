//! Update tags only grow, whatever the clock says.

use crate::stage::{Stage, report, request, run, scope, tell};
use events::{
    LostArea, LostGroup, LostPlaces, LostScope, SyncFinished, SyncId, SyncStarted, WorkItem, sync_event::Event,
};
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
    let earlier = SyncId { id: "earlier".into(), update_tag: newest_tag - 7 };
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
async fn places_of_lost_scopes_that_are_too_many_to_be_named_are_collected_again() -> anyhow::Result<()> {
    let mut stage = Stage::new(2).await?;
    stage.collectors();
    let regions = ["eu-west-1", "us-east-1"];
    let areas = regions.map(|region| LostArea { region: region.into(), service: "ec2".into() }).into();
    let groups = vec![LostGroup { accounts: vec!["000000000001".into()], areas: vec![0, 1] }];
    let lost_places = Some(LostPlaces { areas, groups, everything: false });
    let first = SyncFinished { lost_places, lost_total: 60_000, ..SyncFinished::default() };
    let all_of_it = Some(LostPlaces { everything: true, ..LostPlaces::default() });
    let second = SyncFinished { lost_places: all_of_it, lost_total: 60_000, ..SyncFinished::default() };
    stage.writer(vec![first, second]).await?;
    let outcome = run(&stage.bus, request(&["ec2"], &regions, 60)).await?;
    let lost: Vec<_> = outcome.repeats.iter().map(|repeat| repeat.lost.join(" ")).collect();
    let places = "000000000001/eu-west-1/ec2/* 000000000001/us-east-1/ec2/*";
    assert_eq!(lost, [places, places]);
    for repeat in &outcome.repeats {
        let items = stage.items(&repeat.sync).await?;
        assert_eq!(items, ["000000000001/eu-west-1/ec2", "000000000001/us-east-1/ec2"]);
    }
    assert!(outcome.is_complete(), "{:?}", outcome.unseen);
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
    report(&stage.bus, &WorkItem { sync: Some(SyncId { id: "other".into(), update_tag: 1 }), ..WorkItem::default() })
        .await;
    Ok(())
}
