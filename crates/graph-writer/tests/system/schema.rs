//! Constraints and indexes, in a database that other applications have used.

use crate::{
    story::{Story, story, sync},
    world::{World, options},
};
use events::{NodeRow, NodeTable, Ownership};
use graph::GraphError;
use graph_writer::{
    Options,
    schema::{Need, Schema},
};
use std::time::Duration;

async fn indexes(world: &World, label: &str) -> anyhow::Result<String> {
    let text = format!(
        "SHOW INDEXES YIELD labelsOrTypes, properties, owningConstraint WHERE labelsOrTypes = ['{label}'] \
         RETURN properties, owningConstraint IS NOT NULL AS unique ORDER BY properties"
    );
    let rows = world.neo4j.rows(&text).await?;
    Ok(rows.iter().map(|row| format!("{} {}", row["properties"], row["unique"])).collect::<Vec<_>>().join("; "))
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_unique_even_if_an_edge_came_before_its_target() -> anyhow::Result<()> {
    let world = World::without_indexes().await?;
    let writer = world.writer().await?;
    let a = story(5, "ListA").nodes("A", &["a"]).edges("TO", "A", "B", &[("a", "b")]);
    world.publish(a.events()).await?;
    world.settled().await?;
    assert_eq!(indexes(&world, "B").await?, r#"["id"] false"#);
    world.survey(&[story(5, "ListB").nodes("B", &["b"])]).await?;
    let expected = r#"["_module_scope"] false; ["id"] true; ["name"] false"#;
    assert_eq!(indexes(&world, "B").await?, expected);
    assert_eq!(indexes(&world, "A").await?, expected);
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cartography_has_filled_is_taken_as_it_is() -> anyhow::Result<()> {
    let world = World::without_indexes().await?;
    world.neo4j.rows("CREATE INDEX FOR (n:A) ON (n.id)").await?;
    // Not unique, so that no constraint is possible.
    world.neo4j.rows("CREATE (:A {id: 'a'}), (:B {id: 'b'}), (:B {id: 'twice'}), (:B {id: 'twice'})").await?;
    let writer = world.writer().await?;
    world.survey(&[story(5, "ListA").nodes("A", &["a"]), story(5, "ListB").nodes("B", &["b"])]).await?;
    assert_eq!((world.ids("A").await?, world.ids("B").await?), ("a".into(), "b twice twice".into()));
    assert_eq!(world.parked().await?, 0);
    // Nodes that the writer has seen belong to it from then on.
    world.survey(&[story(6, "ListA"), story(6, "ListB")]).await?;
    assert_eq!((world.ids("A").await?, world.ids("B").await?), (String::new(), "twice twice".into()));
    world.finished(&sync(6)).await?;
    writer.stop().await
}

/// Twenty accounts that see 60 of 200 service principals each.
fn principals(tag: i64) -> Vec<Story> {
    let names: Vec<String> = (0..200).map(|n| format!("service{n}.amazonaws.com")).collect();
    let of = |account: usize| (0..60).map(move |n| (account * 31 + n * 7) % 200);
    let table = |account: usize| NodeTable {
        label: "AWSServicePrincipal".into(),
        ownership: Ownership::Shared.into(),
        rows: of(account).map(|n| NodeRow { id: names[n].clone(), values: Vec::new() }).collect(),
        ..NodeTable::default()
    };
    (0..20).map(|account| story(tag, "ListRoles").table(table(account)).account(&account.to_string())).collect()
}

async fn twice(world: &World) -> anyhow::Result<(i64, i64)> {
    let text = "MATCH (n:AWSServicePrincipal) WITH n.id AS id, count(*) AS nodes \
        RETURN sum(nodes) AS nodes, sum(CASE WHEN nodes > 1 THEN 1 ELSE 0 END) AS twice";
    let rows = world.neo4j.rows(text).await?;
    Ok((rows[0]["nodes"].as_i64().unwrap_or(-1), rows[0]["twice"].as_i64().unwrap_or(-1)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_index_of_cartography_makes_no_duplicates() -> anyhow::Result<()> {
    let world = World::without_indexes().await?;
    world.neo4j.rows("CREATE INDEX FOR (n:AWSServicePrincipal) ON (n.id)").await?;
    let stories = principals(5);
    world.publish(stories.iter().flat_map(Story::events)).await?;
    let writer = world.writer_with(Options { lanes: 4, ..options() }).await?;
    world.settled().await?;
    assert_eq!(twice(&world).await?, (200, 0));
    assert_eq!(indexes(&world, "AWSServicePrincipal").await?, r#"["_module_scope"] false; ["id"] true"#);
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn where_ids_are_not_unique_no_more_duplicates_arise_and_none_is_removed() -> anyhow::Result<()> {
    let world = World::without_indexes().await?;
    world.neo4j.rows("CREATE INDEX FOR (n:AWSServicePrincipal) ON (n.id)").await?;
    let theirs = "UNWIND range(1, 2) AS n CREATE (:AWSServicePrincipal {id: 'service7.amazonaws.com', theirs: n})";
    world.neo4j.rows(theirs).await?;
    let stories = principals(5);
    world.publish(stories.iter().flat_map(Story::events)).await?;
    let writer = world.writer_with(Options { lanes: 4, ..options() }).await?;
    world.settled().await?;
    assert_eq!(twice(&world).await?, (201, 1));
    let kept = world.neo4j.rows("MATCH (n:AWSServicePrincipal) WHERE n.theirs > 0 RETURN n.theirs AS n").await?;
    assert_eq!(kept.len(), 2);
    assert_eq!(world.parked().await?, 0);
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_drops_while_the_writer_runs_is_made_again() -> anyhow::Result<()> {
    let world = World::without_indexes().await?;
    let store = world.store().await?;
    let schema = Schema::looking_every(Duration::ZERO);
    let needs = || [Need::Unique("A".into()), Need::Index("A".into(), vec!["name".into()])];
    schema.ensure(&store, needs()).await?;
    let before = indexes(&world, "A").await?;
    for row in world.neo4j.rows("SHOW CONSTRAINTS YIELD name").await? {
        world.neo4j.rows(&format!("DROP CONSTRAINT `{}`", row["name"].as_str().unwrap_or_default())).await?;
    }
    for row in world.neo4j.rows("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name").await? {
        world.neo4j.rows(&format!("DROP INDEX `{}` IF EXISTS", row["name"].as_str().unwrap_or_default())).await?;
    }
    // Needed for another label.
    schema.ensure(&store, [Need::Unique("B".into())]).await?;
    assert_eq!(indexes(&world, "A").await?, before);
    assert_eq!(indexes(&world, "GromaScope").await?.matches("true").count(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_is_complete_is_not_touched() -> anyhow::Result<()> {
    let world = World::without_indexes().await?;
    let store = world.store().await?;
    let needs = || [Need::Unique("A".into()), Need::Index("B".into(), vec!["id".into()])];
    Schema::default().ensure(&store, needs()).await?;
    let names = async || world.neo4j.rows("SHOW INDEXES YIELD id, name ORDER BY id").await;
    let before = names().await?;
    Schema::default().ensure(&store, needs()).await?;
    assert_eq!(names().await?, before);
    Ok(())
}

/// Leaves the index of an interrupted constraint creation, named after this prefix and the returned label. Neo4j
/// usually removes it, or leaves two of one name, of which only one can be dropped; so this tries one label after
/// another.
async fn cut_off(world: &World, prefix: &str) -> anyhow::Result<String> {
    for attempt in 0..1_000 {
        // A new name: an index that cannot be dropped stays until Neo4j ends.
        let label = format!("Cut{:08x}", rand::random::<u32>());
        let name = format!("{prefix}{label}");
        let text = format!("CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{label}) REQUIRE n.id IS UNIQUE");
        let [cut, other] = [world.store().await?, world.store().await?].map(|store| {
            let query = neo4rs::query(&text);
            tokio::spawn(async move { store.rows(query).await.map(drop) })
        });
        tokio::time::sleep(Duration::from_micros(1_000 + attempt * 977 % 40_000)).await;
        for task in [cut, other] {
            task.abort();
            task.await.ok();
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        let there =
            format!("SHOW INDEXES YIELD name, owningConstraint WHERE name = '{name}' RETURN owningConstraint AS of");
        let left = world.neo4j.rows(&there).await?;
        if left.len() == 1 && left[0]["of"].is_null() {
            return Ok(label);
        }
    }
    anyhow::bail!("Neo4j leaves nothing behind")
}

/// Creates two nodes that violate the constraint. From then on Neo4j cannot list its indexes.
async fn violate(world: &World, label: &str) -> anyhow::Result<()> {
    world.neo4j.rows(&format!("UNWIND [1, 1] AS id CREATE (:{label} {{id: id}})")).await?;
    anyhow::ensure!(world.neo4j.rows("SHOW INDEXES YIELD name").await.is_err(), "it can list them");
    world.neo4j.rows(&format!("MATCH (n:{label}) DELETE n")).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_writer_leaves_of_a_constraint_stands_in_no_ones_way() -> anyhow::Result<()> {
    let world = World::without_indexes().await?;
    let store = world.store().await?;
    world.neo4j.rows("CREATE INDEX groma_feeds_id FOR (f:GromaFeeds) ON (f.id)").await?;
    let label = cut_off(&world, "groma_unique_").await?;
    violate(&world, &label).await?;
    // Less than the minute for which the schema waits for an index.
    let ensure = async || {
        let schema = Schema::default();
        schema.ensure(&store, [Need::Unique("B".into())]).await?;
        schema.ensure(&store, [Need::Unique(label.clone())]).await
    };
    tokio::time::timeout(Duration::from_secs(30), ensure()).await??;
    for label in ["B", "GromaFeeds", &label] {
        assert!(indexes(&world, label).await?.contains(r#"["id"] true"#), "{label}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_never_populated_is_not_waited_for() -> anyhow::Result<()> {
    let world = World::without_indexes().await?;
    cut_off(&world, "groma_unique_").await?;
    let store = world.store().await?;
    let schema = Schema::default();
    let ensure = schema.ensure(&store, [Need::Unique("B".into())]);
    tokio::time::timeout(Duration::from_secs(30), ensure).await??;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn someone_elses_half_made_constraint_parks_nothing() -> anyhow::Result<()> {
    let world = World::without_indexes().await?;
    let label = cut_off(&world, "theirs_").await?;
    violate(&world, &label).await?;
    let schema = Schema::default();
    let store = world.store().await?;
    let error = schema.ensure(&store, [Need::Unique("A".into())]).await.expect_err("Neo4j cannot list its indexes");
    assert!(matches!(error, GraphError::Unavailable { .. }), "{error:?}");
    world.neo4j.rows(&format!("DROP INDEX theirs_{label}")).await?;
    schema.ensure(&store, [Need::Unique("A".into())]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn indexes_of_others_are_theirs_to_drop() -> anyhow::Result<()> {
    let world = World::without_indexes().await?;
    let store = world.store().await?;
    let schema = Schema::looking_every(Duration::ZERO);
    world.neo4j.rows("CREATE INDEX theirs FOR (n:Theirs) ON (n.id)").await?;
    schema.ensure(&store, [Need::Unique("A".into())]).await?;
    world.neo4j.rows("DROP INDEX theirs").await?;
    schema.ensure(&store, [Need::Unique("B".into())]).await?;
    assert_eq!(indexes(&world, "Theirs").await?, "");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn indexes_of_an_earlier_version_are_replaced_once() -> anyhow::Result<()> {
    let world = World::without_indexes().await?;
    let old = ["FOR (n:A) ON (n._module_scope, n.lastupdated)", "FOR ()-[r:TO]-() ON (r._module_scope, r.lastupdated)"];
    for index in old {
        world.neo4j.rows(&format!("CREATE INDEX {index}")).await?;
    }
    // An index of another application.
    world.neo4j.rows("CREATE INDEX FOR (n:A) ON (n.lastupdated)").await?;
    let store = world.store().await?;
    Schema::default().ensure(&store, []).await?;
    assert_eq!(indexes(&world, "A").await?, r#"["_module_scope"] false; ["lastupdated"] false"#);
    assert_eq!(indexes(&world, "TO").await?, r#"["_module_scope"] false"#);
    // A writer of an older version creates it again; a running writer does not drop it immediately.
    let schema = Schema::looking_every(Duration::ZERO);
    schema.ensure(&store, []).await?;
    world.neo4j.rows(&format!("CREATE INDEX {}", old[0])).await?;
    schema.ensure(&store, []).await?;
    assert_eq!(indexes(&world, "A").await?.matches("_module_scope").count(), 2);
    Schema::default().ensure(&store, []).await?;
    assert_eq!(indexes(&world, "A").await?.matches("_module_scope").count(), 1);
    Ok(())
}
