//! A graph behind TLS, with an authority that the system does not know.

use crate::world::{World, run};
use groma::nats::certificates;
use std::fs;
use testkit::{Neo4j, Size};

#[tokio::test]
async fn a_sync_goes_into_a_graph_behind_tls_whose_authority_it_was_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let tls = certificates::ensure(directory.path(), &[]).expect("certificates");
    let read = |path| fs::read_to_string(path).expect("it is there");
    let neo4j = Neo4j::start_with_tls(&read(&tls.certificate), &read(&tls.key)).await.expect("Neo4j starts");
    let world = World::of(Size::Small).await;
    let groma = |arguments: &[&str]| {
        let mut command = world.groma(arguments);
        command.env("NEO4J_URI", neo4j.tls_uri());
        command
    };

    let stranger = run(groma(&["findings"])).await;
    assert_eq!(stranger.status, 1, "{}", stranger.stderr);
    assert!(stranger.stderr.contains("is not available"), "{}", stranger.stderr);
    assert!(stranger.stderr.to_lowercase().contains("certificate"), "{}", stranger.stderr);

    let mut told = groma(&["sync", "--accounts", "profiles"]);
    told.env("NEO4J_CA", tls.authority.expect("it was made with one"));
    let told = run(told).await;
    assert_eq!(told.status, 0, "{}", told.stderr);
    let rows = neo4j.rows("MATCH (a:AWSAccount) RETURN count(a) AS n").await.expect("the graph can be read");
    assert!(rows[0]["n"].as_i64() >= Some(3), "{rows:?}");

    let mut nonsense = groma(&["findings"]);
    nonsense.env("NEO4J_CA", &tls.key);
    let nonsense = run(nonsense).await;
    assert_eq!(nonsense.status, 2, "{}", nonsense.stderr);
    assert!(nonsense.stderr.contains("contains no readable PEM certificate"), "{}", nonsense.stderr);
}
