//! Edges: before their target, between accounts, by a key that is not unique.

use crate::{
    story::{story, sync, text},
    world::World,
};
use events::{NodeRow, NodeTable, Ownership, Property};

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_comes_before_its_target_is_drawn_when_the_target_has_come() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let a = story(5, "ListA").nodes("A", &["a"]).edges("TO", "A", "B", &[("a", "b"), ("a", "nowhere")]);
    let b = story(5, "ListB").nodes("B", &["b"]);
    world.publish(a.events()).await?;
    world.settled().await?;
    assert_eq!(world.pairs("TO").await?, "");
    // In the same account it does not wait for the sync's end.
    world.publish(b.events()).await?;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while world.pairs("TO").await? != "a>b" {
        assert!(std::time::Instant::now() < deadline, "the held edge is not drawn");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    world.collected(&sync(5), &[a, b]).await?;
    let finished = world.finished(&sync(5)).await?;
    assert_eq!((finished.nodes, finished.edges, finished.targets_missing, finished.lost.len()), (2, 1, 1, 0));
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_between_accounts_is_drawn_at_the_end() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let a = story(5, "ListA").nodes("A", &["a"]).edges("TO", "A", "B", &[("a", "b")]);
    let finished = world.survey(&[a, story(5, "ListB").account("2").nodes("B", &["b"])]).await?;
    assert_eq!(world.pairs("TO").await?, "a>b");
    assert_eq!((finished.edges, finished.targets_missing), (1, 0));
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_unique_links_to_every_match() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let b = story(5, "ListB").nodes("B", &["x"]);
    let twin = story(5, "ListB").account("2").nodes("B", &["y"]);
    world.survey(&[b, twin]).await?;
    world.neo4j.rows("MATCH (n:B) SET n.name = 'same'").await?;
    let a = story(6, "ListA").nodes("A", &["a"]).edges_by("TO", "A", "B", "name", &[("a", "same")]);
    world.survey(&[a]).await?;
    assert_eq!(world.pairs("TO").await?, "a>x a>y");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_comes_later_with_the_same_key_gets_its_edge_in_the_same_sync() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let named = |id: &str| NodeTable {
        label: "B".into(),
        ownership: Ownership::Scope.into(),
        properties: vec![Property { name: "name".into(), indexed: true }],
        rows: vec![NodeRow { id: id.into(), values: vec![text("same")] }],
        ..NodeTable::default()
    };
    let b = story(5, "ListB").table(named("x"));
    let a = story(5, "ListA").nodes("A", &["a"]).edges_by("TO", "A", "B", "name", &[("a", "same")]);
    let twin = story(5, "ListB").account("2").table(named("y"));
    for story in [&b, &a, &twin] {
        world.publish(story.events()).await?;
        world.settled().await?;
    }
    world.collected(&sync(5), &[b, a, twin]).await?;
    let finished = world.finished(&sync(5)).await?;
    assert_eq!(world.pairs("TO").await?, "a>x a>y");
    assert_eq!((finished.edges, finished.targets_missing, finished.lost.len()), (1, 0, 0));
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_vanished_is_removed_and_one_of_a_failed_listing_is_kept() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let a = |tag: i64, region: &str, pairs: &[(&str, &str)]| {
        let ids = [pairs[0].0];
        story(tag, "ListA").region(region).nodes("A", &ids).edges("TO", "A", "B", pairs)
    };
    let b = |tag: i64| story(tag, "ListB").nodes("B", &["b", "c"]);
    world.survey(&[a(5, "r", &[("a", "b"), ("a", "c")]), a(5, "q", &[("z", "b"), ("z", "c")]), b(5)]).await?;
    assert_eq!(world.pairs("TO").await?, "a>b a>c z>b z>c");
    let finished = world.survey(&[a(6, "r", &[("a", "c")]), a(6, "q", &[("z", "c")]).fails(), b(6)]).await?;
    assert_eq!(world.pairs("TO").await?, "a>c z>b z>c");
    assert_eq!((finished.edges_removed, finished.nodes_removed), (1, 0));
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_batch_that_left_the_stream_makes_its_scope_lost() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    // A listing feeds B, so that its nodes may arrive.
    let b = story(5, "ListB").nodes("B", &["other"]);
    world.survey(&[story(5, "ListA").nodes("A", &["a", "old"]), b]).await?;
    let a = story(6, "ListA").nodes("A", &["a"]).edges("TO", "A", "B", &[("a", "b")]);
    world.publish(a.events()).await?;
    world.settled().await?;
    // Started, batch, finished: the batch is the last but one.
    let sequence = world.bus.last_sequence(bus::ASSETS).await? - 1;
    world.erase(sequence).await?;
    world.collected(&sync(6), &[a]).await?;
    let finished = world.finished(&sync(6)).await?;
    assert_eq!(finished.lost.len(), 1);
    assert_eq!(world.ids("A").await?, "a old");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_batch_that_is_still_to_come_again_is_not_lost() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    world.survey(&[story(5, "ListA").nodes("A", &["a"]), story(5, "ListB").nodes("B", &["other"])]).await?;
    let a = story(6, "ListA").nodes("A", &["a"]).edges("TO", "A", "B", &[("a", "b")]);
    world.publish(a.events()).await?;
    world.settled().await?;
    world.erase(world.bus.last_sequence(bus::ASSETS).await? - 1).await?;
    writer.stop().await?;
    // The batch comes again with another sequence, and the sync's end before it.
    world.publish_again(&a.events(), "again").await?;
    world.collected(&sync(6), &[a]).await?;
    let end = world.sync_end().await?;
    let closing = tokio::spawn(async move { end.close(&sync(6)).await });
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let writer = world.writer().await?;
    let finished = closing.await??;
    assert_eq!((finished.lost.len(), finished.targets_missing), (0, 1));
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_at_a_new_node_that_two_places_see_is_drawn_once() -> anyhow::Result<()> {
    let world = World::new().await?;
    let seen_from = |region: &str| {
        let nodes = story(5, "ListA").region(region).nodes("B", &["b"]).nodes("A", &["a"]);
        nodes.edges("TO", "A", "B", &[("a", "b")]).edges("RESOURCE", "A", "B", &[("a", "b")])
    };
    let stories = ["r", "s"].map(seen_from);
    // Before the writer begins, so that one transaction has them all.
    world.publish(stories.iter().flat_map(|story| story.events())).await?;
    let writer = world.writer().await?;
    world.collected(&sync(5), &stories).await?;
    world.finished(&sync(5)).await?;
    assert_eq!((world.pairs("TO").await?, world.pairs("RESOURCE").await?), ("a>b".into(), "a>b".into()));
    writer.stop().await
}
