//! The end of a sync: its report, and the steps that it does not repeat.

use crate::{
    story::{Story, story, sync},
    world::{PATIENCE, World, options},
};
use bus::Subscription;
use events::{
    Message, Scope, ScopeReport, SyncCollected, SyncFinished, WorkItem, WorkKind, WorkReport, sync_event::Event,
};
use graph::Pulse;
use graph_writer::{Options, sync_end::SyncEnd};
use std::{collections::BTreeSet, time::Duration};

/// NATS's default limit of a message in bytes.
const MAX_PAYLOAD: usize = 1024 * 1024;

impl World {
    /// Reports these places, each with one work item, and publishes `collected` of a whole sync.
    async fn whole(&self, stories: &[Story], discovery_fails: bool) -> anyhow::Result<SyncFinished> {
        self.whole_but(stories, discovery_fails, &[]).await
    }

    /// Like `whole`, with accounts and places that the sync could not reach.
    async fn whole_but(
        &self,
        stories: &[Story],
        discovery_fails: bool,
        out_of_reach: &[&str],
    ) -> anyhow::Result<SyncFinished> {
        self.publish(stories.iter().flat_map(Story::events)).await?;
        let sync = stories[0].sync.clone();
        for story in stories {
            let Scope { account_id, region, service, .. } = story.scope.clone();
            let item = WorkItem { sync: Some(sync.clone()), account_id, region, service, ..WorkItem::default() };
            let scopes = vec![story.report()];
            let report = WorkReport { item: Some(item), attempt: 1, scopes, ..WorkReport::default() };
            self.sync_event(&sync, Event::Reported(report)).await?;
        }
        if discovery_fails {
            let kind = WorkKind::DiscoverRegions.into();
            let (account_id, service) = ("1".to_owned(), "ec2".to_owned());
            let item = WorkItem { sync: Some(sync.clone()), kind, account_id, service, ..WorkItem::default() };
            let failure = Some(events::Failure::new(events::FailureClass::AccessDenied, "no"));
            let report = WorkReport { item: Some(item), attempt: 1, failure, ..WorkReport::default() };
            self.sync_event(&sync, Event::Reported(report)).await?;
        }
        let out_of_reach = out_of_reach.iter().map(|name| (*name).to_owned()).collect();
        let collected = SyncCollected { whole: true, out_of_reach, ..SyncCollected::default() };
        self.sync_event(&sync, Event::Collected(collected)).await?;
        self.finished(&sync).await
    }

    async fn times_closed(&self, id: &str) -> anyhow::Result<i64> {
        let rows = self.neo4j.rows(&format!("MATCH (g:GromaSync {{id: '{id}'}}) RETURN g.closed AS closed")).await?;
        Ok(rows.first().and_then(|row| row["closed"].as_i64()).unwrap_or(0))
    }
}

/// Limits the syncs stream to this many messages; it rejects further ones.
#[allow(clippy::disallowed_methods, reason = "our crate sets no such limit")]
async fn limit_syncs(world: &World, messages: i64) -> anyhow::Result<()> {
    let client = async_nats::connect(world.nats.url()).await?;
    let jetstream = async_nats::jetstream::new(client);
    let mut config = jetstream.get_stream(bus::SYNCS).await?.info().await?.config.clone();
    config.max_messages = messages;
    config.discard = async_nats::jetstream::stream::DiscardPolicy::New;
    jetstream.update_stream(config).await?;
    Ok(())
}

