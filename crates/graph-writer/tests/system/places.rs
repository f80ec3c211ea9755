//! Elements that several places see: their owner, their removal, and their properties.

use crate::{
    overlap::{blocked, holding},
    story::{Story, integer, shared, story, sync, text},
    world::World,
};
use events::{AssetEvent, Direction, EdgeTable, Message, NodeRow, NodeTable, Ownership, Property, asset_event::Event};
use graph::GraphStore;
use graph_writer::{
    admit::admit,
    apply::{Item, apply},
    schema::Schema,
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use std::collections::BTreeMap;

/// Rows of an account: a node, and an edge to another.
fn seen(tag: i64, account: &str) -> Story {
    story(tag, "ListA").account(account).nodes("A", &["a"]).edges("TO", "A", "B", &[("a", "b")])
}

/// Writes events in one transaction.
async fn write(store: &GraphStore, events: &[AssetEvent]) -> anyhow::Result<()> {
    let item = |(sequence, event): (u64, &AssetEvent)| {
        Ok(Item { sequence, event: admit(&event.encode_to_vec()).map_err(anyhow::Error::msg)? })
    };
    let items = (1..).zip(events).map(item).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(apply(store, &Schema::default(), &items).await.map(drop)?)
}

/// Places and tags of the sightings of a kind, sorted.
async fn sightings(world: &World, kind: &str) -> anyhow::Result<String> {
    let text = format!("MATCH (s:GromaSighting {{kind: '{kind}'}}) RETURN s.place + ' ' + s.tag AS seen ORDER BY seen");
    let rows = world.neo4j.rows(&text).await?;
    Ok(rows.iter().map(|row| row["seen"].as_str().unwrap_or("?")).collect::<Vec<_>>().join(", "))
}

#[tokio::test(flavor = "multi_thread")]
async fn places_that_come_in_one_transaction_all_have_a_sighting() -> anyhow::Result<()> {
    let world = World::new().await?;
    let seen = |region: &str| {
        story(5, "ListA").region(region).nodes("A", &["a", "b"]).edges("TO", "A", "A", &[("a", "b"), ("a", "b")])
    };
    let events: Vec<_> = [seen("r"), seen("q"), seen("p")].iter().flat_map(Story::events).collect();
    write(&world.store().await?, &events).await?;
    assert_eq!(sightings(&world, "TO A>A").await?, "1/p/ec2 5, 1/q/ec2 5, 1/r/ec2 5");
    let node = "1/p/ec2 5, 1/p/ec2 5, 1/q/ec2 5, 1/q/ec2 5, 1/r/ec2 5, 1/r/ec2 5";
    assert_eq!(sightings(&world, "A").await?, node);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_seen_from_three_places_goes_with_the_last_of_them() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let without = |tag: i64, account: &str| story(tag, "ListA").account(account).nodes("A", &["a"]);
    let b = story(5, "ListB").nodes("B", &["b"]);
    world.survey(&[b, seen(5, "1"), seen(5, "2"), seen(5, "3")]).await?;
    world.survey(&[without(6, "1"), seen(6, "2"), seen(6, "3")]).await?;
    assert_eq!(sightings(&world, "TO A>B").await?, "2/r/ec2 6, 3/r/ec2 6");
    world.survey(&[without(7, "2")]).await?;
    assert_eq!(world.pairs("TO").await?, "a>b");
    let finished = world.survey(&[without(8, "3")]).await?;
    assert_eq!((world.pairs("TO").await?, finished.edges_removed), (String::new(), 1));
    assert_eq!(sightings(&world, "TO A>B").await?, "");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_sees_a_node_again_does_not_wait_for_its_lock() -> anyhow::Result<()> {
    let world = World::new().await?;
    let store = world.store().await?;
    write(&store, &story(5, "ListB").nodes("B", &["b"]).events()).await?;
    for (tag, account) in [(5, "1"), (5, "2"), (6, "1")] {
        write(&store, &seen(tag, account).events()).await?;
    }
    let lock = "MATCH (n:A)-[r:TO]->() SET n._module_scope = n._module_scope, r._module_scope = r._module_scope";
    let transaction = holding(&world, lock).await?;
    write(&store, &seen(6, "2").events()).await?;
    transaction.end(Ok(())).await?;
    assert_eq!(sightings(&world, "A").await?, "1/r/ec2 6, 2/r/ec2 6");
    assert_eq!(sightings(&world, "TO A>B").await?, "1/r/ec2 6, 2/r/ec2 6");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_another_place_sees_while_it_is_removed_stays() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    world.survey(&[seen(5, "1"), seen(5, "2")]).await?;
    let third = "MATCH (n:A) SET n._module_scope = n._module_scope \
        CREATE (:GromaSighting {id: n._module_scope + ' 3/r/ec2', place: '3/r/ec2', kind: 'A', tag: 6})";
    let transaction = holding(&world, third).await?;
    let gone = [story(6, "ListA"), story(6, "ListA").account("2")];
    world.publish(gone.iter().flat_map(Story::events)).await?;
    world.collected(&sync(6), &gone).await?;
    blocked(&world, 1).await?;
    transaction.end(Ok(())).await?;
    assert_eq!(world.finished(&sync(6)).await?.nodes_removed, 0);
    assert_eq!(sightings(&world, "A").await?, "3/r/ec2 6");
    assert_eq!(world.ids("A").await?, "a");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_node_that_a_place_owns_goes_with_that_place() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    world.survey(&[story(5, "ListA").nodes("A", &["own"])]).await?;
    // Left by a table that no longer declares its nodes shared.
    world.neo4j.rows("CREATE (:A {id: 'a', _module_scope: 'shared', lastupdated: 5})").await?;
    world.survey(&[story(6, "ListA").nodes("A", &["a", "own"])]).await?;
    let finished = world.survey(&[story(7, "ListA").nodes("A", &["own"])]).await?;
    assert_eq!((world.ids("A").await?, finished.nodes_removed), ("own".to_owned(), 1));
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_node_becomes_shared_again_when_its_places_no_longer_see_it() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let shared = shared("A", "a");
    world.survey(&[seen(5, "1"), seen(5, "2"), story(5, "ListB").table(shared)]).await?;
    let scope = "MATCH (n:A) RETURN split(n._module_scope, ':')[0] AS scope";
    assert_eq!(world.neo4j.rows(scope).await?[0]["scope"], "several");
    let gone = [story(6, "ListA"), story(6, "ListA").account("2"), story(6, "ListB")];
    let finished = world.survey(&gone).await?;
    assert_eq!((world.neo4j.rows(scope).await?[0]["scope"].as_str(), finished.nodes_removed), (Some("shared"), 0));
    writer.stop().await
}

/// Converts the graph to the form of an older version: places in lists, and their kinds recorded.
const OLDER_VERSION: &str = "MATCH (s:GromaSighting) MATCH (n) WHERE n._module_scope = left(s.id, 44) \
    WITH n, collect(s.place + ' ' + s.tag) AS places, collect(s) AS sightings \
    SET n._module_scope = 'several', n._module_places = places MERGE (:GromaSeveral {id: n._module_label}) \
    FOREACH (s IN sightings | DELETE s)";

#[tokio::test(flavor = "multi_thread")]
async fn places_that_an_older_version_kept_in_a_list_are_not_lost() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let see = |tag: i64, account: &str, ids: &[&str]| story(tag, "ListA").account(account).nodes("A", ids);
    world.survey(&[see(5, "1", &["a", "b"]), see(5, "2", &["a", "b"])]).await?;
    world.neo4j.rows(OLDER_VERSION).await?;
    // One is seen again, the other is not: account 2 still has both.
    world.survey(&[see(6, "1", &["a"])]).await?;
    assert_eq!(world.ids("A").await?, "a b");
    assert_eq!(sightings(&world, "A").await?, "1/r/ec2 6, 2/r/ec2 5, 2/r/ec2 5");
    let left = "MATCH (n) WHERE n:GromaSeveral OR n._module_places IS NOT NULL RETURN n";
    assert_eq!(world.neo4j.rows(left).await?.len(), 0);
    world.survey(&[see(7, "2", &[])]).await?;
    assert_eq!(world.ids("A").await?, "a");
    writer.stop().await
}

/// Returns one account's listing in one sync, as events of one transaction. Node and edge carry the account and the
/// sync.
fn word(case: usize, tag: i64, account: usize) -> Vec<AssetEvent> {
    let id = format!("n{case}");
    let said = text(&format!("{account} in {tag}"));
    let named = || vec![Property { name: "said".into(), indexed: false }];
    let table = NodeTable {
        label: "A".into(),
        ownership: Ownership::Scope.into(),
        properties: named(),
        rows: vec![NodeRow { id: id.clone(), values: vec![said.clone()] }],
        ..NodeTable::default()
    };
    let row = events::EdgeRow { source_id: id.clone(), target_value: id, values: vec![said, integer(tag)] };
    let edges = EdgeTable {
        r#type: "TO".into(),
        source_label: "A".into(),
        direction: Direction::Out.into(),
        target_label: "A".into(),
        target_key: "id".into(),
        properties: vec!["said".into(), "tag".into()],
        rows: vec![row],
    };
    let told = story(tag, "ListA").account(&format!("{case}x{account}")).table(table);
    let mut events = told.events();
    if let Some(Event::Batch(batch)) = events[1].event.as_mut() {
        batch.edges.push(edges);
    }
    events
}

/// Listings of two syncs and two accounts in any order, some omitted, some repeated.
fn orders() -> impl Strategy<Value = Vec<(i64, usize)>> {
    prop::collection::vec((5..7_i64, 1..3_usize), 1..8)
}

#[tokio::test(flavor = "multi_thread")]
async fn any_order_of_two_accounts_repeats_and_older_syncs_gives_the_same_node_and_edge() -> anyhow::Result<()> {
    let world = World::new().await?;
    let store = world.store().await?;
    let mut runner = TestRunner::new(Config::default());
    let mut expected = BTreeMap::new();
    for case in 0..60 {
        let order = orders().new_tree(&mut runner).map_err(|error| anyhow::anyhow!("{error}"))?.current();
        for (tag, account) in &order {
            write(&store, &word(case, *tag, *account)).await?;
        }
        let newest = order.iter().map(|(tag, _)| *tag).max().unwrap_or_default();
        let first = order.iter().filter(|(tag, _)| *tag == newest).map(|(_, account)| *account).min();
        let said = format!("{} in {newest}", first.unwrap_or_default());
        expected.insert(format!("n{case}"), (said, newest, order));
    }
    let text = "MATCH (n:A)-[r:TO]->(n) RETURN n.id AS id, n.said AS said, r.said AS edge, n.lastupdated AS tag, \
        r.lastupdated AS edge_tag, r.tag AS number";
    let rows = world.neo4j.rows(text).await?;
    assert_eq!(rows.len(), expected.len());
    for row in rows {
        let (said, newest, order) = &expected[row["id"].as_str().unwrap_or_default()];
        let words = [row["said"].as_str(), row["edge"].as_str()];
        assert_eq!(words, [Some(said.as_str()); 2], "{order:?}");
        let tags = [row["tag"].as_i64(), row["edge_tag"].as_i64(), row["number"].as_i64()];
        assert_eq!(tags, [Some(*newest); 3], "{order:?}");
    }
    Ok(())
}
