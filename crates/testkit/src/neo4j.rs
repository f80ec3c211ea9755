//! A Neo4j Community server.

use crate::{json, ports, server::Server, tools};
use anyhow::{Context, ensure};
use neo4rs::{ConfigBuilder, Graph, Row, query};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, MutexGuard, OnceCell};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_mins(2);
const USER: &str = "neo4j";
const PASSWORD: &str = "only-for-tests";
/// Script that writes the configuration and executes Neo4j, with the command line and settings of the Python tests.
const LAUNCHER: &str = "tests/dev/run_neo4j.py";

/// Settings for optional TLS. The tests' own queries stay unencrypted.
const TLS: &[&str] = &[
    "server.bolt.tls_level=OPTIONAL",
    "dbms.ssl.policy.bolt.enabled=true",
    "dbms.ssl.policy.bolt.base_directory=certificates/bolt",
    "dbms.ssl.policy.bolt.client_auth=NONE",
];

/// A Neo4j with authentication, only Bolt, and little memory (512 MB of heap).
pub struct Neo4j {
    // Before the folder, so that it is dropped first.
    server: Option<Server>,
    dir: TempDir,
    port: u16,
    /// Further lines of `neo4j.conf`.
    settings: Vec<String>,
    /// Whether the present test began without indexes, and may leave unusual ones.
    began_bare: bool,
}

impl Neo4j {
    /// Starts a separate server, which takes some seconds. For tests that kill or restart it.
    ///
    /// # Errors
    /// Fails if Java or Neo4j is missing (`just tools`) or does not start. The error has the end of its log.
    pub async fn start() -> anyhow::Result<Self> {
        let mut neo4j = Self::below(&std::env::temp_dir(), &[])?;
        neo4j.launch().await?;
        Ok(neo4j)
    }

    /// Same as [`Neo4j::start`], in a subfolder of `parent` and with additional settings, each a line of `neo4j.conf`.
    ///
    /// # Errors
    /// Same as [`Neo4j::start`].
    pub async fn start_in(parent: &Path, settings: &[&str]) -> anyhow::Result<Self> {
        let mut neo4j = Self::below(parent, settings)?;
        neo4j.launch().await?;
        Ok(neo4j)
    }

