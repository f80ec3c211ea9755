//! `groma neo4j init`: prepares a database before the first sync.

use crate::world::{World, run};
use testkit::Size;

#[tokio::test]
async fn a_prepared_database_needs_no_further_index() {
    let world = World::of(Size::Small).await;
    world.neo4j.wipe().await.expect("no index is left");
    let indexes = "SHOW INDEXES YIELD labelsOrTypes, properties RETURN labelsOrTypes[0] AS label, properties ORDER BY label, properties";
    let first = run(world.groma(&["neo4j", "init"])).await;
    assert_eq!(first.status, 0, "{}", first.stderr);
    let prepared = world.neo4j.rows(indexes).await.expect("indexes");
    assert!(prepared.iter().any(|index| index["label"] == "AWSEC2Instance"), "{prepared:?}");
    assert_eq!(world.count("MATCH (n) RETURN count(n) AS n").await, 0);

    world.sync_completely().await;
    let everything = "MATCH (n) OPTIONAL MATCH (n)-[r]->(m) RETURN elementId(n) AS id, properties(n) AS node, \
                      elementId(r) AS edge, properties(r) AS of_edge ORDER BY id, edge";
    let before = world.neo4j.rows(everything).await.expect("nodes");
    assert_eq!(world.neo4j.rows(indexes).await.expect("indexes"), prepared);

    // It keeps all data. A graph with data needs more plans.
    let planned = |said: &str| {
        let words = said.split_whitespace().zip(said.split_whitespace().skip(1));
        let number = words.filter(|(_, word)| *word == "statements").find_map(|(number, _)| number.parse::<u64>().ok());
        number.expect("how many statements are planned")
    };
    let again = run(world.groma(&["neo4j", "init"])).await;
    assert_eq!(again.status, 0, "{}", again.stderr);
    assert!(planned(&again.stdout) > planned(&first.stdout), "{} {}", first.stdout, again.stdout);
    assert_eq!(world.neo4j.rows(indexes).await.expect("indexes"), prepared);
    assert_eq!(world.neo4j.rows(everything).await.expect("nodes"), before);
}
