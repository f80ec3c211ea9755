//! Rules for the repository's files.

use serde_json::Value;
use std::{collections::BTreeSet, path::Path, process::Command};

/// Workspace crates that each crate may depend on, besides dev-dependencies.
const ALLOWED: &[(&str, &[&str])] = &[
    ("errors", &[]),
    ("observe", &[]),
    ("events", &[]),
    ("catalog", &["events"]),
    ("files", &[]),
    ("bus", &["errors", "events", "files"]),
    ("process", &["bus", "errors", "observe"]),
    ("aws-client", &["events"]),
    ("credentials", &["aws-client", "bus", "errors", "events"]),
    ("throttle", &["observe"]),
    ("paging", &[]),
    ("regions", &[]),
    ("questions", &["events"]),
    ("explain", &["analysis", "catalog", "questions"]),
    ("paths", &["analysis", "catalog", "events", "graph", "questions"]),
    ("known-findings", &["events", "graph", "questions"]),
    ("resource-policy", &[]),
    (
        "broker",
        &[
            "aws-client",
            "bus",
            "catalog",
            "credentials",
            "errors",
            "events",
            "files",
            "observe",
            "paging",
            "process",
            "regions",
            "throttle",
        ],
    ),
    (
        "collector",
        &[
            "aws-client",
            "bus",
            "catalog",
            "credentials",
            "errors",
            "events",
            "observe",
            "paging",
            "process",
            "regions",
            "throttle",
        ],
    ),
    ("collectors", &["collector", "process"]),
    ("scheduler", &["bus", "catalog", "errors", "events", "files", "observe", "process", "regions"]),
    ("graph", &["files", "observe"]),
    ("analysis", &["graph"]),
    ("graph-writer", &["analysis", "bus", "catalog", "errors", "events", "graph", "observe", "process"]),
    ("replay", &["bus", "events"]),
    ("model", &[]),
    ("testkit", &[]),
    ("fuzz", &["events"]),
];
/// Prefix of the crates that collect one service each, and their allowed dependencies.
const COLLECTOR: (&str, &[&str]) = ("collector-", &["collector", "events", "resource-policy"]);
/// Crates that may use the Neo4j driver.
const NEO4J_LEAVES: &[&str] = &["analysis", "graph", "graph-writer", "groma", "known-findings", "paths", "testkit"];

struct Package {
    name: String,
    dependencies: BTreeSet<String>,
}

/// Reads the metadata of the workspace from cargo.
fn metadata(options: &[&str]) -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--manifest-path"])
        .arg(testkit::workspace().join("Cargo.toml"))
        .args(options)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

/// Target triple of this machine.
fn platform() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host").to_owned()
}

fn packages() -> Vec<Package> {
    let metadata = metadata(&["--no-deps"]);
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

fn is_of_a_service(name: &str) -> bool {
    name.starts_with(COLLECTOR.0)
}

#[test]
fn dependencies_point_one_way() {
    let packages = packages();
    let own: BTreeSet<_> = packages.iter().map(|package| package.name.clone()).collect();
    for package in packages.iter().filter(|package| package.name != "groma") {
        let allowed = ALLOWED.iter().find(|(name, _)| *name == package.name).map(|(_, allowed)| *allowed);
        let allowed = allowed.or(is_of_a_service(&package.name).then_some(COLLECTOR.1));
        let allowed = allowed.unwrap_or_else(|| panic!("{} is a new crate: say what it may depend on", package.name));
        for dependency in package.dependencies.intersection(&own) {
            let is_listed = package.name == "collectors" && is_of_a_service(dependency);
            let is_allowed = is_listed || allowed.contains(&dependency.as_str());
            assert!(is_allowed, "{} must not depend on {dependency}", package.name);
        }
    }
}

/// The SDK's paginators treat a repeated page token as the end.
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

/// Names of an SDK's calls that have a paginator.
fn paged_calls(manifest: &str) -> Vec<String> {
    let operations = Path::new(manifest).with_file_name("src").join("operation");
    let folders = std::fs::read_dir(&operations).into_iter().flatten().flatten().map(|entry| entry.path());
    let paged = folders.filter(|folder| folder.join("paginator.rs").exists());
    paged.filter_map(|folder| Some(folder.file_name()?.to_str()?.to_owned())).collect()
}

/// Names of calls in a text that have a paginator and are neither within `paged!(…)` nor in a variable that is.
fn unpaged<'a>(text: &str, paged: &'a BTreeSet<String>) -> Vec<&'a str> {
    let is_within = |at: usize| {
        text[..at].rfind("paged!(").is_some_and(|begin| {
            let between = &text[begin..at];
            between.matches('(').count() > between.matches(')').count()
        })
    };
    let is_paged_later = |at: usize| {
        let statement = text[..at].rfind([';', '{', '}']).map_or(text, |end| &text[end + 1..]).trim_start();
        let name = statement.strip_prefix("let ").and_then(|rest| rest.split(' ').next());
        let rest = text[at..].split("\n}").next().unwrap_or_default();
        name.is_some_and(|name| [",", "."].iter().any(|end| rest.contains(&format!("paged!({name}{end}"))))
    };
    let is_paged = |at: usize| is_within(at) || is_paged_later(at);
    let sent = |call: &&String| text.match_indices(&format!(".{call}()")).any(|(at, _)| !is_paged(at));
    paged.iter().filter(sent).map(String::as_str).collect()
}

