//! Rejected rows do not affect other rows.

use crate::{
    story::{Story, integer, story, sync, text},
    world::World,
};
use events::{
    AssetEvent, EdgeRow, FloatList, Message, NodeRow, NodeTable, Ownership, Property, StringList, Value,
    asset_event::Event, value::Kind,
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

fn table(label: &str, properties: &[(&str, bool)], rows: Vec<NodeRow>) -> NodeTable {
    let property = |(name, indexed): &(&str, bool)| Property { name: (*name).into(), indexed: *indexed };
    NodeTable {
        label: label.into(),
        ownership: Ownership::Scope.into(),
        properties: properties.iter().map(property).collect(),
        rows,
        ..NodeTable::default()
    }
}

fn row(id: &str, values: Vec<Value>) -> NodeRow {
    NodeRow { id: id.into(), values }
}

async fn count(world: &World, pattern: &str) -> anyhow::Result<i64> {
    let rows = world.neo4j.rows(&format!("MATCH {pattern} RETURN count(*) AS count")).await?;
    Ok(rows[0]["count"].as_i64().unwrap_or(-1))
}

async fn scope(world: &World, listing: &str) -> anyhow::Result<String> {
    let text = format!(
        "MATCH (s:GromaScope {{listing: '{listing}'}}) RETURN s.state AS state, s.rejected AS rejected, \
         coalesce(s.rejected_example, '') AS example, s.shortened_labels AS shortened"
    );
    let rows = world.neo4j.rows(&text).await?;
    Ok(format!("{} {} {} {}", rows[0]["state"], rows[0]["rejected"], rows[0]["example"], rows[0]["shortened"]))
}

/// Returns parked rows with their reasons.
async fn parked(world: &World) -> anyhow::Result<Vec<(AssetEvent, String)>> {
    let (mut all, mut after) = (Vec::new(), 0);
    while let Some(message) = world.bus.next_parked(after).await? {
        after = message.sequence;
        all.push((AssetEvent::decode(message.payload.clone())?, message.reason));
    }
    Ok(all)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_too_long_for_an_index_hides_nothing() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let names: Vec<String> = (0..900).map(|n| format!("role{n}")).collect();
    let long = format!("policy/statement/{}", "x".repeat(9_000));
    let roles = names.iter().map(|name| row(name, vec![text(name)])).collect();
    let mut listing = story(5, "ListA").table(table("Role", &[("name", true)], roles));
    let last = listing.last_batch();
    last.nodes.push(table("Statement", &[("name", true)], vec![row(&long, vec![text(&long)])]));
    let listing = listing.edges("STATEMENT", "Role", "Statement", &[("role7", &long)]);
    let finished = world.survey(&[listing]).await?;
    assert!(finished.lost.is_empty() && finished.targets_missing == 0, "{finished:?}");
    assert_eq!(count(&world, "(n:Role)").await?, 900);
    assert_eq!(count(&world, "(:Role {id: 'role7'})-[:STATEMENT]->(:Statement)").await?, 1);
    let rows = world.neo4j.rows("MATCH (n:Statement) RETURN n.id AS id, n.name AS name").await?;
    let id = rows[0]["id"].as_str().unwrap_or_default();
    assert!(id.starts_with("policy/statement/xxx") && id.len() < 1_100 && rows[0]["name"] == id, "{id}");
    assert_eq!(scope(&world, "ListA").await?, r#""finished" 0 "" 1"#);
    assert_eq!(world.parked().await?, 0);
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_neo4j_rejects_are_parked_alone_and_counted() -> anyhow::Result<()> {
    let world = World::without_indexes().await?;
    // A constraint of another application: of two rows that violate it together, the second one is rejected.
    world.neo4j.rows("CREATE CONSTRAINT FOR (n:A) REQUIRE n.serial IS UNIQUE").await?;
    let serial = |n: usize| if n == 70 { 30 } else { i64::try_from(n).unwrap_or_default() };
    let rows = (0..100).map(|n| row(&format!("a{n:02}"), vec![integer(serial(n))])).collect();
    let first =
        story(5, "ListA").table(table("A", &[("serial", false)], rows)).edges("TO", "A", "A", &[("a00", "a99")]);
    let other = story(5, "ListB").nodes("B", &["b"]);
    let writer = world.writer().await?;
    let finished = world.survey(&[first, other]).await?;
    // Not lost: collecting it again would change nothing.
    assert!(finished.lost.is_empty(), "{finished:?}");
    assert_eq!((count(&world, "(n:A)").await?, count(&world, "(:A)-[:TO]->(:A)").await?), (99, 1));
    assert!(scope(&world, "ListA").await?.starts_with(r#""partial" 1 "A \"a70\": Neo4j rejects a statement"#));
    let parked = parked(&world).await?;
    let [(AssetEvent { event: Some(Event::Batch(batch)), .. }, reason)] = &parked[..] else { panic!("{parked:?}") };
    assert_eq!((batch.nodes[0].rows.len(), batch.nodes[0].rows[0].id.as_str()), (1, "a70"));
    assert!(reason.contains("a70") && reason.contains("already exists"), "{reason}");
    // Labels that the listing feeds are not cleaned up.
    let rows = vec![row("a00", vec![integer(0)]), row("a70", vec![integer(30)])];
    world.survey(&[story(6, "ListA").table(table("A", &[("serial", false)], rows))]).await?;
    assert_eq!(count(&world, "(n:A)").await?, 99);
    writer.stop().await
}

/// Edges of type TO from nodes A to nodes B, each with a `serial`.
fn with_serials(tag: i64, ids: &[&str], edges: &[(&str, &str, i64)]) -> Story {
    let pairs: Vec<(&str, &str)> = edges.iter().map(|(from, to, _)| (*from, *to)).collect();
    let mut listing = story(tag, "ListA").nodes("A", ids).edges("TO", "A", "B", &pairs);
    let table = &mut listing.last_batch().edges[0];
    table.properties.push("serial".into());
    for (row, (_, _, serial)) in table.rows.iter_mut().zip(edges) {
        row.values.push(integer(*serial));
    }
    listing
}

/// The targets come later; one of them never comes, so that the batch stays held after each retry.
#[tokio::test(flavor = "multi_thread")]
async fn a_held_edge_that_neo4j_rejects_is_parked_alone_and_counted_once() -> anyhow::Result<()> {
    let world = World::without_indexes().await?;
    world.neo4j.rows("CREATE CONSTRAINT FOR ()-[r:TO]-() REQUIRE r.serial IS UNIQUE").await?;
    let writer = world.writer().await?;
    let edges = [("a", "x", 1), ("b", "y", 1), ("c", "z", 2), ("c", "nowhere", 3)];
    let first = with_serials(5, &["a", "b", "c"], &edges);
    let targets = story(5, "ListB").nodes("B", &["x", "y", "z"]);
    world.publish(first.events()).await?;
    world.settled().await?;
    assert_eq!((count(&world, "()-[:TO]->()").await?, world.parked().await?), (0, 0));
    let finished = world.survey(&[targets, first]).await?;
    assert!(finished.lost.is_empty(), "{finished:?}");
    assert_eq!((count(&world, "()-[:TO]->()").await?, finished.targets_missing), (2, 1));
    assert!(scope(&world, "ListA").await?.starts_with(r#""partial" 1 "TO from"#));
    let parked = parked(&world).await?;
    let [(AssetEvent { event: Some(Event::Batch(batch)), .. }, reason)] = &parked[..] else { panic!("{parked:?}") };
    assert_eq!((batch.nodes.len(), batch.edges[0].rows.len()), (0, 1));
    assert!(reason.contains("already exists"), "{reason}");
    writer.stop().await
}

/// One edge is rejected when it arrives, another of the same batch waits for its target.
#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_edge_does_not_hold_up_the_held_ones_of_its_batch() -> anyhow::Result<()> {
    let world = World::without_indexes().await?;
    world.neo4j.rows("CREATE CONSTRAINT FOR ()-[r:TO]-() REQUIRE r.serial IS UNIQUE").await?;
    let writer = world.writer().await?;
    world.publish(story(5, "ListB").nodes("B", &["x", "y"]).events()).await?;
    world.settled().await?;
    let first = with_serials(5, &["a"], &[("a", "x", 1), ("a", "y", 1), ("a", "z", 2)]);
    world.publish(first.events()).await?;
    world.settled().await?;
    assert_eq!((count(&world, "()-[:TO]->()").await?, world.parked().await?), (1, 1));
    let late = story(5, "ListBToo").nodes("B", &["z"]);
    let last = [first, late, story(5, "ListB").nodes("B", &["x", "y"])];
    let finished = world.survey(&last).await?;
    assert!(finished.lost.is_empty(), "{finished:?}");
    assert_eq!((count(&world, "()-[:TO]->()").await?, finished.targets_missing), (2, 0));
    assert!(scope(&world, "ListA").await?.starts_with(r#""partial" 1"#));
    assert_eq!(world.parked().await?, 1);
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_row_that_is_sent_back_is_written() -> anyhow::Result<()> {
    let world = World::without_indexes().await?;
    world.neo4j.rows("CREATE CONSTRAINT serial FOR (n:A) REQUIRE n.serial IS UNIQUE").await?;
    let rows = vec![row("a", vec![integer(1)]), row("b", vec![integer(1)])];
    let writer = world.writer().await?;
    world.survey(&[story(5, "ListA").table(table("A", &[("serial", false)], rows))]).await?;
    assert_eq!((world.ids("A").await?, world.parked().await?), ("a".into(), 1));
    world.neo4j.rows("DROP CONSTRAINT serial").await?;
    let parked = world.bus.next_parked(0).await?.expect("a row");
    world.bus.send_back(&parked).await?;
    world.settled().await?;
    assert_eq!((world.ids("A").await?, world.parked().await?), ("a b".into(), 0));
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_does_not_fit_its_table_costs_only_itself() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let rows =
        vec![row("a", vec![integer(1)]), row("", vec![integer(1)]), row("b", vec![]), row("c", vec![integer(1)])];
    let mut listing =
        story(5, "ListA").table(table("A", &[("size", false)], rows)).edges("TO", "A", "A", &[("a", "c")]);
    let odd = EdgeRow { source_id: "a".into(), target_value: "c".into(), values: vec![integer(1)] };
    listing.last_batch().edges[0].rows.push(odd);
    let finished = world.survey(&[listing]).await?;
    assert!(finished.lost.is_empty(), "{finished:?}");
    assert_eq!((world.ids("A").await?, world.pairs("TO").await?), ("a c".into(), "a>c".into()));
    assert!(scope(&world, "ListA").await?.starts_with(r#""partial" 3"#));
    assert_eq!(parked(&world).await?.len(), 3);
    writer.stop().await
}

/// Any value that an event may carry.
fn values() -> impl Strategy<Value = Value> {
    let texts = prop_oneof!["\\PC{0,40}", ".{0,20}", "[\\x00-\\x1f]{0,8}", Just("\u{fffd}\u{10ffff}".to_owned())];
    let long = (1..200_000usize).prop_map(|size| "y".repeat(size));
    let floats = || prop_oneof![any::<f64>(), Just(f64::NAN), Just(f64::INFINITY), Just(-0.0)];
    let kind = prop_oneof![
        4 => texts.clone().prop_map(Kind::String),
        1 => long.prop_map(Kind::String),
        1 => any::<i64>().prop_map(Kind::Integer),
        2 => floats().prop_map(Kind::Float),
        1 => any::<bool>().prop_map(Kind::Boolean),
        2 => any::<i64>().prop_map(Kind::TimeMicros),
        2 => proptest::collection::vec(texts, 0..2_000).prop_map(|items| Kind::Strings(StringList { items })),
        2 => proptest::collection::vec(floats(), 0..2_000).prop_map(|items| Kind::Floats(FloatList { items })),
    ];
    proptest::option::of(kind).prop_map(|kind| Value { kind })
}

fn ids() -> impl Strategy<Value = String> {
    let long = (7_990..9_000usize).prop_map(|size| "z".repeat(size));
    let wide = (2_600..2_800usize).prop_map(|size| "€".repeat(size));
    prop_oneof![8 => "\\PC{1,30}", 2 => "[\\x00-\\x7f]{1,20}", 1 => long, 1 => wide]
}

#[tokio::test(flavor = "multi_thread")]
async fn neo4j_takes_every_value_that_an_event_may_carry() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let mut runner = TestRunner::deterministic();
    for tag in 5..9 {
        let all = proptest::collection::btree_map(ids(), (values(), ids(), values()), 20..60);
        let all = all.new_tree(&mut runner).expect("values").current();
        let name = |text: &str| Value { kind: Some(Kind::String(text.to_owned())) };
        let rows: Vec<NodeRow> =
            all.iter().map(|(id, (a, n, b))| row(id, vec![a.clone(), name(n), b.clone()])).collect();
        let expected = i64::try_from(rows.len())?;
        let properties = [("a", false), ("n", true), ("b", false)];
        let pairs: Vec<(&str, &str)> = all.keys().map(|id| (id.as_str(), id.as_str())).collect();
        let small = |rows: &[NodeRow]| rows.iter().map(Message::encoded_len).sum::<usize>() < 700_000;
        if !small(&rows) {
            continue;
        }
        let listing = story(tag, "ListA").table(table("A", &properties, rows)).edges("SELF", "A", "A", &pairs);
        let finished = world.survey(&[listing]).await?;
        assert!(finished.lost.is_empty() && finished.targets_missing == 0, "{finished:?}");
        assert!(scope(&world, "ListA").await?.starts_with(r#""finished" 0"#));
        assert_eq!(count(&world, &format!("(n:A {{lastupdated: {tag}}})-[:SELF]->(n)")).await?, expected);
        assert_eq!(count(&world, "(n:A)").await?, expected, "sync {tag}: nodes of an earlier one are left");
        assert_eq!(world.parked().await?, 0);
    }
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_indexed_list_that_is_too_long_costs_only_its_row() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let list = |size: usize| Value { kind: Some(Kind::Strings(StringList { items: vec!["x".repeat(100); size] })) };
    let rows = vec![row("a", vec![list(2)]), row("b", vec![list(500)]), row("c", vec![list(1)])];
    let finished = world.survey(&[story(5, "ListA").table(table("A", &[("names", true)], rows))]).await?;
    assert!(finished.lost.is_empty(), "{finished:?}");
    assert_eq!((world.ids("A").await?, world.parked().await?), ("a c".into(), 1));
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_in_pieces_that_comes_again_is_counted_once() -> anyhow::Result<()> {
    let world = World::without_indexes().await?;
    world.neo4j.rows("CREATE CONSTRAINT FOR (n:A) REQUIRE n.serial IS UNIQUE").await?;
    let writer = world.writer().await?;
    let rows = vec![row("a", vec![integer(1)]), row("b", vec![integer(1)]), row("c", vec![integer(2)])];
    let listing: Story = story(5, "ListA").table(table("A", &[("serial", false)], rows));
    world.publish_again(&listing.events(), "first").await?;
    world.settled().await?;
    world.publish_again(&listing.events(), "second").await?;
    world.collected(&sync(5), &[listing]).await?;
    world.finished(&sync(5)).await?;
    assert!(scope(&world, "ListA").await?.starts_with(r#""partial" 1"#));
    assert_eq!(world.ids("A").await?, "a c");
    writer.stop().await
}
