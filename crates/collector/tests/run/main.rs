//! The main loop of a collector on a real nats-server, with a test service and a broker that grants everything.

mod fake;

use bus::{ASSETS, Outcome, Outgoing, PARKED, SYNCS, Subscription, WORK};
use collector::Options;
use events::{AssetEvent, FailureClass, Message, WorkKind, asset_event::Event, subjects};
use fake::{BEGUN, FAKE, GO_ON, HANGING, Stage, item};
use std::{sync::atomic::Ordering::SeqCst, time::Duration};

#[tokio::test]
async fn every_scope_is_told_from_start_to_end_and_a_bad_listing_stands_alone() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let collector = stage.collect(&FAKE, Options::default());
    stage.publish(&item("fake", WorkKind::Collect)).await?;
    let report = stage.report().await?;

    let outcome = |listing: &str| {
        let scope = report.scopes.iter().find(|it| it.scope.as_ref().is_some_and(|scope| scope.listing == listing));
        let scope = scope.unwrap_or_else(|| panic!("{listing} is not in the report"));
        (scope.batches, scope.assets, scope.failure.as_ref().map(|failure| (failure.class(), failure.error.clone())))
    };
    assert_eq!((report.attempt >> 24, report.scopes.len(), &report.failure), (1, 4, &None));
    assert_eq!(outcome("Good"), (3, 2_500, None));
    assert_eq!(outcome("Empty"), (0, 0, None));
    assert_eq!(outcome("Denied"), (0, 0, Some((FailureClass::AccessDenied, "AccessDenied: no".into()))));
    assert_eq!(outcome("Panics"), (0, 0, Some((FailureClass::Internal, "the listing panicked: a bug".into()))));

    assert_eq!(stage.kinds("Good").await?, ["started", "batch 0", "batch 1", "batch 2", "finished 3/2500"]);
    assert_eq!(stage.kinds("Empty").await?, ["started", "finished 0/0"]);
    assert_eq!(stage.kinds("Denied").await?, ["started", "failed"]);
    assert_eq!(stage.kinds("Panics").await?, ["started", "failed"]);
    assert_eq!(collector.stop().await?, "in time");
    assert_eq!(stage.held(WORK).await?, 0, "the item is done");
    Ok(())
}

#[tokio::test]
async fn only_the_listings_that_an_item_names_are_run() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let collector = stage.collect(&FAKE, Options::default());
    let listings = vec!["Good".to_owned()];
    stage.publish(&events::WorkItem { listings, ..item("fake", WorkKind::Collect) }).await?;
    let report = stage.report().await?;
    assert_eq!((report.scopes.len(), report.failure), (1, None));
    assert_eq!(stage.kinds("Good").await?.len(), 5);
    assert!(stage.kinds("Empty").await?.is_empty());
    collector.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_listing_of_a_newer_scheduler_is_refused_before_anything_begins() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let collector = stage.collect(&FAKE, Options::default());
    let listings = vec!["Good".to_owned(), "Fresh".to_owned()];
    stage.publish(&events::WorkItem { listings, ..item("fake", WorkKind::Collect) }).await?;
    let failure = stage.report().await?.failure.expect("this collector cannot do all of it");
    assert!(failure.error.contains("does not know Fresh"), "{}", failure.error);
    assert!(stage.kinds("Good").await?.is_empty());
    collector.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_finished_scope_says_which_listings_feed_its_labels() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let collector = stage.collect(&FAKE, Options::default());
    stage.publish(&item("fake", WorkKind::Collect)).await?;
    stage.report().await?;
    let events = stage.assets("Good").await?;
    let Some(AssetEvent { event: Some(Event::Finished(finished)), .. }) = events.last() else {
        panic!("the last event is not `finished`");
    };
    assert_eq!(finished.nodes[0].label, "AWSThing");
    assert_eq!(finished.nodes[0].listings, ["fake/Good", "fake/Empty"]);
    collector.stop().await?;
    Ok(())
}

