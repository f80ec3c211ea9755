//! Constraints and indexes, in a database where others have been before.

use crate::{
    story::{story, sync},
    world::World,
};

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
    let world = World::new().await?;
    let writer = world.writer().await?;
    let a = story(5, "ListA").nodes("A", &["a"]).edges("TO", "A", "B", &[("a", "b")]);
    world.publish(a.events()).await?;
    world.settled().await?;
    assert_eq!(indexes(&world, "B").await?, r#"["id"] false"#);
    world.survey(&[story(5, "ListB").nodes("B", &["b"])]).await?;
    let expected = r#"["_module_scope","lastupdated"] false; ["id"] true; ["name"] false"#;
    assert_eq!(indexes(&world, "B").await?, expected);
    assert_eq!(indexes(&world, "A").await?, expected);
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cartography_has_filled_is_taken_as_it_is() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.neo4j.rows("CREATE INDEX FOR (n:A) ON (n.id)").await?;
    // Not unique, so that no constraint can be had.
    world.neo4j.rows("CREATE (:A {id: 'a'}), (:B {id: 'b'}), (:B {id: 'twice'}), (:B {id: 'twice'})").await?;
    let writer = world.writer().await?;
    world.survey(&[story(5, "ListA").nodes("A", &["a"]), story(5, "ListB").nodes("B", &["b"])]).await?;
    assert_eq!((world.ids("A").await?, world.ids("B").await?), ("a".into(), "b twice twice".into()));
    assert_eq!(world.parked().await?, 0);
    // What the writer has seen belongs to it from then on.
    world.survey(&[story(6, "ListA"), story(6, "ListB")]).await?;
    assert_eq!((world.ids("A").await?, world.ids("B").await?), (String::new(), "twice twice".into()));
    world.finished(&sync(6)).await?;
    writer.stop().await
}
