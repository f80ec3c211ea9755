//! Recordings in `tests/recorded` make the graphs beside them. `GROMA_BLESS=1` writes the graphs;
//! `GROMA_BLESS_RECORDING=1`, set for the test `a_recorded_sync_makes_the_same_graph_again`, records `testkit`'s simulated
//! organization again.

use crate::world::{groma, run};
use std::fs;
use testkit::Neo4j;

#[tokio::test]
async fn every_recording_makes_its_graph() {
    let folder = testkit::workspace().join("tests/recorded");
    let neo4j = Neo4j::shared_with_indexes().await.expect("Neo4j starts");
    let mut replayed = 0;
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let recording = entry.expect("an entry").path();
        if recording.extension().is_none_or(|extension| extension != "groma") {
            continue;
        }
        neo4j.empty().await.expect("the graph can be emptied");
        let mut command = groma(&["replay", recording.to_str().expect("a plain path")]);
        command.env("NEO4J_URI", neo4j.uri()).env("NEO4J_USER", neo4j.user());
        let ran = run({
            command.env("NEO4J_PASSWORD", neo4j.password());
            command
        })
        .await;
        assert_eq!(ran.status, 0, "{}\n{}", ran.stdout, ran.stderr);
        let graph = neo4j.dump().await.expect("the graph can be read");
        let golden = recording.with_extension("graph");
        if std::env::var_os("GROMA_BLESS").is_some() {
            fs::write(&golden, &graph).expect("the graph can be written");
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        let differs = graph.lines().zip(expected.lines()).find(|(is, was)| is != was);
        assert!(graph == expected, "{}: {differs:#?}", golden.display());
        replayed += 1;
    }
    assert!(replayed > 0, "no recordings");
}
