//! Secrets that AWS returns, or that a survey must not ask for, reach no stream, log, file or property: environment variables
//! of functions, values of Secrets Manager, and parameters of Systems Manager.

#![allow(clippy::disallowed_methods, reason = "reads every stream, also those that are not Groma's")]

use crate::world::{World, run};
use async_nats::jetstream;
use futures::TryStreamExt;
use serde_json::json;
use std::fmt::Write;
use testkit::{Nats, Size};

/// Part of every secret that `tests/simulated-aws/seeding` makes.
const PLANTED: &str = "planted-secret";
/// A text beside a planted one in AWS's answers. The search finds it, so it would find the secret too.
const BESIDE: &str = "function:orders";

#[tokio::test]
async fn a_planted_secret_reaches_no_stream_log_file_or_property() {
    let nats = Nats::start().await.expect("nats-server starts");
    let world = World::of(Size::Small).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let functions = world.aws.call(world.account("alpha"), "us-east-1", "lambda", "list_functions", json!({})).await;
    let functions = functions.expect("they are listed").to_string();
    assert!(functions.contains(PLANTED) && functions.contains(BESIDE), "{functions}");

    let arguments = ["--services", "lambda,secretsmanager,ssm", "--lease-own-identity", "--nats", &nats.url()];
    let mut sync = world.groma(&[&["sync", "--accounts", "profiles", "--json"], &arguments[..]].concat());
    sync.env("GROMA_LOG", "trace");
    let ran = run(sync).await;
    assert_eq!(ran.status, 0, "{}", ran.stdout);
    let file = folder.path().join("sync.groma");
    let path = file.to_str().expect("a plain path");
    let report = ran.json();
    let sync = report["sync"].as_str().expect("an id");
    let recorded = run(world.groma(&["record", "--nats", &nats.url(), "--sync", sync, "-o", path])).await;
    assert_eq!(recorded.status, 0, "{}\n{}", recorded.stdout, recorded.stderr);

    let written = [
        ("the streams", streams(&nats).await),
        ("the recording", recording(&file)),
        ("the graph", graph(&world).await),
    ];
    for (place, text) in &written {
        assert!(text.contains(BESIDE), "{place} has nothing of the function");
    }
    let printed = [("standard output", ran.stdout), ("the log", ran.stderr)];
    for (place, text) in written.iter().chain(&printed) {
        assert!(!text.contains(PLANTED), "{place} has a secret");
    }
}

/// The messages of all streams.
async fn streams(nats: &Nats) -> String {
    let client = async_nats::connect(nats.url()).await.expect("the server answers");
    let context = jetstream::new(client);
    let names: Vec<String> = context.stream_names().try_collect().await.expect("the streams have names");
    let mut text = String::new();
    for name in names {
        let stream = context.get_stream(&name).await.expect("it is there");
        let state = stream.cached_info().state.clone();
        for sequence in state.first_sequence..=state.last_sequence {
            // Acknowledged work is gone.
            if let Ok(message) = stream.get_raw_message(sequence).await {
                text += &String::from_utf8_lossy(&message.payload);
            }
        }
    }
    text
}

/// The events of a recording.
fn recording(file: &std::path::Path) -> String {
    let file = std::fs::File::open(file).expect("it is written");
    let mut reader = replay::Reader::new(std::io::BufReader::new(file)).expect("a recording");
    let mut text = String::new();
    while let Some(event) = reader.next_event().expect("it is whole") {
        write!(text, "{event:?}").expect("a String takes any text");
    }
    text
}

/// All properties of the graph, also Groma's own.
async fn graph(world: &World) -> String {
    let mut text = String::new();
    for all in ["MATCH (it) RETURN properties(it) AS n", "MATCH ()-[it]->() RETURN properties(it) AS n"] {
        for row in world.neo4j.rows(all).await.expect("the graph can be read") {
            text += &row.to_string();
        }
    }
    text
}
