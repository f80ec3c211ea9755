//! A simulated AWS: moto with roles that must trust their caller, faults on demand, and organizations to survey.

use crate::{
    http,
    server::Server,
    stock::{self, Forked},
    tools,
};
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_mins(1);

/// A simulated AWS for all accounts and regions.
pub struct Aws {
    // Before the folder, so that it is dropped first.
    server: Server,
    dir: TempDir,
    port: u16,
}

/// Size of an organization of [`Aws::organization`]; see `tests/simulated-aws/seeding/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Hub and two spokes with some assets of each kind; created in a few seconds.
    Small,
    /// Hub and three spokes in two regions with all special cases, and more than one page of each paged list.
    Test,
    /// Hub and three spokes in two regions with several thousand assets.
    Demo,
}

/// A simulated organization.
#[derive(Clone, Debug)]
pub struct Organization {
    /// Environment for AWS SDKs: `AWS_CONFIG_FILE`, `AWS_ENDPOINT_URL` and so on.
    pub env: BTreeMap<String, String>,
    /// Hub first, then the spokes.
    pub accounts: Vec<Account>,
    /// Enabled regions.
    pub regions: Vec<String>,
    /// Counts of the created assets by kind.
    pub counts: Value,
    /// Part of every secret in the accounts, which no role may write anywhere.
    pub planted: String,
    /// Folder with `config` and `credentials`.
    pub dir: PathBuf,
}

/// An account. Its profile has the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Name of the account and its profile.
    pub name: String,
    /// Account id: 12 digits.
    pub id: String,
}

/// A call to the simulated AWS, allowed or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// Account of the credentials that signed it.
    pub account: String,
    /// Region for which it was signed.
    pub region: String,
    /// Signing name, e.g. `ec2`.
    pub service: String,
    /// Action, e.g. `DescribeVpcs`.
    pub action: String,
}

impl Organization {
    /// Reads the summary of `organization.py`.
    fn of(summary: &Value, dir: PathBuf) -> anyhow::Result<Self> {
        let env = std::fs::read(dir.join("env.json"))?;
        Ok(Self {
            env: serde_json::from_slice::<BTreeMap<String, String>>(&env)?,
            accounts: accounts(&summary["accounts"])?,
            regions: strings(&summary["regions"]),
            counts: summary["counts"].clone(),
            planted: summary["planted"].as_str().context("no planted secret")?.to_owned(),
            dir,
        })
    }
}

