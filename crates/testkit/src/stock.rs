//! Simulated AWSs with an organization, forked from a process that has filled one: `tests/simulated-aws/stock.py`.

use crate::tools;
use anyhow::{Context, bail};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Stdio},
    sync::{Mutex, PoisonError},
};

/// The process of this test binary. It ends with its standard input, which closes when this process ends.
static STOCK: Mutex<Option<Stock>> = Mutex::new(None);

struct Stock {
    _process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// A new AWS: its port, the id of its process, and the summary of `organization.py`.
pub(crate) struct Forked {
    pub(crate) port: u16,
    pub(crate) pid: u32,
    pub(crate) summary: Value,
}

/// Makes an AWS of a size such as `small`. `dir` gets its AWS files, `log` its output. Blocks: for seconds the first time, then for milliseconds.
///
/// # Errors
/// Fails if moto is missing (`just tools`), or the organization cannot be made.
pub(crate) fn fork(size: &str, dir: &Path, log: &Path) -> anyhow::Result<Forked> {
    let mut stock = STOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let stock = match &mut *stock {
        Some(stock) => stock,
        none => none.insert(Stock::start()?),
    };
    let answer = stock.ask(&json!({"size": size, "dir": dir, "log": log}))?;
    if let Some(error) = answer["error"].as_str() {
        bail!("the simulated AWS could not be made: {error}");
    }
    let number = |name: &str| answer[name].as_u64().with_context(|| format!("no {name} in {answer}"));
    Ok(Forked {
        port: u16::try_from(number("port")?)?,
        pid: u32::try_from(number("pid")?)?,
        summary: answer["summary"].clone(),
    })
}

impl Stock {
    fn start() -> anyhow::Result<Self> {
        let mut command = tools::python_script("tests/simulated-aws/stock.py")?;
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("moto did not start")?;
        let (Some(requests), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            bail!("moto has no pipes");
        };
        Ok(Self { _process: process, requests, answers: BufReader::new(answers) })
    }

    fn ask(&mut self, request: &Value) -> anyhow::Result<Value> {
        writeln!(self.requests, "{request}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        serde_json::from_str(&answer).context("the process that makes simulated AWSs ended; its output is above")
    }
}