fn listings(scopes: &[events::LostScope]) -> Vec<&str> {
    scopes.iter().filter_map(|lost| lost.scope.as_ref()).map(|scope| scope.listing.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_that_a_newer_sync_holds_are_superseded() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    world.survey(&[story(9, "ListA").nodes("A", &["a"])]).await?;
    let older = [story(6, "ListA").nodes("A", &["b"]), story(6, "ListB").nodes("B", &["b"])];
    let finished = world.survey(&older).await?;
    assert_eq!((listings(&finished.superseded), finished.superseded_total), (vec!["ListA"], 1));
    assert_eq!((finished.lost_total, finished.nodes, finished.newest_tag), (0, 1, 9));
    assert_eq!(world.ids("A").await?, "a");
    writer.stop().await
}

/// A stream that is lost between the scheduler's last look and `collected` holds `collected` alone. The scheduler then
/// publishes its reports again.
#[tokio::test(flavor = "multi_thread")]
async fn a_sync_is_closed_with_all_its_reports_though_they_follow_collected() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let stories = [story(5, "ListA").nodes("A", &["a"]), story(5, "ListB").nodes("B", &["b"]).fails()];
    world.publish(stories.iter().flat_map(Story::events)).await?;
    let collected = SyncCollected { scopes: 2, ..SyncCollected::default() };
    world.sync_event(&sync(5), Event::Collected(collected)).await?;
    // The writer has read it by now.
    tokio::time::sleep(Duration::from_secs(2)).await;
    world.collected(&sync(5), &stories).await?;
    let finished = world.finished(&sync(5)).await?;
    assert_eq!((finished.nodes, finished.lost_total, world.ids("A").await?.as_str()), (1, 0, "a"));
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_a_newer_sync_takes_over_before_cleanup_is_superseded() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer_with(Options { patience: Duration::from_secs(4), ..options() }).await?;
    let (first, second) = (story(5, "ListA").nodes("A", &["a"]), story(5, "ListB").nodes("B", &["b"]));
    world.publish(first.events()).await?;
    // The second listing never arrives: the writer waits for it, and knows that the first one is complete.
    world.collected(&sync(5), &[first.clone(), second]).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    world.publish(first.again(9).events()).await?;
    let finished = world.finished(&sync(5)).await?;
    assert_eq!((listings(&finished.superseded), listings(&finished.lost)), (vec!["ListA"], vec!["ListB"]));
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_ended_otherwise_than_reported_is_lost() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let reported = story(5, "ListA").nodes("A", &["a"]);
    world.publish(reported.events()).await?;
    world.publish(reported.clone().attempt(2).fails().events()).await?;
    world.collected(&sync(5), &[reported]).await?;
    let finished = world.finished(&sync(5)).await?;
    assert_eq!(listings(&finished.lost), ["ListA"]);
    let error = finished.lost[0].failure.clone().unwrap_or_default().error;
    assert_eq!(error, "another attempt at the listing failed: not allowed to list");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_sync_fits_into_a_message_however_much_was_lost() -> anyhow::Result<()> {
    const LOST: usize = 12_000;
    let world = World::new().await?;
    let writer = world.writer().await?;
    let sync = sync(5);
    for n in 0..LOST / 100 {
        let scope = |listing| Scope {
            account_id: format!("{n:012}"),
            region: "ap-southeast-2".into(),
            service: "ec2".into(),
            listing: format!("DescribeSomethingWithALongName{listing}"),
        };
        let scopes =
            (0..100).map(|listing| ScopeReport { scope: Some(scope(listing)), batches: 3, ..Default::default() });
        let item = WorkItem {
            sync: Some(sync.clone()),
            account_id: n.to_string(),
            service: "ec2".into(),
            ..WorkItem::default()
        };
        let report = WorkReport { item: Some(item), attempt: 1, scopes: scopes.collect(), ..WorkReport::default() };
        world.sync_event(&sync, Event::Reported(report)).await?;
    }
    world.sync_event(&sync, Event::Collected(SyncCollected::default())).await?;
    let finished = world.finished(&sync).await?;
    assert_eq!(finished.lost_total, LOST as u64);
    assert!((500..LOST).contains(&finished.lost.len()), "{}", finished.lost.len());
    assert!(finished.encoded_len() < MAX_PAYLOAD / 2);
    let named = finished.lost.iter().filter_map(|lost| lost.scope.clone()).map(|scope| scope.account_id);
    let places = finished.lost_places.clone().unwrap_or_default();
    let all: BTreeSet<String> = named.chain(places.groups.into_iter().flat_map(|group| group.accounts)).collect();
    assert_eq!(all.len(), LOST / 100, "every place is named");
    let error = finished.lost[0].failure.clone().unwrap_or_default().error;
    assert_eq!(error, "0 of 3 batches reached the graph, and not the word that it finished");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_cannot_be_published_is_not_closed_again() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.publish(story(5, "ListA").nodes("A", &["a"]).events()).await?;
    world.collected(&sync(5), &[story(5, "ListA").nodes("A", &["a"])]).await?;
    // The stream holds two messages: the report and `collected`.
    limit_syncs(&world, 2).await?;
    let writer = world.writer().await?;
    for _ in 0..600 {
        if world.times_closed("sync00005").await? > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    limit_syncs(&world, -1).await?;
    assert_eq!(world.finished(&sync(5)).await?.nodes, 1);
    assert_eq!(world.times_closed("sync00005").await?, 1);
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_whose_end_is_announced_are_not_closed_again() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    world.survey(&[story(5, "ListA").nodes("A", &["a"])]).await?;
    writer.stop().await?;
    // A new consumer delivers the `collected` of all syncs in the stream.
    let writer = world.writer_with(Options { durable: "another".into(), ..options() }).await?;
    world.survey(&[story(6, "ListA").nodes("A", &["a"])]).await?;
    assert_eq!((world.times_closed("sync00005").await?, world.times_closed("sync00006").await?), (1, 1));
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_is_closed_when_somebody_has_removed_the_cause_of_a_lasting_error() -> anyhow::Result<()> {
    let world = World::new().await?;
    // Without its properties it cannot be read.
    world.neo4j.rows("CREATE (:GromaFeeds {id: 'broken'})").await?;
    let writer = world.writer().await?;
    let story = story(5, "ListA").nodes("A", &["a"]);
    world.publish(story.events()).await?;
    world.collected(&sync(5), &[story]).await?;
    world.settled().await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.times_closed("sync00005").await?, 0);
    world.neo4j.rows("MATCH (f:GromaFeeds {id: 'broken'}) DELETE f").await?;
    assert_eq!(world.finished(&sync(5)).await?.nodes, 1);
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_whose_reports_are_gone_is_not_closed() -> anyhow::Result<()> {
    let world = World::new().await?;
    let error = world.sync_end().await?.close(&sync(5)).await.expect_err("nothing is known of it");
    assert!(error.to_string().contains("no longer in the stream"), "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_this_syncs_collectors_do_not_know_keeps_its_label_until_three_whole_syncs_lack_it()
-> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let both = [
        story(5, "ListA").nodes("A", &["a"]).also_fed_by("A", "ListOld"),
        story(5, "ListOld").nodes("A", &["a", "old"]).also_fed_by("A", "ListA"),
    ];
    world.survey(&both).await?;
    // Collectors of a version without that listing.
    for tag in 6..9 {
        let finished = world.whole(&[story(tag, "ListA").nodes("A", &["a"])], false).await?;
        assert_eq!((finished.nodes_removed, world.ids("A").await?), (0, "a old".into()), "{tag}");
        let not_run = finished.not_run.iter().flat_map(|it| &it.scope).map(|scope| &*scope.listing);
        assert_eq!((not_run.collect(), finished.not_run_total), (vec!["ListOld"], 1), "{tag}");
    }
    // No other collector in the organization knows the listing any more.
    let finished = world.whole(&[story(9, "ListA").nodes("A", &["a"])], false).await?;
    assert_eq!((finished.nodes_removed, world.ids("A").await?), (1, "a".into()));
    assert_eq!(finished.not_run_total, 0);
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_no_writer_applies_is_no_progress() -> anyhow::Result<()> {
    let world = World::new().await?;
    let story = story(5, "ListA").nodes("A", &["a"]);
    world.publish(story.events()).await?;
    world.collected(&sync(5), &[story]).await?;
    let assets = world.bus.consume(Subscription::assets(&options().durable, PATIENCE)).await?;
    let held = assets.next(1).await?;
    assert_eq!(held.len(), 1);
    let pulse = Pulse::default();
    let end = SyncEnd::new(world.bus.clone(), world.store().await?.watched(pulse.clone()), options());
    let closing = tokio::spawn(async move { end.close(&sync(5)).await });
    // The graph is read every second.
    tokio::time::timeout(PATIENCE, pulse.silence(Duration::from_secs(5))).await?;
    assert!(!closing.is_finished());
    closing.abort();
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_failed_counts_with_what_it_fed_before() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let other = |tag, ids: &[&str]| story(tag, "ListOld").nodes("A", ids).also_fed_by("A", "ListA");
    world.survey(&[story(5, "ListA").nodes("A", &["a"]).also_fed_by("A", "ListOld"), other(5, &["b"])]).await?;
    world.survey(&[story(6, "ListA").nodes("A", &["a"]), other(6, &[]).fails()]).await?;
    assert_eq!(world.ids("A").await?, "a b");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn places_that_a_whole_sync_does_not_cover_are_stale() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let at = |tag, account: &str, region: &str| story(tag, "ListA").account(account).region(region).nodes("A", &["a"]);
    world.survey(&[at(5, "1", "left"), at(5, "1", "kept")]).await?;
    world.survey(&[at(6, "2", "kept")]).await?;
    let part = world.survey(&[at(7, "1", "kept")]).await?;
    assert_eq!(part.stale_total, 0, "a part of an organization says nothing of the rest");
    let finished = world.whole(&[at(8, "1", "kept"), at(8, "1", "denied").fails()], false).await?;
    let stale: Vec<_> = finished.stale.iter().map(|it| (&*it.account_id, &*it.region, it.last_seen)).collect();
    assert_eq!(stale, [("1", "left", 5), ("2", "kept", 6)]);
    assert_eq!(finished.stale_total, 2);
    let unknown = world.whole(&[at(9, "1", "kept")], true).await?;
    let stale: Vec<_> = unknown.stale.iter().map(|it| it.account_id.as_str()).collect();
    assert_eq!(stale, ["2"], "which regions account 1 has is not known");
    let part = world.whole_but(&[at(10, "1", "kept")], false, &["2", "1/left/ec2"]).await?;
    let stale: Vec<_> = part.stale.iter().map(|it| it.region.as_str()).collect();
    assert_eq!(stale, ["denied"], "an account and a place that could not be reached are not stale");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_to_a_label_that_no_listing_feeds_is_not_waited_for() -> anyhow::Result<()> {
    let world = World::new().await?;
    let lost = story(5, "ListA").nodes("A", &["a"]).edges("TO", "A", "Nobodys", &[("a", "x")]);
    world.publish(lost.events()).await?;
    let writer = world.writer().await?;
    world.settled().await?;
    // The batch leaves the stream, as under a size limit.
    world.erase(2).await?;
    world.collected(&sync(5), std::slice::from_ref(&lost)).await?;
    let finished = world.finished(&sync(5)).await?;
    assert_eq!((finished.lost_total, finished.targets_missing, finished.edges), (0, 1, 0));
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_stand_in_the_graph_is_named() -> anyhow::Result<()> {
    let world = World::new().await?;
    let a = story(5, "ListA").nodes("A", &["a", "b"]);
    let writer = world.writer().await?;
    world.publish(a.events()).await?;
    world.settled().await?;
    // State of a scope with a rejected row, as an earlier version wrote it.
    let text = "MATCH (s:GromaScope) SET s.record = null, s.shortened_labels = null, s.attempt = 1, s.applied = [0], \
        s.expected = 1, s.rejected = 1, s.rejected_example = 'A x: no', s.state = 'partial', \
        s.shortened = ['A 2 a b', 'B 1 c']";
    world.neo4j.rows(text).await?;
    world.collected(&sync(5), &[a]).await?;
    let finished = world.finished(&sync(5)).await?;
    assert_eq!((listings(&finished.rejected), finished.rejected_total, finished.nodes), (vec!["ListA"], 1, 1));
    let error = finished.rejected[0].failure.clone().unwrap_or_default().error;
    assert_eq!(error, "1 row(s) cannot be stored in the graph; A x: no");
    let shortened: Vec<_> = finished.shortened.iter().map(|it| (&*it.label, it.count, &*it.example)).collect();
    assert_eq!(shortened, [("A", 2, "a b"), ("B", 1, "c")]);
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_syncs_are_kept_for_a_month() -> anyhow::Result<()> {
    const DAY: i64 = 24 * 60 * 60;
    let world = World::new().await?;
    let writer = world.writer().await?;
    let days = [0, 1, 20, 40].map(|day| day * DAY + 100);
    world.whole(&[story(days[0], "ListA").nodes("A", &["a"])], false).await?;
    for tag in &days[1..] {
        world.survey(&[story(*tag, "ListA").nodes("A", &["a"])]).await?;
    }
    let rows = world.neo4j.rows("MATCH (g:GromaSync) RETURN g.tag AS tag ORDER BY tag").await?;
    let tags: Vec<i64> = rows.iter().filter_map(|row| row["tag"].as_i64()).collect();
    // `groma forget --stale` uses the newest whole sync.
    assert_eq!(tags, [days[0], days[2], days[3]]);
    writer.stop().await
}

/// Each scope may name all its batches.
#[tokio::test(flavor = "multi_thread")]
async fn scopes_with_held_edges_are_read_a_hundred_at_a_time() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    world.survey(&[story(5, "ListB").nodes("B", &["b"])]).await?;
    let many = "UNWIND range(100, 249) AS n CREATE (:GromaScope {id: '2/r/s/L' + n, account: '2', region: 'r', \
        service: 's', listing: 'L' + n, held: ['7 1 A'], tag: 5, sync: 's'})";
    world.neo4j.rows(many).await?;
    let store = world.store().await?;
    let (mut sizes, mut after) = (Vec::new(), String::new());
    while let Some(last) = {
        let page = graph_writer::scope_store::holding_in_account(&store, "2", &after).await?;
        sizes.push(page.len());
        page.last().map(graph_writer::scope_store::StoredScope::id)
    } {
        after = last;
    }
    assert_eq!(sizes, [100, 50, 0]);
    writer.stop().await
}