#[tokio::test]
async fn regions_are_reported_sorted() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let collector = stage.collect(&FAKE, Options::default());
    stage.publish(&item("fake", WorkKind::DiscoverRegions)).await?;
    let report = stage.report().await?;
    assert_eq!(report.regions, ["eu-west-1", "us-east-1"]);
    assert!(report.failure.is_none() && report.scopes.is_empty());
    collector.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_refused_lease_is_the_items_failure() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let collector = stage.collect(&FAKE, Options::default());
    stage.publish(&events::WorkItem { account_id: fake::REFUSED.into(), ..item("fake", WorkKind::Collect) }).await?;
    let failure = stage.report().await?.failure.expect("a failure");
    assert_eq!((failure.class(), failure.error.as_str()), (FailureClass::AccessDenied, "the role may not be assumed"));
    assert!(stage.kinds("Good").await?.is_empty(), "nothing began");
    collector.stop().await?;
    Ok(())
}

/// One test for both kinds of end, because the hanging listing counts in a static.
#[tokio::test]
async fn work_outlives_its_collector() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    stage.publish(&item("hanging", WorkKind::Collect)).await?;

    let quick = Options { ack_wait: Duration::from_secs(1), ..Options::default() };
    let killed = stage.collect(&HANGING, quick.clone());
    fake::until(|| BEGUN.load(SeqCst) == 1).await;
    // It holds the item for longer than its ack wait: progress acknowledgements keep it.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(BEGUN.load(SeqCst), 1, "nobody else has got it");
    killed.kill().await;

    let draining = stage.collect(&HANGING, Options { drain_timeout: Duration::from_millis(50), ..quick.clone() });
    fake::until(|| BEGUN.load(SeqCst) == 2).await;
    assert_eq!(draining.stop().await?, "in time");

    let last = stage.collect(&HANGING, quick);
    let report = stage.report().await?;
    assert_eq!((report.attempt >> 24, report.scopes.len(), BEGUN.load(SeqCst)), (3, 1, 3));
    assert_eq!(stage.kinds("Hangs").await?, ["started", "started", "started", "finished 0/0"]);
    assert_eq!(last.stop().await?, "in time");
    assert_eq!(stage.held(WORK).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_listing_takes_as_long_as_it_makes_progress() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    // The listing takes three times the limit of the time without a page.
    let options = Options { listing_timeout: Duration::from_secs(1), ..Options::default() };
    let collector = stage.collect(&fake::STEADY, options);
    stage.publish(&item("steady", WorkKind::Collect)).await?;
    let report = stage.report().await?;
    assert_eq!((report.scopes[0].assets, &report.scopes[0].failure), (60, &None));
    collector.stop().await?;
    Ok(())
}

/// The scheduler gives up a sync without events.
#[tokio::test]
async fn a_row_does_not_wait_for_the_end_of_a_slow_listing() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let options = Options { batch_age: Duration::from_millis(50), ..Options::default() };
    let collector = stage.collect(&fake::SLOW, options);
    stage.publish(&item("slow", WorkKind::Collect)).await?;
    stage.seen("Slow", "batch 0").await?;
    GO_ON.notify_one();
    let report = stage.report().await?;
    assert_eq!((report.scopes[0].assets, &report.scopes[0].failure), (2, &None));
    let kinds = stage.kinds("Slow").await?;
    assert_eq!((kinds[1].as_str(), kinds.last().map(String::as_str)), ("batch 0", Some("finished 2/2")), "{kinds:?}");
    collector.stop().await?;
    Ok(())
}

#[tokio::test]
async fn an_item_without_progress_is_given_back() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let quick = Duration::from_millis(100);
    let options =
        Options { listing_timeout: quick, stalled: quick, ack_wait: Duration::from_secs(1), ..Options::default() };
    let collector = stage.collect(&FAKE, options);
    // The item hangs before its first listing, while its collector is alive.
    stage.publish(&events::WorkItem { account_id: fake::SILENT.into(), ..item("fake", WorkKind::Collect) }).await?;
    let report = stage.report().await?;
    let failure = report.failure.expect("a failure");
    assert_eq!((report.attempt >> 24, failure.error.as_str()), (6, "given up after 5 attempts"));
    collector.stop().await?;
    Ok(())
}

