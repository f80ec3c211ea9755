//! Cleanup removes everything that finished scopes no longer see, and nothing else.

use crate::{
    story::{Story, story, sync},
    world::World,
};
use events::{FailureClass, NodeRow, NodeTable, Ownership};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sync_removes_what_vanished_and_nothing_else() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let b = |tag: i64| story(tag, "ListB").nodes("B", &["b"]);
    let elsewhere = story(5, "ListA").region("q").nodes("A", &["x"]);
    let foreign = story(5, "ListA").account("2").nodes("A", &["y"]);
    world.survey(&[story(5, "ListA").nodes("A", &["a", "gone"]), b(5), elsewhere, foreign]).await?;
    world.neo4j.rows("CREATE (:A {id: 'cartography', lastupdated: 1})").await?;
    let finished = world.survey(&[story(6, "ListA").nodes("A", &["a", "new"]), b(6)]).await?;
    assert_eq!(world.ids("A").await?, "a cartography new x y");
    assert_eq!(world.ids("B").await?, "b");
    assert_eq!((finished.nodes, finished.nodes_removed), (3, 1));
    // An empty listing empties its place.
    world.survey(&[story(7, "ListA")]).await?;
    assert_eq!(world.ids("A").await?, "cartography x y");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_scope_keeps_its_nodes() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    world.survey(&[story(5, "ListA").nodes("A", &["a", "b"])]).await?;
    let finished = world.survey(&[story(6, "ListA").nodes("A", &["a"]).fails()]).await?;
    assert_eq!(world.ids("A").await?, "a b");
    assert!(finished.lost.is_empty());
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_fed_by_two_listings_is_kept_when_one_failed() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let one = |tag: i64, ids: &[&str]| story(tag, "ListA").nodes("A", ids).also_fed_by("A", "ListAToo");
    let other = |tag: i64, ids: &[&str]| story(tag, "ListAToo").nodes("A", ids).also_fed_by("A", "ListA");
    world.survey(&[one(5, &["a"]), other(5, &["b"])]).await?;
    world.survey(&[one(6, &[]), other(6, &["b"]).fails()]).await?;
    assert_eq!(world.ids("A").await?, "a b");
    // The second listing did not run at all.
    world.survey(&[one(7, &[])]).await?;
    assert_eq!(world.ids("A").await?, "a b");
    world.survey(&[one(8, &[]), other(8, &["b"])]).await?;
    assert_eq!(world.ids("A").await?, "b");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_gone_is_removed_though_a_listing_that_adds_to_it_fails() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let list = |tag: i64, ids: &[&str]| story(tag, "ListA").nodes("A", ids);
    let add = |tag: i64, ids: &[&str]| {
        story(tag, "GetA").nodes("A", ids).edges("OF", "A", "A", &[(ids[0], ids[0])]).supplements()
    };
    world.survey(&[list(5, &["a", "gone"]), add(5, &["a", "gone"])]).await?;
    // It fails before it comes to the second node, and its edges stay.
    world.survey(&[list(6, &["a"]), add(6, &["a"]).fails()]).await?;
    assert_eq!(world.ids("A").await?, "a");
    let edges = "MATCH (:A {id: 'a'})-[r:OF]->(:A {id: 'a'}) RETURN r.lastupdated AS at";
    assert_eq!(world.neo4j.rows(edges).await?.len(), 1);
    // A listing that adds to nodes proves nothing about those it does not see.
    world.survey(&[list(7, &["a", "b"]), add(7, &["b"])]).await?;
    assert_eq!(world.ids("A").await?, "a b");
    assert_eq!(world.neo4j.rows(edges).await?.len(), 0, "it is complete");
    // It does not decide that a node exists, and one that it alone has seen goes with the next sync.
    world.survey(&[list(8, &["a", "b"]), add(8, &["late"])]).await?;
    world.survey(&[list(9, &["a", "b"]), add(9, &["a"])]).await?;
    assert_eq!(world.ids("A").await?, "a b");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_batch_removes_nothing_and_is_reported() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let b = |tag: i64, ids: &[&str]| story(tag, "ListB").nodes("B", ids);
    world.survey(&[story(5, "ListA").nodes("A", &["a"]).nodes("A", &["b"]), b(5, &["b", "gone"])]).await?;
    let a = story(6, "ListA").nodes("A", &["a"]).nodes("A", &["b"]);
    let mut events = a.events();
    events.remove(1);
    world.publish(events).await?;
    world.publish(b(6, &["b"]).events()).await?;
    world.collected(&sync(6), &[a, b(6, &["b"])]).await?;
    let finished = world.finished(&sync(6)).await?;
    assert_eq!(world.ids("A").await?, "a b");
    assert_eq!(world.ids("B").await?, "b");
    assert_eq!(finished.lost.len(), 1);
    let failure = finished.lost[0].failure.clone().unwrap();
    assert_eq!(failure.class(), FailureClass::Lost);
    assert_eq!(failure.error, "1 of 2 batches reached the graph");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_nodes_of_another_label_carry_is_cleaned_without_them() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let inbound = |tag: i64| {
        story(tag, "ListInbound").table(NodeTable {
            label: "Inbound".into(),
            extra_labels: vec!["A".into()],
            ownership: Ownership::Scope.into(),
            rows: vec![NodeRow { id: "in".into(), values: Vec::new() }],
            ..NodeTable::default()
        })
    };
    world.survey(&[inbound(5), story(5, "ListA").nodes("A", &["a"])]).await?;
    world.survey(&[inbound(6).fails(), story(6, "ListA")]).await?;
    assert_eq!(world.ids("A").await?, "in");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_without_scopes_ends_and_one_that_ends_twice_ends_alike() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    world.collected(&sync(4), &[]).await?;
    let nothing = events::SyncFinished { newest_tag: 4, ..events::SyncFinished::default() };
    assert_eq!(world.finished(&sync(4)).await?, nothing);
    world.survey(&[story(5, "ListA").nodes("A", &["a", "gone"])]).await?;
    let stories = [story(6, "ListA").nodes("A", &["a"])];
    let first = world.survey(&stories).await?;
    let again = world.sync_end().await?.close(&sync(6)).await?;
    assert_eq!(first, again);
    assert_eq!(first.nodes_removed, 1);
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn overlapping_syncs_end_each_for_itself() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    world.survey(&[story(5, "ListA").nodes("A", &["a", "b"]), story(5, "ListB").nodes("B", &["a", "b"])]).await?;
    // The newer sync takes over A; the older one ends after it, with its own B.
    let older = [story(6, "ListA").nodes("A", &["a"]), story(6, "ListB").nodes("B", &["a"])];
    let newer = [story(7, "ListA").nodes("A", &["b"])];
    world.publish(newer.iter().chain(&older).flat_map(Story::events)).await?;
    world.collected(&sync(7), &newer).await?;
    world.finished(&sync(7)).await?;
    world.collected(&sync(6), &older).await?;
    let finished = world.finished(&sync(6)).await?;
    assert_eq!((world.ids("A").await?, world.ids("B").await?), ("b".into(), "a".into()));
    assert!(finished.lost.is_empty(), "{finished:?}");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_died_before_it_ever_finished_keeps_what_it_brought() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let of_a = |tag| story(tag, "ListA").nodes("A", &["a"]);
    world.survey(&[of_a(5)]).await?;
    // A collector of another version, which has a second listing for the label, dies after a batch.
    let died = story(6, "ListAToo").nodes("A", &["b"]).events();
    world.publish(died.into_iter().take(2)).await?;
    let finished = world.survey(&[of_a(7)]).await?;
    assert_eq!(finished.nodes_removed, 0);
    assert_eq!(world.ids("A").await?, "a b");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_of_a_newer_analysis_keeps_no_node() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    world.survey(&[story(5, "ListA").nodes("A", &["a", "gone"])]).await?;
    world.neo4j.rows("MATCH (a:A {id: 'gone'}) CREATE (a)-[:MAY {lastupdated: 99}]->(:Other {id: 'o'})").await?;
    world.survey(&[story(6, "ListA").nodes("A", &["a"])]).await?;
    assert_eq!(world.ids("A").await?, "a");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_older_version_noted_of_a_listings_feeds_counts() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    world.survey(&[story(5, "ListA").nodes("A", &["a"]), story(5, "ListAToo").nodes("A", &["b"])]).await?;
    let older = "MATCH (s:GromaScope {listing: 'ListAToo'}) \
        SET s.record = null, s.applied = [], s.feeds = null, s.node_feeds = ['A ec2/ListAToo'], \
        s.edge_feeds = [] REMOVE s.brought_nodes, s.brought_edges";
    world.neo4j.rows(older).await?;
    // Collectors of a version without the second listing.
    world.survey(&[story(6, "ListA").nodes("A", &["a"])]).await?;
    assert_eq!(world.ids("A").await?, "a b");
    // Its failure keeps the note.
    world.survey(&[story(7, "ListA").nodes("A", &["a"]), story(7, "ListAToo").fails()]).await?;
    world.survey(&[story(8, "ListA").nodes("A", &["a"])]).await?;
    assert_eq!(world.ids("A").await?, "a b");
    writer.stop().await
}
