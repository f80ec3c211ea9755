//! Nodes: labels, properties, tags, and owners.

use crate::{
    story::{integer, shared, story, text},
    world::World,
};
use events::{NodeRow, NodeTable, Ownership, Property, StringList, Value, value::Kind};
use expect_test::expect;

fn value(kind: Kind) -> Value {
    Value { kind: Some(kind) }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_value_is_stored_and_a_null_removes() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let property = |name: &str| Property { name: name.to_owned(), indexed: name == "name" };
    let table = |values: Vec<Value>, extra: &[&str], absent: &[&str]| NodeTable {
        label: "A".into(),
        extra_labels: extra.iter().map(ToString::to_string).collect(),
        absent_labels: absent.iter().map(ToString::to_string).collect(),
        ownership: Ownership::Scope.into(),
        properties: ["name", "count", "share", "open", "since", "tags"].map(property).to_vec(),
        rows: vec![NodeRow { id: "a".into(), values }],
        ..NodeTable::default()
    };
    let full = vec![
        text("ünïcode `'\""),
        integer(7),
        value(Kind::Float(0.5)),
        value(Kind::Boolean(true)),
        value(Kind::TimeMicros(1_700_000_000_123_000)),
        value(Kind::Strings(StringList { items: vec!["x".into(), "y".into()] })),
    ];
    world.survey(&[story(5, "ListA").table(table(full, &["Thing", "Old"], &[]))]).await?;
    let query = "MATCH (n:A) UNWIND labels(n) AS label WITH n, label ORDER BY label RETURN collect(label) AS labels, n {.*, firstseen: n.firstseen > 1700000000000} AS props";
    expect![[r#"
        {
          "labels": [
            "A",
            "Old",
            "Thing"
          ],
          "props": {
            "_module_hash_ListA": 2352074434596016611,
            "_module_label": "A",
            "_module_name": "groma",
            "_module_scope": "1/r/ec2",
            "count": 7,
            "firstseen": true,
            "id": "a",
            "lastupdated": 5,
            "name": "ünïcode `'\"",
            "open": true,
            "share": 0.5,
            "since": "2023-11-14T22:13:20.123+00:00",
            "tags": [
              "x",
              "y"
            ]
          }
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&world.neo4j.rows(query).await?[0])?);

    let empty =
        vec![text("b"), Value::default(), Value::default(), Value::default(), Value::default(), Value::default()];
    world.survey(&[story(6, "ListA").table(table(empty, &["Thing"], &["Old"]))]).await?;
    expect![[r#"{"keys":["_module_hash_ListA","_module_label","_module_name","_module_scope","firstseen","id","lastupdated","name"],"labels":["A","Thing"]}"#]]
        .assert_eq(&world.neo4j.rows("MATCH (n:A) UNWIND keys(n) AS key WITH n, key ORDER BY key RETURN labels(n) AS labels, collect(key) AS keys").await?[0].to_string());
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_changed_gets_a_new_tag_and_nothing_else() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let table = |name: &str| NodeTable {
        label: "A".into(),
        ownership: Ownership::Scope.into(),
        properties: vec![Property { name: "name".into(), indexed: false }],
        rows: ["a", "b"]
            .map(|id| NodeRow { id: id.into(), values: vec![text(if id == "a" { "same" } else { name })] })
            .into(),
        ..NodeTable::default()
    };
    world.survey(&[story(5, "ListA").table(table("old"))]).await?;
    // A mark that only a rewrite of the properties would remove.
    world.neo4j.rows("MATCH (n:A) SET n.name = n.name + '!'").await?;
    world.survey(&[story(6, "ListA").table(table("new"))]).await?;
    let rows =
        world.neo4j.rows("MATCH (n:A) RETURN n.id AS id, n.name AS name, n.lastupdated AS tag ORDER BY id").await?;
    expect![[r#"[{"id":"a","name":"same!","tag":6},{"id":"b","name":"new","tag":6}]"#]]
        .assert_eq(&serde_json::to_string(&rows)?);
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_sync_changes_nothing_that_a_newer_one_wrote() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    world.survey(&[story(20, "ListA").nodes("A", &["a"])]).await?;
    let before = world.dump().await?;
    // The same scope, and another scope that sees the same node.
    world.publish(story(10, "ListA").nodes("A", &["a", "gone"]).events()).await?;
    world.publish(story(10, "ListAToo").nodes("A", &["a"]).events()).await?;
    world.settled().await?;
    assert_eq!(world.dump().await?, before);
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn shared_nodes_are_nobodys_and_stay() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let shared = |label| shared(label, "s");
    // Owned first, then known to be shared; and the other way round.
    world.survey(&[story(5, "ListA").nodes("A", &["s", "own"]), story(5, "ListB").table(shared("A"))]).await?;
    world.survey(&[story(6, "ListB"), story(6, "ListA")]).await?;
    assert_eq!(world.ids("A").await?, "s");
    world.survey(&[story(7, "ListB").table(shared("A")), story(7, "ListA").nodes("A", &["s"])]).await?;
    world.survey(&[story(8, "ListB"), story(8, "ListA")]).await?;
    assert_eq!(world.ids("A").await?, "s");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_seen_from_two_places_is_inherited_and_removed_when_neither_sees_it() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let here = |tag: i64, ids: &[&str]| story(tag, "ListA").nodes("A", ids);
    let there = |tag: i64, ids: &[&str]| story(tag, "ListA").account("2").nodes("A", ids);
    world.survey(&[here(5, &["a", "b"]), there(5, &["a", "c"])]).await?;

    // Only the owner is surveyed, and no longer sees it: the other inherits.
    world.survey(&[here(6, &["b"])]).await?;
    assert_eq!(world.ids("A").await?, "a b c");
    // The heir does not see it either.
    world.survey(&[there(7, &["c"])]).await?;
    assert_eq!(world.ids("A").await?, "b c");

    // Both see it at the same time.
    world.survey(&[here(8, &["b", "d"]), there(8, &["c", "d"])]).await?;
    world.survey(&[here(9, &["b"]), there(9, &["c", "d"])]).await?;
    assert_eq!(world.ids("A").await?, "b c d");
    world.survey(&[here(10, &["b"]), there(10, &["c"])]).await?;
    assert_eq!(world.ids("A").await?, "b c");
    writer.stop().await
}