#[tokio::test]
async fn rows_that_fit_into_two_messages_are_not_put_into_one() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let collector = stage.collect(&fake::LARGE, Options::default());
    stage.publish(&item("large", WorkKind::Collect)).await?;
    let report = stage.report().await?;
    let outcome = |listing: &str| {
        report
            .scopes
            .iter()
            .find(|it| it.scope.as_ref().is_some_and(|scope| scope.listing == listing))
            .expect("a scope")
    };
    assert_eq!((outcome("Large").batches, outcome("Large").assets, &outcome("Large").failure), (4, 4, &None));
    let failure = outcome("TooLarge").failure.as_ref().expect("a row larger than a message");
    assert!(failure.error.contains("the limit is 1044480"), "{}", failure.error);
    collector.stop().await?;
    Ok(())
}

#[tokio::test]
async fn batches_are_smaller_on_a_server_of_small_messages() -> anyhow::Result<()> {
    let stage = Stage::of_small_messages().await?;
    let collector = stage.collect(&FAKE, Options::default());
    stage.publish(&events::WorkItem { listings: vec!["Good".to_owned()], ..item("fake", WorkKind::Collect) }).await?;
    let report = stage.report().await?;
    let good = &report.scopes[0];
    assert_eq!((good.assets, &good.failure), (2_500, &None));
    assert!(good.batches > 3, "{} batches", good.batches);
    assert_eq!(stage.kinds("Good").await?.len(), usize::try_from(good.batches)? + 2);
    collector.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_listing_that_hangs_is_a_timeout() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let options = Options { listing_timeout: Duration::from_millis(50), ..Options::default() };
    let collector = stage.collect(&fake::ENDLESS, options);
    stage.publish(&item("endless", WorkKind::Collect)).await?;
    let report = stage.report().await?;
    let failure = report.scopes[0].failure.as_ref().expect("a failure");
    assert_eq!(failure.class(), FailureClass::Timeout);
    collector.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_hung_endpoint_costs_the_accounts_together_a_few_attempts() -> anyhow::Result<()> {
    let hung = fake::Hung::start().await?;
    let stage = Stage::with_endpoint(&hung).await?;
    let aws_timeout = Duration::from_millis(50);
    let options = Options { items: 1, aws_timeout, silence: aws_timeout / 4, ..Options::default() };
    for account in 0..10 {
        let item = item("calling", WorkKind::Collect);
        stage.publish(&events::WorkItem { account_id: format!("{account:012}"), ..item }).await?;
    }
    let collector = stage.collect(&fake::CALLING, options);
    for report in stage.reports(10).await? {
        let failure = report.scopes[0].failure.clone().expect("a failure");
        assert_eq!(failure.class(), FailureClass::Unreachable, "{failure}");
        assert!(failure.error.contains("counts as unreachable"), "{failure}");
    }
    assert!(hung.connections.load(SeqCst) <= 3, "two attempts for the first account and a trial for the second");
    collector.stop().await?;
    Ok(())
}

#[tokio::test]
async fn an_item_that_kills_its_collectors_is_given_up() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    stage.publish(&item("fake", WorkKind::Collect)).await?;
    let victim = stage.bus.consume(Subscription::work("fake", Duration::from_secs(30))).await?;
    for _ in 0..5 {
        for delivery in victim.next(1).await? {
            delivery.settle(Outcome::Retry(Duration::ZERO)).await?;
        }
    }
    let collector = stage.collect(&FAKE, Options::default());
    let report = stage.report().await?;
    let failure = report.failure.expect("a failure");
    assert_eq!((report.attempt >> 24, failure.error.as_str()), (6, "given up after 5 attempts"));
    collector.stop().await?;
    assert_eq!(stage.held(WORK).await?, 0);
    Ok(())
}

#[tokio::test]
async fn what_is_no_work_item_is_parked() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let collector = stage.collect(&FAKE, Options::default());
    let subject = subjects::work(&item("fake", WorkKind::Collect));
    stage.bus.publish(Outgoing::new(subject.clone(), "bad-1".into(), &b"\xff\xff\xff"[..])).await?;
    stage.bus.publish(Outgoing::new(subject, "bad-2".into(), item("iam", WorkKind::Collect).encode_to_vec())).await?;
    while stage.held(PARKED).await? < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    collector.stop().await?;
    assert_eq!((stage.held(WORK).await?, stage.held(SYNCS).await?, stage.held(ASSETS).await?), (0, 0, 0));
    Ok(())
}