    /// Same as [`Neo4j::start`], with optional TLS. The certificate must be for `localhost`; certificate and key are
    /// PEM.
    ///
    /// # Errors
    /// Same as [`Neo4j::start`].
    pub async fn start_with_tls(certificate: &str, key: &str) -> anyhow::Result<Self> {
        let mut neo4j = Self::below(&std::env::temp_dir(), TLS)?;
        let folder = neo4j.dir.path().join("certificates/bolt");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("public.crt"), certificate)?;
        fs::write(folder.join("private.key"), key)?;
        neo4j.launch().await?;
        Ok(neo4j)
    }

    /// Returns the server shared by all tests of this process, empty. Other tests wait until the guard is dropped.
    ///
    /// # Errors
    /// Same as [`Neo4j::start`], which the first call runs.
    pub async fn shared() -> anyhow::Result<MutexGuard<'static, Self>> {
        let mut neo4j = Self::turn().await?;
        neo4j.wipe().await?;
        neo4j.began_bare = true;
        Ok(neo4j)
    }

    /// Like [`Neo4j::shared`], but keeps the indexes, constraints and query plans of earlier tests that began like this
    /// one: a sync of a few nodes takes less than a tenth of the time.
    ///
    /// # Errors
    /// Same as [`Neo4j::shared`].
    pub async fn shared_with_indexes() -> anyhow::Result<MutexGuard<'static, Self>> {
        let mut neo4j = Self::turn().await?;
        if neo4j.began_bare {
            neo4j.wipe().await?;
            neo4j.began_bare = false;
        } else {
            neo4j.empty().await?;
        }
        Ok(neo4j)
    }

    async fn turn() -> anyhow::Result<MutexGuard<'static, Self>> {
        static SHARED: OnceCell<Mutex<Neo4j>> = OnceCell::const_new();
        let shared = SHARED.get_or_try_init(async || Self::start().await.map(Mutex::new)).await?;
        let mut neo4j = shared.lock().await;
        if neo4j.server.is_none() {
            neo4j.launch().await?;
        }
        Ok(neo4j)
    }

    /// Bolt URI: `bolt://127.0.0.1:…`.
    pub fn uri(&self) -> String {
        format!("bolt://127.0.0.1:{}", self.port)
    }

    /// Name of the user.
    pub fn user(&self) -> &'static str {
        USER
    }

    /// Password of the user.
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// Process id; `None` while the server is down.
    pub fn process_id(&self) -> Option<u32> {
        self.server.as_ref().map(Server::id)
    }

    /// Runs one statement in its own transaction and commits. Each row is an object, a node is `{"labels": […],
    /// "properties": {…}}`, a relationship `{"type": …, "properties": {…}}`, a time RFC 3339.
    ///
    /// # Errors
    /// Fails if Neo4j rejects the statement, or returns a type without a JSON form.
    pub async fn rows(&self, cypher: &str) -> anyhow::Result<Vec<Value>> {
        let rows = self.run(cypher).await.with_context(|| format!("running: {cypher}"))?;
        rows.iter().map(json::row).collect()
    }

    /// Removes all nodes.
    ///
    /// # Errors
    /// Fails if Neo4j does not answer.
    pub async fn empty(&self) -> anyhow::Result<()> {
        // In steps, because a large graph would not fit into the memory of one transaction.
        let some = "MATCH (n) WITH n LIMIT 20000 DETACH DELETE n RETURN count(*) AS gone";
        while self.rows(some).await?[0]["gone"] != 0 {}
        Ok(())
    }

    /// Removes all nodes, constraints and indexes except the two lookup indexes of a new database.
    ///
    /// # Errors
    /// Fails if Neo4j does not answer.
    pub async fn wipe(&self) -> anyhow::Result<()> {
        self.empty().await?;
        // Each list in one transaction: a hundred removals on separate connections take seconds.
        self.drop_all("CONSTRAINT", "SHOW CONSTRAINTS YIELD name").await?;
        self.drop_all("INDEX", "SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name").await
    }

    async fn drop_all(&self, what: &str, listed: &str) -> anyhow::Result<()> {
        let names = self.rows(listed).await?;
        let drop_one = |row: &Value| format!("DROP {what} `{}` IF EXISTS", row["name"].as_str().unwrap_or_default());
        let statements: Vec<String> = names.iter().map(drop_one).collect();
        if !statements.is_empty() {
            together(&self.uri(), &statements).await.with_context(|| format!("running: {statements:?}"))?;
        }
        Ok(())
    }

    /// Kills the server with SIGKILL. [`restart`](Self::restart) starts it again.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// Restarts the server on the same port with the same graph. Ends a running one with SIGTERM.
    ///
    /// # Errors
    /// Fails if the server does not start again.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        if let Some(server) = self.server.take() {
            server.terminate(PATIENCE).await?;
        }
        self.launch().await
    }

    fn below(parent: &Path, settings: &[&str]) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("groma-neo4j-").tempdir_in(parent)?;
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        Ok(Self { server: None, dir, port: ports::free()?, settings, began_bare: false })
    }

    /// Bolt URI with TLS: `bolt+s://localhost:…`.
    pub fn tls_uri(&self) -> String {
        format!("bolt+s://localhost:{}", self.port)
    }

    async fn launch(&mut self) -> anyhow::Result<()> {
        let mut server = Server::start("neo4j", self.command()?, self.dir.path())?;
        let (uri, port) = (self.uri(), self.port);
        server.until_ready(PATIENCE, async || speaks_bolt(port).await && rows(&uri, "RETURN 1").await.is_ok()).await?;
        self.server = Some(server);
        Ok(())
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut command = tools::python_script(LAUNCHER)?;
        command.arg("--home").arg(self.dir.path());
        command.args(["--bolt", &self.port.to_string(), "--password", PASSWORD]);
        command.args(self.settings.iter().flat_map(|setting| ["--setting", setting]));
        Ok(command)
    }

    async fn run(&self, cypher: &str) -> anyhow::Result<Vec<Row>> {
        // The driver would retry for a minute.
        ensure!(speaks_bolt(self.port).await, "Neo4j is down");
        Ok(rows(&self.uri(), cypher).await?)
    }
}

/// Whether the server accepts a Bolt handshake: a magic number and four version slots, of which one is used (4.4).
async fn speaks_bolt(port: u16) -> bool {
    let greeting = [&[0x60, 0x60, 0xb0, 0x17, 0, 0, 4, 4][..], &[0; 12]].concat();
    let exchange = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(&greeting).await?;
        stream.read_u32().await
    };
    matches!(timeout(Duration::from_secs(5), exchange).await, Ok(Ok(0x0404)))
}

/// Runs a statement on its own connection, because a pooled one would belong to the runtime of the test that opened it.
async fn rows(uri: &str, cypher: &str) -> Result<Vec<Row>, neo4rs::Error> {
    together(uri, &[cypher]).await
}

/// Runs statements in one transaction and returns the rows of the last one.
#[expect(clippy::disallowed_methods, reason = "tests do not depend on `graph`")]
async fn together(uri: &str, statements: &[impl AsRef<str>]) -> Result<Vec<Row>, neo4rs::Error> {
    let config = ConfigBuilder::default().uri(uri).user(USER).password(PASSWORD).max_connections(1);
    let graph = Graph::connect(config.connection_timeout(Duration::from_mins(1)).build()?)?;
    let mut transaction = graph.start_txn().await?;
    match collect(&mut transaction, statements).await {
        Ok(rows) => transaction.commit().await.map(|()| rows),
        Err(error) => {
            // Only the first error matters; the connection closes with the pool in any case.
            let _ = transaction.rollback().await;
            Err(error)
        }
    }
}

async fn collect(transaction: &mut neo4rs::Txn, statements: &[impl AsRef<str>]) -> Result<Vec<Row>, neo4rs::Error> {
    let mut rows = Vec::new();
    for cypher in statements {
        let mut stream = transaction.execute(query(cypher.as_ref())).await?;
        rows.clear();
        while let Some(row) = stream.next(transaction.handle()).await? {
            rows.push(row);
        }
    }
    Ok(rows)
}
