//! A nats-server with JetStream.

use crate::{ports, server::Server, tools};
use anyhow::Context;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

/// A nats-server with JetStream in its own folder.
///
/// Streams survive [`kill`](Self::kill), because data of a killed process stays in the kernel. Unlike in a deployment,
/// they are not flushed after each message: no test simulates a power failure.
pub struct Nats {
    // Before the folder, so that it is dropped first.
    server: Option<Server>,
    dir: TempDir,
    port: u16,
    /// `None` for an open server.
    configuration: Option<PathBuf>,
}

impl Nats {
    /// Starts a server and waits until it accepts connections.
    ///
    /// # Errors
    /// Fails if nats-server is missing (`just tools`) or does not start. The error has the end of its log.
    pub async fn start() -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("groma-nats-").tempdir()?;
        let mut nats = Self { server: None, dir, port: ports::free()?, configuration: None };
        nats.launch().await?;
        Ok(nats)
    }

    /// Starts a server with a custom configuration. `write` creates it in a folder for a port, and returns its path.
    ///
    /// # Errors
    /// Same as [`Nats::start`]. Also fails if `write` fails.
    pub async fn configured(write: impl FnOnce(&Path, u16) -> anyhow::Result<PathBuf>) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("groma-nats-").tempdir()?;
        let port = ports::free()?;
        let configuration = Some(write(dir.path(), port)?);
        let mut nats = Self { server: None, dir, port, configuration };
        nats.launch().await?;
        Ok(nats)
    }

    /// Starts a server that accepts messages of at most `max_payload` bytes.
    ///
    /// # Errors
    /// Same as [`Nats::start`].
    pub async fn of_small_messages(max_payload: usize) -> anyhow::Result<Self> {
        Self::configured(|dir, port| {
            let file = dir.join("nats.conf");
            let text = format!(
                "listen: \"127.0.0.1:{port}\"\nmax_payload: {max_payload}\njetstream {{ store_dir: \"{}\" }}\n",
                dir.display()
            );
            std::fs::write(&file, text)?;
            Ok(file)
        })
        .await
    }

    /// Port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// URL of the server: `nats://127.0.0.1:…`.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Folder of its streams and its log.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Process id; `None` while the server is down.
    pub fn process_id(&self) -> Option<u32> {
        self.server.as_ref().map(Server::id)
    }

    /// Kills the server with SIGKILL. [`restart`](Self::restart) starts it again.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// Restarts the server on the same port with the same streams. Ends a running one with SIGTERM.
    ///
    /// # Errors
    /// Fails if the server does not start again.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        if let Some(server) = self.server.take() {
            server.terminate(PATIENCE).await?;
        }
        self.launch().await
    }

    async fn launch(&mut self) -> anyhow::Result<()> {
        let mut command = Command::new(tools::nats_server()?);
        if let Some(configuration) = &self.configuration {
            command.arg("--config").arg(configuration);
        } else {
            command.args(["--addr", "127.0.0.1", "--port", &self.port.to_string(), "--jetstream", "--store_dir"]);
            command.arg(self.dir.path());
        }
        let mut server = Server::start("nats-server", command, self.dir.path())?;
        let (port, with_jetstream) = (self.port, self.configuration.is_none());
        server.until_ready(PATIENCE, async || greets(port, with_jetstream).await.is_ok()).await?;
        self.server = Some(server);
        Ok(())
    }
}

/// Whether the server is ready. Its first line reports JetStream once the streams are recovered. With a custom
/// configuration, JetStream may be disabled.
async fn greets(port: u16, with_jetstream: bool) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let mut greeting = [0; 4096];
    let length = timeout(Duration::from_secs(2), stream.read(&mut greeting)).await??;
    let greeting = String::from_utf8_lossy(&greeting[..length]).into_owned();
    let ready = greeting.starts_with("INFO ") && (!with_jetstream || greeting.contains(r#""jetstream":true"#));
    ready.then_some(()).context("no JetStream yet")
}
