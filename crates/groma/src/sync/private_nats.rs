//! A private nats-server of this process: on a free port of 127.0.0.1, with a password known only to this process, and
//! streams in a temporary directory.

use anyhow::{Context, bail};
use rand::{RngExt, distr::Alphanumeric};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// Time limit for the server to listen.
const START: Duration = Duration::from_secs(20);
/// Time limit for the server to stop.
const STOP: Duration = Duration::from_secs(20);
/// Folder of the streams.
const STREAMS: &str = "jetstream";
/// Shell script that stops the server when this process ends for any reason: the shell's standard input is a pipe that
/// only this process holds open.
const GUARD: &str =
    r#""$0" "$@" & server=$!; trap 'kill "$server"' TERM INT; read -r _; kill "$server"; wait "$server""#;

/// The running server. Dropping it stops the server.
pub struct PrivateNats {
    url: String,
    // Declared before `folder`, so that it is dropped first.
    guard: Child,
    folder: Folder,
}

/// Location of the streams.
enum Folder {
    /// A folder that is removed with the server.
    Temporary(TempDir),
    /// A folder that an earlier process kept.
    Kept,
}

impl PrivateNats {
    /// Starts the server of `GROMA_NATS_SERVER`, or `nats-server` from the `PATH` or beside this program.
    ///
    /// # Errors
    /// Fails if there is no such program or it does not start.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("groma-nats-").tempdir()?;
        let (guard, url) = launch(folder.path()).await?;
        Ok(Self { url, guard, folder: Folder::Temporary(folder) })
    }

    /// Starts a server on the streams kept by [`PrivateNats::keep`].
    ///
    /// # Errors
    /// Fails if the folder has no streams. Otherwise same as [`PrivateNats::start`].
    pub async fn reopen(folder: &Path) -> anyhow::Result<Self> {
        if !folder.join(STREAMS).is_dir() {
            bail!("{} has no streams kept by `groma sync`", folder.display());
        }
        let (guard, url) = launch(folder).await?;
        Ok(Self { url, guard, folder: Folder::Kept })
    }

    /// URL with user and password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops the server. Removes its streams, unless an earlier process kept them.
    pub async fn stop(mut self) {
        self.end().await;
    }

    /// Stops the server and keeps its streams. Returns their folder, unless they were kept before.
    pub async fn keep(mut self) -> Option<PathBuf> {
        self.end().await;
        match self.folder {
            Folder::Temporary(folder) => Some(folder.keep()),
            Folder::Kept => None,
        }
    }

    /// The guard ends when its standard input is closed, and ends the server.
    async fn end(&mut self) {
        drop(self.guard.stdin.take());
        if tokio::time::timeout(STOP, self.guard.wait()).await.is_err() {
            tracing::warn!("the private nats-server did not end within {STOP:?}");
        }
    }
}

/// Starts a server on this folder. Returns its guard and its URL.
async fn launch(folder: &Path) -> anyhow::Result<(Child, String)> {
    let binary = find()?;
    let password: String = rand::rng().sample_iter(&Alphanumeric).take(32).map(char::from).collect();
    // Remove ports files of an earlier server.
    for path in ports_files(folder) {
        fs::remove_file(path)?;
    }
    let config = folder.join("nats.conf");
    fs::write(&config, configuration(folder, &password)).context("cannot write a NATS configuration")?;
    let log = fs::File::create(folder.join("nats.log"))?;
    let mut guard = Command::new("sh")
        .args(["-c", GUARD])
        .arg(&binary)
        .arg("-c")
        .arg(&config)
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(false)
        .spawn()
        .context("cannot start a private nats-server")?;
    let port = port(folder, &mut guard).await?;
    Ok((guard, format!("nats://groma:{password}@127.0.0.1:{port}")))
}

fn find() -> anyhow::Result<PathBuf> {
    if let Some(named) = env::var_os("GROMA_NATS_SERVER") {
        let named = PathBuf::from(named);
        if !named.is_file() {
            bail!("GROMA_NATS_SERVER is {}, which is not a file", named.display());
        }
        return Ok(named);
    }
    let path = env::var_os("PATH").unwrap_or_default();
    // Python packages install programs into one folder, which may not be on the PATH.
    let own = env::current_exe().ok().and_then(|program| program.parent().map(Path::to_owned));
    let mut folders = env::split_paths(&path).chain(own);
    folders.find_map(|folder| Some(folder.join("nats-server")).filter(|file| file.is_file())).context(
        "no NATS: set --nats (or NATS_URL), or install nats-server on the PATH (or set its path in \
         GROMA_NATS_SERVER) for a private server",
    )
}

fn configuration(directory: &Path, password: &str) -> String {
    let directory = directory.display();
    format!(
        r#"listen: "127.0.0.1:-1"
ports_file_dir: "{directory}"
jetstream {{ store_dir: "{directory}/{STREAMS}" }}
authorization {{ user: "groma", password: "{password}" }}
"#
    )
}

/// Waits for the file into which the server writes its ports, and returns the port.
async fn port(directory: &Path, guard: &mut Child) -> anyhow::Result<u16> {
    let deadline = Instant::now() + START;
    while Instant::now() < deadline {
        if let Some(port) = written_port(directory) {
            return Ok(port);
        }
        if guard.try_wait()?.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let log = files::read_text(&directory.join("nats.log"), files::SMALL).unwrap_or_default();
    let last = log.lines().last().unwrap_or("its log is empty");
    bail!("the private nats-server did not start: {last}")
}

fn written_port(directory: &Path) -> Option<u16> {
    let file = ports_files(directory).into_iter().next()?;
    let ports: serde_json::Value = serde_json::from_str(&files::read_text(&file, files::SMALL).ok()?).ok()?;
    ports["nats"][0].as_str()?.rsplit(':').next()?.parse().ok()
}

fn ports_files(directory: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "ports")).collect()
}