impl Aws {
    /// Starts a server without assets except those of every new AWS account.
    ///
    /// # Errors
    /// Fails if moto is missing (`just tools`) or does not start. The error has the end of its log.
    pub async fn start() -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("groma-aws-").tempdir()?;
        let port_file = dir.path().join("port");
        let mut command = simulated_aws("moto_server.py")?;
        command.args(["--quiet", "--port", "0", "--port-file"]).arg(&port_file);
        let mut server = Server::start("moto", command, dir.path())?;
        server.until_ready(PATIENCE, async || port_file.exists()).await?;
        let port = std::fs::read_to_string(&port_file)?.trim().parse()?;
        Ok(Self { server, dir, port })
    }

    /// Starts a server with an organization. Much faster than [`Aws::start`] with [`Aws::organization`], except the first
    /// time for a size in this process.
    ///
    /// # Errors
    /// As both.
    pub async fn with_organization(size: Size) -> anyhow::Result<(Self, Organization)> {
        let dir = tempfile::Builder::new().prefix("groma-aws-").tempdir()?;
        let (files, log) = (dir.path().join("organization"), dir.path().join("moto.log"));
        // To its end even if the test does not wait for it, so that every server has its owner.
        let made = tokio::task::spawn_blocking(move || {
            let Forked { port, pid, summary } = stock::fork(size.name(), &files, &log)?;
            let server = Server::adopt("moto", pid, log, dir.path())?;
            let organization = Organization::of(&summary, files)?;
            Ok((Self { server, dir, port }, organization))
        });
        made.await?
    }

    /// URL for `AWS_ENDPOINT_URL`: `http://127.0.0.1:…`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Process id.
    pub fn process_id(&self) -> u32 {
        self.server.id()
    }

    /// Creates an organization; once for each [`Aws`].
    ///
    /// # Errors
    /// Fails if the seeding fails. The error has its output.
    pub async fn organization(&self, size: Size) -> anyhow::Result<Organization> {
        let dir = self.dir.path().join("organization");
        let mut command = simulated_aws("organization.py")?;
        command.args(["--endpoint", &self.endpoint(), "--size", size.name(), "--dir"]).arg(&dir);
        let summary: Value = serde_json::from_str(&output(command, String::new()).await?)?;
        Organization::of(&summary, dir)
    }

    /// Makes a call as the owner of an account, with boto3's names: `call("222222222222", "us-east-1", "ec2",
    /// "delete_volume", json!({"VolumeId": id}))`. Not recorded in [`Aws::calls`].
    ///
    /// # Errors
    /// Fails if AWS rejects the call. The error has AWS's response.
    pub async fn call(
        &self,
        account: &str,
        region: &str,
        service: &str,
        operation: &str,
        parameters: Value,
    ) -> anyhow::Result<Value> {
        let mut answers = self.call_all(vec![json!([account, region, service, operation, parameters])]).await?;
        answers.pop().context("no answer")
    }

    /// Makes several calls like [`Aws::call`], which is faster: `json!([account, region, service, operation,
    /// parameters])`.
    ///
    /// # Errors
    /// Fails if AWS rejects one. Calls before it have been made.
    pub async fn call_all(&self, calls: Vec<Value>) -> anyhow::Result<Vec<Value>> {
        let mut command = simulated_aws("aws_call.py")?;
        command.args(["--endpoint", &self.endpoint()]);
        Ok(serde_json::from_str(&output(command, Value::Array(calls).to_string()).await?)?)
    }

    /// Runs a Python script of the workspace with `--endpoint` and these arguments, in the environment with boto3, and
    /// returns its output.
    ///
    /// # Errors
    /// Fails if the script fails. The error has its error output.
    pub async fn script(&self, path: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = tools::python_script(path)?;
        command.args(["--endpoint", &self.endpoint()]).args(arguments);
        output(command, String::new()).await
    }

    /// Returns the calls so far, without those of the seeding.
    ///
    /// # Errors
    /// Fails if the server does not answer.
    pub async fn calls(&self) -> anyhow::Result<Vec<Call>> {
        let calls = self.get("calls").await?;
        calls.as_array().context("no list of calls")?.iter().map(Call::read).collect()
    }

    /// Clears the recorded calls.
    ///
    /// # Errors
    /// Fails if the server does not answer.
    pub async fn clear_calls(&self) -> anyhow::Result<()> {
        http::request(self.port, "DELETE", "/_groma/calls", &Value::Null).await.map(drop)
    }

    /// Returns access key id, secret and token of every role session so far.
    ///
    /// # Errors
    /// Fails if the server does not answer.
    pub async fn sessions(&self) -> anyhow::Result<Vec<[String; 3]>> {
        let sessions = self.get("sessions").await?;
        let read = |session: &Value| strings(session).try_into().ok().context("not a session");
        sessions.as_array().context("no list of sessions")?.iter().map(read).collect()
    }

    /// Adds one or more rules by which calls fail or wait. All fields are optional: `{account, region, service, action,
    /// skip, times, delay_seconds, status, code, message}`.
    ///
    /// # Errors
    /// Fails if a field is unknown.
    pub async fn fault(&self, rules: Value) -> anyhow::Result<()> {
        let rules = if rules.is_array() { rules } else { json!([rules]) };
        self.control("faults", rules).await.map(drop)
    }

    /// Removes all faults.
    ///
    /// # Errors
    /// Fails if the server does not answer.
    pub async fn clear_faults(&self) -> anyhow::Result<()> {
        http::request(self.port, "DELETE", "/_groma/faults", &Value::Null).await.map(drop)
    }

    /// Uses another control of `tests/simulated-aws/moto_server.py`, e.g. `latency` or `inspector2`.
    ///
    /// # Errors
    /// Fails if the server rejects it.
    pub async fn control(&self, name: &str, body: Value) -> anyhow::Result<Value> {
        http::request(self.port, "POST", &format!("/_groma/{name}"), &body).await
    }

    async fn get(&self, name: &str) -> anyhow::Result<Value> {
        http::request(self.port, "GET", &format!("/_groma/{name}"), &Value::Null).await
    }
}

impl Size {
    fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Test => "test",
            Self::Demo => "demo",
        }
    }
}

impl Organization {
    /// Returns the id of the account with this name.
    ///
    /// # Errors
    /// Fails if there is no such account.
    pub fn account(&self, name: &str) -> anyhow::Result<&str> {
        let account = self.accounts.iter().find(|account| account.name == name);
        Ok(&account.with_context(|| format!("no account {name}"))?.id)
    }
}

impl Call {
    fn read(call: &Value) -> anyhow::Result<Self> {
        let [account, region, service, action] = strings(call).try_into().ok().context("not a call")?;
        Ok(Self { account, region, service, action })
    }
}

fn accounts(accounts: &Value) -> anyhow::Result<Vec<Account>> {
    let accounts = accounts.as_array().context("no accounts in the summary")?;
    let text = |account: &Value, name: &str| account[name].as_str().map(ToOwned::to_owned).context("no text");
    accounts.iter().map(|it| Ok(Account { name: text(it, "name")?, id: text(it, "id")? })).collect()
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

fn simulated_aws(script: &str) -> anyhow::Result<Command> {
    tools::python_script(Path::new("tests/simulated-aws").join(script))
}

/// Returns the output of a command. An error has its error output.
async fn output(command: Command, input: String) -> anyhow::Result<String> {
    use std::process::Stdio;
    use tokio::io::AsyncWriteExt as _;
    let mut command = tokio::process::Command::from(command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).await?;
    }
    let output = child.wait_with_output().await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8(output.stdout)?)
}
