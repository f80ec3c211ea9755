//! States of scopes that an earlier version wrote: properties and texts instead of a record.

use crate::{
    story::{story, sync},
    world::World,
};

/// Rewrites the state of a listing as an earlier version would have stored it, with these `properties` in addition.
async fn rewrite(world: &World, listing: &str, properties: &str) -> anyhow::Result<()> {
    let text = format!(
        "MATCH (s:GromaScope {{listing: '{listing}'}}) \
         SET s.record = null, s.held_batches = null, s.dangling = null, s.shortened_labels = null, \
         s.attempt = 1, s.lost = false, s += {{{properties}}} RETURN s.id AS id"
    );
    assert_eq!(world.neo4j.rows(&text).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_continues_a_state_and_replaces_it() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let a = story(5, "ListA").nodes("A", &["a"]).edges("TO", "A", "B", &[("a", "b")]).nodes("A", &["c"]);
    let events = a.events();
    world.publish(events[..2].to_vec()).await?;
    world.settled().await?;
    let copies = world.neo4j.rows("MATCH (s:GromaScope) RETURN s.held_batches AS held, s.dangling AS rows").await?;
    assert_eq!((copies[0]["held"].as_i64(), copies[0]["rows"].as_i64()), (Some(1), Some(1)));
    rewrite(&world, "ListA", "applied: [0], edge_rows: 1, held: ['2 1 B #0']").await?;

    world.publish(events[2..].to_vec()).await?;
    let b = story(5, "ListB").nodes("B", &["b"]);
    world.publish(b.events()).await?;
    world.settled().await?;
    world.collected(&sync(5), &[a, b]).await?;
    let finished = world.finished(&sync(5)).await?;
    assert_eq!((finished.lost_total, finished.nodes, finished.edges, finished.targets_missing), (0, 3, 1, 0));
    let properties = "MATCH (s:GromaScope {listing: 'ListA'}) RETURN s.record IS NOT NULL AS record, \
                      [name IN ['applied', 'held', 'expected', 'lost'] WHERE s[name] IS NOT NULL] AS old";
    let state = world.neo4j.rows(properties).await?;
    assert_eq!((state[0]["record"].as_bool(), state[0]["old"].as_array().map(Vec::len)), (Some(true), Some(0)));
    writer.stop().await
}

/// During an upgrade, an earlier version changes a scope that has a record. It leaves properties that it does not know.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_version_wrote_last_counts() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let a = story(5, "ListA").nodes("A", &["a"]).edges("TO", "A", "B", &[("a", "b")]);
    world.publish(a.events()).await?;
    world.settled().await?;
    writer.stop().await?;
    let older = "MATCH (s:GromaScope {listing: 'ListA'}) SET s.held_batches = 0, s.dangling = 0, s.attempt = 1, \
        s.applied = [0], s.edge_rows = 1, s.held = ['2 1 B #0'], s.expected = 1, s.lost = false";
    world.neo4j.rows(older).await?;

    let writer = world.writer().await?;
    let b = story(5, "ListB").nodes("B", &["b"]);
    world.publish(b.events()).await?;
    world.settled().await?;
    world.collected(&sync(5), &[a, b]).await?;
    let finished = world.finished(&sync(5)).await?;
    assert_eq!((finished.lost_total, finished.edges, finished.targets_missing), (0, 1, 0));
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_cannot_be_read_is_named() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    world.survey(&[story(5, "ListA").nodes("A", &["a"])]).await?;
    writer.stop().await?;
    rewrite(&world, "ListA", "held: ['seven 1 A']").await?;
    let store = world.store().await?;
    let error = graph_writer::scope_store::by_id(&store, &["1/r/ec2/ListA".to_owned()]).await.expect_err("damaged");
    let text = errors::chain(&error);
    assert!(text.contains("(:GromaScope {id: '1/r/ec2/ListA'}): 'seven 1 A'"), "{text}");
    Ok(())
}
