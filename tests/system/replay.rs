//! Records a sync and plays it into other graphs.

use crate::{
    survey,
    world::{Run, World, run},
};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::PathBuf};
use tempfile::TempDir;
use testkit::{Nats, Size};

/// An organization, a graph, and a NATS that keeps syncs.
struct Studio {
    world: World,
    nats: Nats,
    folder: TempDir,
}

impl Studio {
    async fn new() -> Self {
        let nats = Nats::start().await.expect("nats-server starts");
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { world: World::of(Size::Small).await, nats, folder }
    }

    /// Surveys completely, and returns the report.
    async fn sync(&self) -> Value {
        let ran = self.world.sync(&["--lease-own-identity", "--nats", &self.nats.url()]).await;
        assert_eq!(ran.status, 0, "{}\n{}", ran.stdout, ran.stderr);
        ran.json()
    }

    async fn record(&self, sync: &str, name: &str) -> String {
        let file = self.file(name);
        let path = file.to_str().expect("a plain path").to_owned();
        let ran = run(self.world.groma(&["record", "--nats", &self.nats.url(), "--sync", sync, "-o", &path])).await;
        assert_eq!(ran.status, 0, "{}\n{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains(sync), "{}", ran.stdout);
        path
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn replay(&self, arguments: &[&str]) -> Run {
        run(self.world.groma(&[&["replay", "--json"], arguments].concat())).await
    }

    /// Replays completely, and returns the report.
    async fn replayed(&self, arguments: &[&str]) -> Value {
        let ran = self.replay(arguments).await;
        assert_eq!(ran.status, 0, "{}\n{}", ran.stdout, ran.stderr);
        ran.json()
    }

    async fn empty(&self) {
        self.world.neo4j.empty().await.expect("the graph can be emptied");
    }

    /// Fails with the lines that differ.
    async fn holds(&self, graph: &str) {
        let held = self.world.neo4j.dump().await.expect("the graph can be read");
        let (held, graph) = (held.lines().collect::<BTreeSet<_>>(), graph.lines().collect::<BTreeSet<_>>());
        let (more, less) = (held.difference(&graph), graph.difference(&held));
        assert!(held == graph, "more: {:#?}\nless: {:#?}", more.collect::<Vec<_>>(), less.collect::<Vec<_>>());
    }

    async fn nodes(&self) -> i64 {
        self.world.count("MATCH (n) RETURN count(n) AS n").await
    }
}

fn id(report: &Value) -> &str {
    report["sync"].as_str().expect("an id")
}

#[tokio::test]
async fn a_recorded_sync_makes_the_same_graph_again() {
    let studio = Studio::new().await;
    let live = studio.sync().await;
    let graph = studio.world.neo4j.dump().await.expect("the graph can be read");
    let file = studio.record(id(&live), "sync.groma").await;
    if std::env::var_os("GROMA_BLESS_RECORDING").is_some() {
        let golden = testkit::workspace().join("tests/recorded/small.groma");
        fs::copy(&file, golden).expect("the recording can be kept");
    }

    studio.empty().await;
    let replayed = studio.replayed(&[&file]).await;
    studio.holds(&graph).await;
    for part in ["sync", "update_tag", "status", "assets_by_listing", "accounts", "graph", "unseen"] {
        assert_eq!(replayed[part], live[part], "{part}");
    }

    // Into the same graph again, and from the streams into an empty one at a limited rate.
    studio.replayed(&[&file]).await;
    studio.holds(&graph).await;
    studio.empty().await;
    studio.replayed(&["--nats", &studio.nats.url(), "--sync", id(&live), "--rate", "400"]).await;
    studio.holds(&graph).await;
}

#[tokio::test]
async fn what_cannot_be_replayed_is_refused_before_anything_is_written() {
    let studio = Studio::new().await;
    let live = studio.sync().await;
    let whole = studio.record(id(&live), "sync.groma").await;
    studio.empty().await;
    let bytes = fs::read(&whole).expect("the recording can be read");
    let middle = bytes.len() / 2;
    let mut altered = bytes.clone();
    altered[middle] ^= 1;
    let mut newer = bytes.clone();
    newer[11] = 9;
    let cases: [(&str, &[u8], &str); 4] = [
        ("altered.groma", &altered, "was altered at record "),
        ("cut.groma", &bytes[..middle], &format!("is cut off at byte {middle}: record ")),
        ("newer.groma", &newer, "has format 9, but this program reads formats up to 1"),
        ("other.groma", b"{}", "is not a recording of Groma"),
    ];
    for (name, bytes, words) in cases {
        fs::write(studio.file(name), bytes).expect("the file can be written");
        let ran = studio.replay(&[studio.file(name).to_str().expect("a plain path")]).await;
        assert_eq!(ran.status, 1, "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains(words) && ran.stderr.contains(name), "{name}: {}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{name}: {}", ran.stderr);
    }
    let nats = studio.nats.url();
    let usage = [
        (vec!["missing.groma"], 1, "cannot read missing.groma"),
        (vec!["--nats", &nats, "--sync", "01NEVER"], 1, "no sync 01NEVER in the streams of this NATS; the newest are "),
        (vec![&*whole, "--regions", "eu-nowhere-1"], 2, "nothing of region eu-nowhere-1; it has "),
        (vec![&*whole, "--sync", "x"], 2, "cannot be used with"),
        (vec![], 2, "required"),
    ];
    for (arguments, status, words) in usage {
        let ran = studio.replay(&arguments).await;
        assert_eq!(ran.status, status, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(words), "{arguments:?}: {}", ran.stderr);
    }
    assert_eq!(studio.nodes().await, 0);
}

#[tokio::test]
async fn a_filter_leaves_out_and_never_removes() {
    let studio = Studio::new().await;
    let first = studio.sync().await;
    let before = studio.record(id(&first), "first.groma").await;
    let spoke = studio.world.organization.accounts[1].id.clone();
    let region = studio.world.organization.regions[0].clone();
    survey::change(&studio.world, &spoke, &region).await;
    let second = studio.sync().await;
    let graph = studio.world.neo4j.dump().await.expect("the graph can be read");
    let after = studio.record(id(&second), "second.groma").await;

    // One service of one account, into an empty graph.
    studio.empty().await;
    studio.replayed(&[&after, "--accounts", &spoke, "--services", "ec2", "--regions", &region]).await;
    let scopes = "MATCH (s:GromaScope) RETURN DISTINCT s.account + ' ' + s.region + ' ' + s.service AS n";
    assert_eq!(studio.world.texts(scopes).await, [format!("{spoke} {region} ec2")]);
    assert!(studio.world.count("MATCH (n:AWSEC2Instance) RETURN count(n) AS n").await > 0);
    assert_eq!(studio.world.count("MATCH (n:AWSUser) RETURN count(n) AS n").await, 0);

    // Over the first sync's graph: users and instances are gone in the second sync, but only one service of it is played,
    // or only some types.
    studio.empty().await;
    studio.replayed(&[&before]).await;
    let rest = "MATCH (n) WHERE NOT n._module_scope ENDS WITH '/iam' \
                RETURN labels(n)[0] + ' ' + n.id AS n";
    let instances = "MATCH (n:AWSEC2Instance) RETURN n.id AS n";
    let (rest_before, instances_before) = (studio.world.texts(rest).await, studio.world.texts(instances).await);
    studio.replayed(&[&after, "--services", "iam"]).await;
    // Service principals that roles now trust are new, and have no owner.
    let rest_after = studio.world.texts(rest).await;
    let gone: Vec<_> = rest_before.iter().filter(|node| !rest_after.contains(node)).collect();
    assert!(gone.is_empty(), "{gone:?}");
    assert_eq!(studio.world.texts(instances).await, instances_before);
    let report = studio.replayed(&[&after, "--types", "AWSEC2Instance,AWSVpc"]).await;
    assert_eq!(report["graph"]["nodes_removed"], 0);
    assert_eq!(studio.world.texts(instances).await, instances_before);
    let vpcs = "MATCH (n:AWSVpc) WHERE n.lastupdated = TAG RETURN count(n) AS n";
    let vpcs = vpcs.replace("TAG", &second["update_tag"].to_string());
    assert!(studio.world.count(&vpcs).await > 0);

    // Omitted rows do not count as applied: replaying the whole recording makes the whole graph.
    let report = studio.replayed(&[&after]).await;
    assert!(report["graph"]["nodes_removed"].as_u64().expect("a count") > 0);
    studio.holds(&graph).await;
}

#[tokio::test]
async fn what_would_change_and_what_changed_between_two_syncs() {
    let studio = Studio::new().await;
    let first = studio.sync().await;
    let before = studio.record(id(&first), "first.groma").await;
    studio.empty().await;
    let foreseen = studio.replayed(&["--dry-run", &before]).await;
    assert_eq!(studio.nodes().await, 0);
    let total = |part: &Value, what: &str| {
        let counts = part.as_object().expect("an object").values();
        counts.map(|counts| counts[what].as_u64().expect("a count")).sum::<u64>()
    };
    for what in ["changed", "unchanged", "removed"] {
        assert_eq!((total(&foreseen["nodes"], what), total(&foreseen["edges"], what)), (0, 0), "{what}");
    }
    assert_eq!(foreseen["edges_leading_out"], first["graph"]["edges_leading_out"]);
    studio.replayed(&[&before]).await;
    let label = |label: &str| format!("MATCH (n:{label}) RETURN count(n) AS n");
    for name in ["AWSEC2Instance", "AWSVpc", "AWSUser", "AWSRole", "AWSAccount"] {
        assert_eq!(foreseen["nodes"][name]["new"], studio.world.count(&label(name)).await, "{name}");
    }

    let spoke = studio.world.organization.accounts[1].id.clone();
    let region = studio.world.organization.regions[0].clone();
    survey::change(&studio.world, &spoke, &region).await;
    // Surveys into the streams, then restores the earlier graph.
    let second = studio.sync().await;
    let after = studio.record(id(&second), "second.groma").await;
    studio.empty().await;
    studio.replayed(&[&before]).await;
    let dump = studio.world.neo4j.dump().await.expect("the graph can be read");
    let foreseen = studio.replayed(&["--dry-run", &after]).await;
    studio.holds(&dump).await;
    assert_eq!(foreseen["nodes"]["AWSUser"]["new"], 1, "{foreseen:#}");
    assert_eq!(foreseen["nodes"]["AWSEC2Instance"]["changed"], 1, "{foreseen:#}");
    let trusts = &foreseen["edges"]["(:AWSRole)-[:TRUSTS_AWS_PRINCIPAL]->(:AWSPrincipal)"];
    assert_eq!((&trusts["new"], &trusts["removed"]), (&1.into(), &1.into()), "{foreseen:#}");
    let report = studio.replayed(&[&after]).await;
    assert_eq!(total(&foreseen["nodes"], "removed"), report["graph"]["nodes_removed"], "{foreseen:#}");
    assert_eq!(total(&foreseen["edges"], "removed"), report["graph"]["edges_removed"], "{foreseen:#}");
    let again = studio.replayed(&["--dry-run", &after]).await;
    for what in ["new", "changed", "removed"] {
        assert_eq!((total(&again["nodes"], what), total(&again["edges"], what)), (0, 0), "{what}: {again:#}");
    }

    let nats = studio.nats.url();
    let ran = run(studio.world.groma(&["diff", "--json", "--nats", &nats, id(&first), &after])).await;
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let diff = ran.json();
    let nodes = diff["nodes"].as_array().expect("a list");
    let has = |change: &str, label: &str| nodes.iter().any(|it| it["change"] == change && it["label"] == label);
    assert!(has("added", "AWSUser") && has("added", "AWSVpc"), "{diff:#}");
    let added = nodes.iter().filter(|it| it["change"] == "added" && it["label"] == "AWSUser");
    assert_eq!(added.count() as u64, foreseen["nodes"]["AWSUser"]["new"].as_u64().expect("a count"));
    assert!(diff["edges"].as_array().expect("a list").iter().any(|it| it["change"] == "removed"), "{diff:#}");
    let ran = run(studio.world.groma(&["diff", &before, &before])).await;
    assert_eq!((ran.status, ran.stdout.lines().count()), (0, 1), "{}", ran.stdout);

    // Both syncs, the oldest first, into an empty graph.
    let graph = studio.world.neo4j.dump().await.expect("the graph can be read");
    studio.empty().await;
    let reports = studio.replayed(&["--nats", &nats, "--since", "1h"]).await;
    let ids: Vec<&str> = reports.as_array().expect("a list").iter().map(id).collect();
    assert_eq!(ids, [id(&first), id(&second)]);
    studio.holds(&graph).await;
}
