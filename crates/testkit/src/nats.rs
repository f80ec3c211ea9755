//! nats-server with JetStream.

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

/// A nats-server with JetStream in a folder of its own.
///
/// Streams survive [`kill`](Self::kill): what a killed process has written is the kernel's. They are not flushed after
/// each message as a deployment's are, since no test takes the power away.
pub struct Nats {
    // Before the folder, so that it is gone first.
    server: Option<Server>,
    dir: TempDir,
    port: u16,
    /// None for an open server.
    configuration: Option<PathBuf>,
}

impl Nats {
    /// Starts one and waits until it takes connections.
    ///
    /// # Errors
    /// When nats-server is not there (`just tools`) or does not start; the end of its log is in the error.
    pub async fn start() -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("groma-nats-").tempdir()?;
        let mut nats = Self { server: None, dir, port: ports::free()?, configuration: None };
        nats.launch().await?;
        Ok(nats)
    }

    /// Starts one with a configuration of one's own, which `write` makes in a folder for a port and says where it is.
    ///
    /// # Errors
    /// As [`Nats::start`], and when `write` fails.
    pub async fn configured(write: impl FnOnce(&Path, u16) -> anyhow::Result<PathBuf>) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("groma-nats-").tempdir()?;
        let port = ports::free()?;
        let configuration = Some(write(dir.path(), port)?);
        let mut nats = Self { server: None, dir, port, configuration };
        nats.launch().await?;
        Ok(nats)
    }

    /// Starts one that takes messages of at most so many bytes.
    ///
    /// # Errors
    /// As [`Nats::start`].
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

    /// Its port of 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `nats://127.0.0.1:…`
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The folder of its streams and its log.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Its process id; none while it is down.
    pub fn process_id(&self) -> Option<u32> {
        self.server.as_ref().map(Server::id)
    }

    /// Ends it with SIGKILL; [`restart`](Self::restart) brings it back.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// Ends it with SIGTERM if it runs and starts it on the same port with the same streams.
    ///
    /// # Errors
    /// When it does not start again.
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

/// The server's first line tells of JetStream, once it has recovered its streams; whether there is to be one, a configuration
/// of the user's decides.
async fn greets(port: u16, with_jetstream: bool) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let mut greeting = [0; 4096];
    let length = timeout(Duration::from_secs(2), stream.read(&mut greeting)).await??;
    let greeting = String::from_utf8_lossy(&greeting[..length]).into_owned();
    let ready = greeting.starts_with("INFO ") && (!with_jetstream || greeting.contains(r#""jetstream":true"#));
    ready.then_some(()).context("no JetStream yet")
}
