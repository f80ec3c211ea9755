//! What must stay true of the tree itself.

use serde_json::Value;
use std::{collections::BTreeSet, process::Command};

/// For each crate the workspace crates that it may depend on; dev-dependencies are free.
const ALLOWED: &[(&str, &[&str])] = &[
    ("events", &[]),
    ("files", &[]),
    ("bus", &["events", "files"]),
    ("role", &["bus"]),
    ("credentials", &["bus", "events"]),
    ("throttle", &[]),
    ("paging", &[]),
    ("regions", &[]),
    ("broker", &["bus", "credentials", "events", "files", "paging", "regions", "role"]),
    ("collector", &["bus", "credentials", "events", "paging", "regions", "role", "throttle"]),
    ("collector-ec2", &["collector", "events", "role"]),
    ("collector-iam", &["collector", "events", "role"]),
    ("collector-inspector2", &["collector", "events", "role"]),
    ("collector-organizations", &["collector", "events", "role"]),
    ("collector-sts", &["collector", "events", "role"]),
    ("scheduler", &["bus", "events", "regions", "role"]),
    ("graph", &["files"]),
    ("analysis", &["graph"]),
    ("graph-writer", &["analysis", "bus", "events", "graph", "role"]),
    ("replay", &["bus", "events"]),
    ("model", &[]),
    ("testkit", &[]),
    ("fuzz", &["events"]),
];
/// Crates that may use an AWS SDK of a service.
const SDK_LEAVES: &[&str] =
    &["broker", "collector-ec2", "collector-iam", "collector-inspector2", "collector-organizations", "collector-sts"];
/// Crates that may use the Neo4j driver.
const NEO4J_LEAVES: &[&str] = &["analysis", "graph", "graph-writer", "groma", "testkit"];

struct Package {
    name: String,
    dependencies: BTreeSet<String>,
}

fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
        .arg(testkit::workspace().join("Cargo.toml"))
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| Package {
            name: package["name"].as_str().expect("a name").to_owned(),
            dependencies: package["dependencies"]
                .as_array()
                .expect("dependencies")
                .iter()
                .filter(|dependency| dependency["kind"].is_null())
                .map(|dependency| dependency["name"].as_str().expect("a name").to_owned())
                .collect(),
        })
        .collect()
}

#[test]
fn dependencies_point_one_way() {
    let packages = packages();
    let own: BTreeSet<_> = packages.iter().map(|package| package.name.clone()).collect();
    for package in packages.iter().filter(|package| package.name != "groma") {
        let allowed = ALLOWED.iter().find(|(name, _)| *name == package.name).map(|(_, allowed)| *allowed);
        let allowed = allowed.unwrap_or_else(|| panic!("{} is a new crate: say what it may depend on", package.name));
        for dependency in package.dependencies.intersection(&own) {
            assert!(allowed.contains(&dependency.as_str()), "{} must not depend on {dependency}", package.name);
        }
    }
}

/// The SDK's paginators take a repeated page token for the end.
#[test]
fn listings_are_paged_by_the_macro() {
    let sources = testkit::workspace().join("crates");
    let listed = Command::new("git").args(["ls-files", "*.rs"]).current_dir(&sources).output().expect("git runs");
    let files = String::from_utf8(listed.stdout).expect("names");
    assert!(files.lines().count() > 100);
    for file in files.lines().filter(|file| !file.starts_with("paging/")) {
        let text = std::fs::read_to_string(sources.join(file)).unwrap_or_default();
        assert!(!text.contains("into_paginator"), "{file}: use paging::paged!");
    }
}

#[test]
fn only_leaves_know_aws_services_and_neo4j() {
    for package in packages() {
        for dependency in &package.dependencies {
            let sdk = dependency.starts_with("aws-sdk-");
            assert!(!sdk || SDK_LEAVES.contains(&package.name.as_str()), "{} uses {dependency}", package.name);
            let driver = dependency == "neo4rs";
            assert!(!driver || NEO4J_LEAVES.contains(&package.name.as_str()), "{} uses {dependency}", package.name);
            let config = dependency == "aws-config";
            assert!(!config || package.name == "broker", "{} uses {dependency}", package.name);
        }
    }
}
