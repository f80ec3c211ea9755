//! Forgetting places, and old elements of Cartography.

use crate::{
    story::{Story, shared, story},
    world::World,
};
use events::{NodeRow, NodeTable, Ownership};
use graph_writer::{
    forget::{self, Place, Removed},
    ghosts::{self, Ghosts},
};

/// A listing of a place: a node of this place alone, a node common to all places, and an edge between them.
fn at(tag: i64, account: &str, own: &str) -> Story {
    let listing = story(tag, "ListA").account(account).nodes("A", &[own, "common"]);
    listing.edges("TO", "A", "A", &[(own, "common")])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_place_leaves_what_others_see_and_nothing_else() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    world.survey(&[at(5, "1", "a"), at(5, "2", "b"), at(5, "3", "c")]).await?;
    world.survey(&[at(6, "2", "b")]).await?;
    let store = world.store().await?;
    let places = forget::places(&store).await?;
    let names: Vec<_> = places.iter().map(|place| (&*place.name, place.last_seen)).collect();
    assert_eq!(names, [("1/r/ec2", 5), ("2/r/ec2", 6), ("3/r/ec2", 5)]);
    let chosen: Vec<Place> = places.into_iter().filter(|place| place.name != "2/r/ec2").collect();

    let counts = forget::count(&store, &chosen).await?;
    let first: Vec<_> = counts["1/r/ec2"].iter().map(|(kind, count)| (&**kind, *count)).collect();
    assert_eq!(first, [("(:A)-[:TO]->(:A)", 1), ("A", 1)]);
    assert_eq!(world.ids("A").await?, "a b c common", "counting removes nothing");

    let removed = forget::forget(&store, &chosen).await?;
    assert_eq!(removed, Removed { nodes: 2, edges: 2, scopes: 2 });
    assert_eq!((world.ids("A").await?, world.pairs("TO").await?), ("b common".into(), "b>common".into()));
    assert_eq!(forget::forget(&store, &chosen).await?, Removed::default());
    // The remaining place owns the common node, and the record of the counts is deleted.
    world.survey(&[story(7, "ListA").account("2").nodes("A", &["b"])]).await?;
    assert_eq!(world.ids("A").await?, "b");
    let records = world.neo4j.rows("MATCH (g:GromaSync) WHERE g.id STARTS WITH 'forget' RETURN g.id AS id").await?;
    assert!(records.is_empty());
    // A new survey brings it back.
    world.survey(&[at(8, "1", "a")]).await?;
    assert_eq!(world.ids("A").await?, "a b common");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sync_has_seen_since_the_places_were_looked_up_stays() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    world.survey(&[story(5, "ListA").nodes("A", &["a", "gone"])]).await?;
    let store = world.store().await?;
    let places = forget::places(&store).await?;
    let b = story(6, "ListB").nodes("B", &["b"]);
    world.survey(&[story(6, "ListA").nodes("A", &["a"]).fails(), b]).await?;
    forget::forget(&store, &places).await?;
    assert_eq!((world.ids("A").await?, world.ids("B").await?), ("a".into(), "b".into()));
    assert_eq!(forget::places(&store).await?.len(), 1);
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_older_than_another_forgotten_place_keeps_what_it_has_seen_since() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let a = |tag| story(tag, "ListA").account("1").nodes("A", &["a"]);
    world.survey(&[a(5), story(8, "ListB").account("2").nodes("B", &["b"])]).await?;
    let store = world.store().await?;
    let places = forget::places(&store).await?;
    world.survey(&[a(6)]).await?;
    let removed = forget::forget(&store, &places).await?;
    assert_eq!(removed, Removed { nodes: 1, edges: 0, scopes: 1 });
    assert_eq!((world.ids("A").await?, world.ids("B").await?), ("a".into(), String::new()));
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_another_forgotten_place_declares_shared_belongs_to_no_place() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let shared = shared("A", "a");
    world.survey(&[story(5, "ListA").account("1").nodes("A", &["a"])]).await?;
    world.survey(&[story(8, "ListB").account("2").table(shared)]).await?;
    let store = world.store().await?;
    forget::forget(&store, &forget::places(&store).await?).await?;
    let left = world.neo4j.rows("MATCH (n:A) RETURN n._module_scope AS scope").await?;
    assert_eq!(left.iter().map(|row| row["scope"].as_str()).collect::<Vec<_>>(), [Some("shared")]);
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn old_nodes_of_cartographys_are_forgotten_where_groma_surveys_the_label() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let shared = shared("A", "shared");
    world.survey(&[story(5, "ListA").nodes("A", &["a"]).nodes("B", &["b"]).table(shared)]).await?;
    world
        .neo4j
        .rows(
            "CREATE (old:A {id: 'old', lastupdated: 10}), (new:A {id: 'new', lastupdated: 90}), \
             (:Okta {id: 'okta', lastupdated: 10}) WITH new MATCH (b:B) \
             CREATE (new)-[:TO {lastupdated: 10}]->(b), (new)-[:OTHER {lastupdated: 10}]->(b)",
        )
        .await?;
    let store = world.store().await?;
    let counts = forget::count_cartography(&store, 50).await?;
    let counts: Vec<_> = counts.iter().map(|(kind, count)| (&**kind, *count)).collect();
    assert_eq!(counts, [("(:A)-[:TO]->(:B)", 1), ("A", 1)]);
    let removed = forget::forget_cartography(&store, 50).await?;
    assert_eq!(removed, Removed { nodes: 1, edges: 1, scopes: 0 });
    assert_eq!((world.ids("A").await?, world.ids("Okta").await?), ("a new shared".into(), "okta".into()));
    assert_eq!((world.pairs("TO").await?, world.pairs("OTHER").await?), (String::new(), "new>b".into()));
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_place_goes_with_edges_that_newer_syncs_wrote_at_its_nodes() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    world.survey(&[story(5, "ListA").nodes("A", &["a"]), story(5, "ListB").account("2").nodes("B", &["b"])]).await?;
    // An edge of the analysis, and one of the place that is still surveyed.
    world.neo4j.rows("MATCH (a:A), (b:B) CREATE (b)-[:MAY {lastupdated: 9}]->(a)").await?;
    world.survey(&[story(6, "ListB").account("2").nodes("B", &["b"]).edges("TO", "B", "A", &[("b", "a")])]).await?;
    assert_eq!((world.pairs("TO").await?, world.pairs("MAY").await?), ("b>a".into(), "b>a".into()));
    let store = world.store().await?;
    let mut places = forget::places(&store).await?;
    places.retain(|place| place.name == "1/r/ec2");
    let removed = forget::forget(&store, &places).await?;
    assert_eq!((removed.nodes, removed.scopes, world.ids("A").await?), (1, 1, String::new()));
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn shared_nodes_are_forgotten_once_nothing_refers_to_them() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let policies = |ids: &[&str]| NodeTable {
        label: "A".into(),
        extra_labels: vec!["Z".into()],
        ownership: Ownership::Shared.into(),
        rows: ids.iter().map(|id| NodeRow { id: (*id).into(), values: Vec::new() }).collect(),
        ..NodeTable::default()
    };
    let holding = |tag, ids: &[&str]| {
        let pairs: Vec<_> = ids.iter().map(|id| ("role", *id)).collect();
        story(tag, "ListB").nodes("B", &["role"]).table(policies(ids)).edges("HOLDS", "B", "A", &pairs)
    };
    let other = |tag, ids: &[&str]| {
        let pairs: Vec<_> = ids.iter().map(|id| ("other", *id)).collect();
        story(tag, "ListB").account("2").nodes("B", &["other"]).table(policies(ids)).edges("HOLDS", "B", "A", &pairs)
    };
    world.survey(&[holding(5, &["held", "left", "kept"]), other(5, &["kept"])]).await?;
    // The first account holds one of them now; the second one cannot be surveyed.
    world.survey(&[holding(9, &["held"])]).await?;
    let store = world.store().await?;
    assert_eq!(ghosts::count(&store, 5).await?.len(), 0, "they were seen then");
    let counts = ghosts::count(&store, 9).await?;
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [("A".to_owned(), Ghosts { count: 1, oldest: 5, newest: 5 })]);
    assert_eq!((ghosts::forget(&store, 9).await?, world.ids("A").await?), (1, "held kept".into()));
    assert_eq!(ghosts::forget(&store, 9).await?, 0);
    // The last one goes together with the place that refers to it.
    let mut places = forget::places(&store).await?;
    places.retain(|place| place.name == "2/r/ec2");
    forget::forget(&store, &places).await?;
    assert_eq!((ghosts::forget(&store, 9).await?, world.ids("A").await?), (1, "held".into()));
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_whole_sync_says_what_is_stale() -> anyhow::Result<()> {
    let world = World::new().await?;
    let store = world.store().await?;
    assert_eq!(ghosts::last_whole_sync(&store).await?, 0);
    world.neo4j.rows("CREATE (:GromaSync {id: 'a', tag: 7, whole: true}), (:GromaSync {id: 'b', tag: 9})").await?;
    assert_eq!(ghosts::last_whole_sync(&store).await?, 7);
    Ok(())
}