#[test]
fn calls_with_pages_are_sent_with_their_paginator() {
    // A build downloads the packages of its platform only.
    let metadata = metadata(&["--offline", "--locked", "--filter-platform", &platform()]);
    let packages = metadata["packages"].as_array().expect("packages").iter();
    let sdks = packages.filter(|package| package["name"].as_str().is_some_and(|name| name.starts_with("aws-sdk-")));
    let paged: BTreeSet<String> =
        sdks.flat_map(|package| paged_calls(package["manifest_path"].as_str().expect("a path"))).collect();
    assert!(paged.contains("list_parents") && paged.contains("describe_vpcs"), "{paged:?}");
    assert_eq!(unpaged("paged!(c.list_parents(), t); d.list_parents().send()", &paged), ["list_parents"]);
    for text in
        ["paged!(c.list_parents().child_id(&child), t).all()", "{ let call = c.list_parents(); paged!(call, t) }"]
    {
        assert_eq!(unpaged(text, &paged), [""; 0], "{text}");
    }

    let sources = testkit::workspace().join("crates");
    let listed = Command::new("git").args(["ls-files", "*.rs"]).current_dir(&sources).output().expect("git runs");
    let files = String::from_utf8(listed.stdout).expect("names");
    for file in files.lines().filter(|file| file.contains("/src/")) {
        let text = std::fs::read_to_string(sources.join(file)).unwrap_or_default();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        assert_eq!(unpaged(code, &paged), [""; 0], "{file}: use paging::paged!");
    }
}

/// Hidden managed resources (EC2's account-wide managed resource visibility) and disabled images exist. A listing
/// without them would make the graph-writer remove them.
#[test]
fn calls_of_ec2_ask_for_hidden_resources() {
    let calls = [
        ("describe_instances()", ".include_managed_resources(true)"),
        ("describe_network_interfaces()", ".include_managed_resources(true)"),
        ("describe_volumes()", ".include_managed_resources(true)"),
        ("describe_launch_templates()", ".include_managed_resources(true)"),
        ("describe_launch_template_versions()", ".include_managed_resources(true)"),
        ("describe_images()", ".include_disabled(true)"),
    ];
    let sources = testkit::workspace().join("crates/collector-ec2/src");
    let listed = Command::new("git").args(["ls-files", "*.rs"]).current_dir(&sources).output().expect("git runs");
    let files = String::from_utf8(listed.stdout).expect("names");
    let texts = files.lines().map(|file| std::fs::read_to_string(sources.join(file)).expect("a source file"));
    let code: String = texts.flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
    for (call, asks) in calls {
        let sent: Vec<&str> = code.split(&format!(".{call}")).skip(1).collect();
        assert!(!sent.is_empty(), "{call}: not called any more");
        assert!(sent.iter().all(|rest| rest.starts_with(asks)), "{call}: without {asks}");
    }
}

/// `check_service` holds the rules of all registries, but only a crate's own tests can call it.
#[test]
fn every_collector_checks_its_registry() {
    for service in catalog::services() {
        let folder = testkit::workspace().join(format!("crates/collector-{}/src", service.name));
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let files = entries.map(|entry| std::fs::read_to_string(entry.expect("an entry").path()).unwrap_or_default());
        let tests = files.filter_map(|file| Some(file.split_once("#[cfg(test)]\nmod tests {")?.1.to_owned()));
        let calls: usize = tests.map(|tests| tests.matches(" check_service(&SERVICE, ").count()).sum();
        assert_eq!(calls, 1, "collector-{}: a test calls collector::testing::check_service", service.name);
    }
}

#[test]
fn only_leaves_know_aws_services_and_neo4j() {
    for package in packages() {
        for dependency in &package.dependencies {
            let sdk = dependency.starts_with("aws-sdk-");
            let may = package.name == "broker" || is_of_a_service(&package.name);
            assert!(!sdk || may, "{} uses {dependency}", package.name);
            let driver = dependency == "neo4rs";
            assert!(!driver || NEO4J_LEAVES.contains(&package.name.as_str()), "{} uses {dependency}", package.name);
            let config = dependency == "aws-config";
            assert!(!config || package.name == "broker", "{} uses {dependency}", package.name);
        }
    }
}
