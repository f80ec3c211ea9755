//! A simulated AWS, an empty graph, and `groma` between them.

use serde_json::Value;
use std::{collections::BTreeMap, process::Stdio, time::Duration};
use testkit::{Aws, Neo4j, Organization, Size};
use tokio::{process::Command, sync::MutexGuard};

/// Time limit, longer than any run of these tests takes. A run that hangs fails instead of blocking all others.
const HUNG: Duration = Duration::from_mins(15);

/// Servers and organization of one test.
pub(crate) struct World {
    pub(crate) aws: Aws,
    pub(crate) organization: Organization,
    pub(crate) neo4j: MutexGuard<'static, Neo4j>,
}

/// Exit status and output of a command.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    /// An organization of this size and an empty graph.
    pub(crate) async fn of(size: Size) -> Self {
        // Before its turn on the graph, so that one test prepares while another surveys.
        let (aws, organization) = Aws::with_organization(size).await.expect("moto starts");
        let neo4j = Neo4j::shared_with_indexes().await.expect("Neo4j starts");
        Self { aws, organization, neo4j }
    }

    /// Id of an account by its name.
    pub(crate) fn account(&self, name: &str) -> &str {
        let found = self.organization.accounts.iter().find(|account| account.name == name);
        &found.unwrap_or_else(|| panic!("no account {name}")).id
    }

    /// `groma` with the organization's AWS environment and this graph.
    pub(crate) fn groma(&self, arguments: &[&str]) -> Command {
        let mut command = groma(arguments);
        command.envs(&self.organization.env).envs(self.graph_env());
        command
    }

    /// Environment variables of the graph's connection.
    pub(crate) fn graph_env(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("NEO4J_URI", self.neo4j.uri()),
            ("NEO4J_USER", self.neo4j.user().to_owned()),
            ("NEO4J_PASSWORD", self.neo4j.password().to_owned()),
        ])
    }

    /// Surveys every profile, and returns the command's output.
    pub(crate) async fn sync(&self, more: &[&str]) -> Run {
        let arguments = [&["sync", "--accounts", "profiles", "--json"], more].concat();
        run(self.groma(&arguments)).await
    }

    /// Surveys every profile completely.
    pub(crate) async fn sync_completely(&self) -> Value {
        let ran = self.sync(&[]).await;
        assert_eq!(ran.status, 0, "{}\n{}", ran.stdout, ran.stderr);
        ran.json()
    }

    /// The one number that a query returns as `n`.
    pub(crate) async fn count(&self, cypher: &str) -> i64 {
        let rows = self.neo4j.rows(cypher).await.expect("the graph can be read");
        rows[0]["n"].as_i64().expect("a number n")
    }

    /// The texts that a query returns as `n`, sorted.
    pub(crate) async fn texts(&self, cypher: &str) -> Vec<String> {
        let rows = self.neo4j.rows(cypher).await.expect("the graph can be read");
        let mut texts: Vec<_> = rows.iter().map(|row| row["n"].as_str().expect("a text n").to_owned()).collect();
        texts.sort();
        texts
    }
}

impl Run {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }
}

/// `groma` with no AWS configuration, no graph and a nats-server to start.
pub(crate) fn groma(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_groma"));
    let ours = |name: &str| {
        name.starts_with("AWS_")
            || name.starts_with("NATS_")
            || name.starts_with("NEO4J_")
            || name.starts_with("GROMA_")
    };
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(ours) {
            command.env_remove(name);
        }
    }
    command
        .args(arguments)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("GROMA_NATS_SERVER", testkit::nats_server().expect("nats-server is provisioned"))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Runs a command to its end.
pub(crate) async fn run(mut command: Command) -> Run {
    let output = tokio::time::timeout(HUNG, command.output()).await.expect("the command ends").expect("groma starts");
    let text = |bytes| String::from_utf8(bytes).expect("groma prints UTF-8");
    Run { status: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}
