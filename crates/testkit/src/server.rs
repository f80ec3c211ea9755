//! A server process that ends with its owner.
//!
//! Each server leads its own process group, which is killed as a whole. If this process cannot do so (SIGKILL, `abort`,
//! a `static` that is never dropped), a watchdog does: a shell at the end of a pipe that only this process holds open.
//! If the pipe closes without a message, the shell kills the group and removes its folder.

use anyhow::{Context, bail};
use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tokio::time::sleep;

// `kill -0` keeps succeeding for a dead process that is never reaped, so the loop has a limit.
const WATCHDOG: &str = r#"
    read -r farewell && exit 0
    kill -s KILL -- "-$1"
    for pause in 1 2 3 4 5 6 7 8 9 10; do kill -s 0 -- "-$1" || break; sleep 0.1; done
    rm -rf -- "$2"
"#;

/// A running server with its log.
pub(crate) struct Server {
    name: &'static str,
    /// Id of the process, which leads a group.
    id: u32,
    /// `None`: another process started it, and waits for its end.
    process: Option<Child>,
    watchdog: Child,
    log: PathBuf,
}

impl Server {
    /// Starts `command` with a log in `dir`. The watchdog removes `dir`.
    pub(crate) fn start(name: &'static str, mut command: Command, dir: &Path) -> anyhow::Result<Self> {
        let log = dir.join(format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log)?;
        let program = PathBuf::from(command.get_program());
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).process_group(0);
        let mut process = command
            .spawn()
            .with_context(|| format!("{name} did not start from {}: run `just tools`", program.display()))?;
        let id = process.id();
        match watch(id, dir) {
            Ok(watchdog) => Ok(Self { name, id, process: Some(process), watchdog, log }),
            Err(error) => {
                process.kill()?;
                process.wait()?;
                Err(error).context("no shell to watch over a test server")
            }
        }
    }

    /// Takes charge of a process that leads a group and that another process started.
    pub(crate) fn adopt(name: &'static str, id: u32, log: PathBuf, dir: &Path) -> anyhow::Result<Self> {
        match watch(id, dir) {
            Ok(watchdog) => Ok(Self { name, id, process: None, watchdog, log }),
            Err(error) => {
                signal_group("KILL", id);
                Err(error).context("no shell to watch over a test server")
            }
        }
    }

    /// Repeats `probe` until it returns `true`. Fails, with the end of the log, if the server ends or `patience` is
    /// over.
    pub(crate) async fn until_ready(
        &mut self,
        patience: Duration,
        probe: impl AsyncFn() -> bool,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + patience;
        while !probe().await {
            if self.has_ended()? {
                bail!("{} ended: {}", self.name, self.log_tail());
            }
            if Instant::now() > deadline {
                bail!("{} does not answer after {} s: {}", self.name, patience.as_secs(), self.log_tail());
            }
            sleep(Duration::from_millis(25)).await;
        }
        Ok(())
    }

    /// Sends SIGTERM and waits for the end. After `patience`, dropping the value kills the process.
    pub(crate) async fn terminate(mut self, patience: Duration) -> anyhow::Result<()> {
        signal_group("TERM", self.id);
        let deadline = Instant::now() + patience;
        while !self.has_ended()? && Instant::now() < deadline {
            sleep(Duration::from_millis(25)).await;
        }
        Ok(())
    }

    /// Process id, which is also the id of the group.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    fn has_ended(&mut self) -> std::io::Result<bool> {
        match &mut self.process {
            Some(process) => Ok(process.try_wait()?.is_some()),
            None => Ok(!signal_group("0", self.id)),
        }
    }

    fn log_tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        signal_group("KILL", self.id);
        // Not left to the watchdog, because `wait` below needs it.
        match &mut self.process {
            Some(process) => {
                let _ = process.kill();
                let _ = process.wait();
            }
            None => wait_for_end(self.id),
        }
        if let Some(mut pipe) = self.watchdog.stdin.take() {
            let _ = pipe.write_all(b"farewell\n");
        }
        let _ = self.watchdog.wait();
        if thread::panicking() {
            eprintln!("the end of the log of {}:\n{}", self.name, self.log_tail());
        }
    }
}

fn watch(group: u32, dir: &Path) -> std::io::Result<Child> {
    let mut shell = Command::new("sh");
    shell.args(["-c", WATCHDOG, "watchdog", &group.to_string()]).arg(dir);
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn()
}

/// Waits until a killed group is gone, which takes milliseconds.
fn wait_for_end(group: u32) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while signal_group("0", group) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
    }
}

/// Sends a signal; 0 only asks. Returns whether the group exists.
fn signal_group(signal: &str, group: u32) -> bool {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"kill -s "$1" -- "-$2""#, "signal", signal, &group.to_string()]);
    shell.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
