//! Overlapping syncs: concurrent transactions on one node or edge, and the lock that orders them.

use crate::{
    story::{Story, story, sync},
    world::{World, options},
};
use events::Message;
use graph::Transaction;
use graph_writer::{
    Options,
    admit::admit,
    apply::{Item, apply},
    schema::Schema,
};
use neo4rs::Query;
use std::time::{Duration, Instant};

/// Rows of a place at this tag: a node, and an edge to another.
fn seen(tag: i64) -> Story {
    story(tag, "ListA").nodes("A", &["a"]).edges("TO", "A", "B", &[("a", "b")])
}

/// The same rows in another sync: only the tag differs.
fn same(tag: i64) -> Story {
    seen(5).again(tag)
}

/// A transaction that has run a statement and holds its locks.
pub(crate) async fn holding(world: &World, text: &str) -> anyhow::Result<Transaction> {
    let mut transaction = world.store().await?.begin().await?;
    transaction.run(Query::new(text.to_owned())).await?;
    Ok(transaction)
}

/// Waits until `count` transactions wait for a lock.
pub(crate) async fn blocked(world: &World, count: usize) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_mins(1);
    while world.neo4j.rows("SHOW TRANSACTIONS YIELD status WHERE status STARTS WITH 'Blocked'").await?.len() < count {
        anyhow::ensure!(Instant::now() < deadline, "nothing waits for a lock");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Account 1 has seen a node and an edge in sync 5. Writes this listing while another transaction with the statement is
/// open.
async fn beside(text: &str, listing: &Story) -> anyhow::Result<World> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    world.survey(&[seen(5), story(5, "ListB").nodes("B", &["b"])]).await?;
    writer.stop().await?;
    let transaction = holding(&world, text).await?;
    let store = world.store().await?;
    let items: Vec<Item> = (1..)
        .zip(listing.events())
        .map(|(sequence, event)| {
            let event = admit(&event.encode_to_vec()).map_err(anyhow::Error::msg)?;
            Ok(Item { sequence, event })
        })
        .collect::<anyhow::Result<_>>()?;
    let other = tokio::spawn(async move { apply(&store, &Schema::default(), &items).await.map(drop) });
    blocked(&world, 1).await?;
    transaction.end(Ok(())).await?;
    other.await??;
    Ok(world)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_sync_does_not_take_a_nodes_tag_back() -> anyhow::Result<()> {
    // The same properties, so that only the tag is written.
    let world = beside("MATCH (n:A) SET n.lastupdated = 20", &same(10)).await?;
    assert_eq!(world.neo4j.rows("MATCH (n:A) RETURN n.lastupdated AS tag").await?[0]["tag"], 20);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_sync_does_not_take_an_edges_tag_back() -> anyhow::Result<()> {
    // Without the node, whose lock the other transaction needs for its commit.
    let edge = story(10, "ListA").nodes("A", &[]).edges("TO", "A", "B", &[("a", "b")]);
    let world = beside("MATCH ()-[r:TO]->() SET r.lastupdated = 20", &edge).await?;
    assert_eq!(world.neo4j.rows("MATCH ()-[r:TO]->() RETURN r.lastupdated AS tag").await?[0]["tag"], 20);
    Ok(())
}

/// Another place that has just joined the elements of account 1.
const JOINED: &str = "SET it._module_scope = 'several:00000000-0000-0000-0000-000000000000' \
    CREATE (:GromaSighting {id: it._module_scope + ' 9/r/ec2', place: '9/r/ec2', kind: 'A', tag: 6})";

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_joins_while_another_joins_takes_nothing_from_it() -> anyhow::Result<()> {
    for it in ["MATCH (it:A)", "MATCH ()-[it:TO]->()"] {
        let world = beside(&format!("{it} {JOINED}"), &seen(6).account("2")).await?;
        let scope = world.neo4j.rows(&format!("{it} RETURN right(it._module_scope, 12) AS scope")).await?;
        assert_eq!(scope[0]["scope"], "000000000000", "{it}");
        let joined = "MATCH (s:GromaSighting {place: '2/r/ec2'}) WHERE s.id CONTAINS '000000000000' RETURN s";
        assert_eq!(world.neo4j.rows(joined).await?.len(), 1, "{it}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_removed_while_another_place_writes_it_is_made_again() -> anyhow::Result<()> {
    for removal in ["MATCH (n:A) DETACH DELETE n", "MATCH ()-[r:TO]->() DELETE r"] {
        let world = beside(removal, &seen(6).account("2")).await?;
        assert_eq!(world.ids("A").await?, "a", "{removal}");
        assert_eq!(world.pairs("TO").await?, "a>b", "{removal}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_syncs_see_through_two_listings_stays() -> anyhow::Result<()> {
    let world = World::new().await?;
    let first = |tag: i64, ids: &[&str]| story(tag, "ListA").nodes("A", ids).also_fed_by("A", "ListAToo");
    let second = |tag: i64, ids: &[&str]| story(tag, "ListAToo").nodes("A", ids).also_fed_by("A", "ListA");
    let writer = world.writer().await?;
    world.survey(&[first(5, &["a"]), second(5, &["a"])]).await?;
    writer.stop().await?;
    // Each writer has one batch at a time, and both wait for the node.
    let one = || Options { in_flight: 1, ..options() };
    let writers = [world.writer_with(one()).await?, world.writer_with(one()).await?];
    let transaction = holding(&world, "MATCH (n:A) SET n.name = n.name").await?;
    let (older, newer) = (first(10, &["a"]), second(20, &["a"]));
    world.publish([newer.events()[1].clone()]).await?;
    blocked(&world, 1).await?;
    world.publish([older.events()[1].clone()]).await?;
    blocked(&world, 2).await?;
    transaction.end(Ok(())).await?;
    world.settled().await?;

    let gone = first(20, &[]);
    let rest = [newer.events()[0].clone(), newer.events()[2].clone()];
    world.publish(rest.into_iter().chain(gone.events())).await?;
    world.collected(&sync(20), &[newer, gone]).await?;
    let finished = world.finished(&sync(20)).await?;
    assert_eq!((finished.nodes_removed, finished.lost.len()), (0, 0));
    assert_eq!(world.ids("A").await?, "a");
    for writer in writers {
        writer.stop().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_at_which_a_newer_sync_drew_an_edge_is_left_to_that_sync() -> anyhow::Result<()> {
    for accounts in [&["1"][..], &["1", "2"]] {
        let world = World::new().await?;
        let writer = world.writer().await?;
        let of_b = |tag: i64, ids: &[&str]| -> Vec<Story> {
            accounts.iter().map(|account| story(tag, "ListB").nodes("B", ids).account(account)).collect()
        };
        world.survey(&[vec![seen(5)], of_b(5, &["b"])].concat()).await?;
        world.publish(seen(9).events()).await?;
        world.settled().await?;
        // The older sync no longer sees the node.
        let older = world.survey(&of_b(6, &[])).await?;
        assert_eq!((older.nodes_removed, world.pairs("TO").await?), (0, "a>b".to_owned()), "{accounts:?}");
        // The newer sync does not see it either, and removes it.
        world.publish(of_b(9, &[]).iter().flat_map(Story::events)).await?;
        world.collected(&sync(9), &[vec![seen(9)], of_b(9, &[])].concat()).await?;
        let newer = world.finished(&sync(9)).await?;
        assert_eq!((newer.nodes_removed, world.ids("B").await?), (1, String::new()), "{accounts:?}");
        writer.stop().await?;
    }
    Ok(())
}
