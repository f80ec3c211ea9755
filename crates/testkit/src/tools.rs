//! Paths of programs: from the environment, else from `.tools/`, which `just tools` fills.

use anyhow::{Context, ensure};
use serde_json::Value;
use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

/// Root of the workspace whose tests run, which cargo also sets at run time. Another clone with the same target
/// directory may have built this crate.
pub fn workspace() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let built = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let here = env::var_os("CARGO_MANIFEST_DIR").map_or(built, PathBuf::from);
        let root = here.ancestors().find(|folder| folder.join("Cargo.lock").exists());
        root.unwrap_or(&here).to_owned()
    });
    &ROOT
}

/// Path of nats-server.
///
/// # Errors
/// Fails if `just tools` has not been run.
pub fn nats_server() -> anyhow::Result<PathBuf> {
    pointed_to("GROMA_NATS_SERVER").map_or_else(|| program("nats_server"), Ok)
}

/// A Python script of the workspace, in the environment that has moto, boto3 and botocore.
pub(crate) fn python_script(path: impl AsRef<Path>) -> anyhow::Result<Command> {
    let mut command = Command::new(program("python")?);
    command.arg(path.as_ref()).current_dir(workspace());
    Ok(command)
}

/// Runs a Python script of the workspace in the environment with botocore, and returns its output.
///
/// # Errors
/// Fails if `just tools` has not been run, or the script fails. The error has its error output.
pub fn run_python(script: &str, arguments: &[&OsStr]) -> anyhow::Result<String> {
    let output = python_script(script)?.args(arguments).output()?;
    ensure!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

fn pointed_to(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn program(name: &str) -> anyhow::Result<PathBuf> {
    let path = manifest()?[name].as_str().map(|path| workspace().join(path));
    let path = path.with_context(|| format!("tools.json has no {name}: run `just tools`"))?;
    ensure!(path.exists(), "{} is missing: run `just tools`", path.display());
    Ok(path)
}

fn manifest() -> anyhow::Result<Value> {
    let path = workspace().join(".tools/tools.json");
    let text = std::fs::read(&path).context("the servers for tests are missing: run `just tools`")?;
    serde_json::from_slice(&text).with_context(|| format!("cannot parse {}: run `just tools`", path.display()))
}
